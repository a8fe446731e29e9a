package dev.idempotency.examples.slack.events;

import org.junit.jupiter.api.Test;

final class ShowOnRedisTest {
    @Test
    void show_appThatDiesBetweenItsSteps_repliesOnceToEachMessage() throws Exception {
        new SmallShow().dieAt(StoreKind.REDIS, Step.AFTER_ACK, Step.AFTER_HANDLE);
    }
}
