package dev.idempotency.redis;

import dev.idempotency.testkit.chaos.ChaosPrograms;
import org.junit.jupiter.api.Test;

final class RedisChaosTest {
    @Test
    void programs_onRedis_showNothing() throws Exception {
        try (var store = Redises.standalone().build()) {
            ChaosPrograms.requireSound(() -> store);
        }
    }
}
