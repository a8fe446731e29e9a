package dev.idempotency.caffeine;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Expiry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CaffeineVersionsTest {
    /** Spring Boot 3 brings Caffeine 3.1, in which they are not: a program would fail with NoSuchMethodError when it starts. */
    @ParameterizedTest
    @ValueSource(classes = {CaffeineIdempotencyStore.class, CaffeineInbox.class, CaffeineVersionGuard.class})
    void store_withCaffeineOfSpringBoot3_callsNothingThatIsNotThere(Class<?> type) throws IOException {
        try (var in = type.getResourceAsStream(type.getSimpleName() + ".class")) {
            var constants = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);

            assertThat(Set.of("writing", "creating", "accessing")).noneMatch(constants::contains);
        }
    }

    @Test
    void expiry_isThatOfTheLastWrite() {
        var left = new AtomicReference<>(Duration.ofSeconds(1));
        Expiry<String, String> expiry = new ExpiryAfterWrite<>((key, value) -> left.get());

        assertThat(expiry.expireAfterCreate("k", "v", 7)).isEqualTo(1_000_000_000);
        left.set(Duration.ofDays(400_000));
        assertThat(expiry.expireAfterUpdate("k", "v", 7, 1)).isEqualTo(Long.MAX_VALUE);
        left.set(Duration.ofSeconds(-1));
        assertThat(expiry.expireAfterUpdate("k", "v", 7, 1)).isZero();
        assertThat(expiry.expireAfterRead("k", "v", 7, 5)).isEqualTo(5);
    }
}
