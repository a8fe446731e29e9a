package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class ProviderBehaviorTest {

    @Test
    void behavior_builtUp_hasAllThatWasAdded() {
        var behavior = ProviderBehavior.none()
                .withNativeKey(Duration.ofHours(24))
                .withLookup(Duration.ofSeconds(5))
                .withSeal()
                .withStoredErrors()
                .withInProgress409()
                .withWindowFromAnswer();

        assertThat(behavior)
                .isEqualTo(new ProviderBehavior(
                        true, Duration.ofHours(24), true, Duration.ofSeconds(5), true, true, true, true));
        assertThat(ProviderBehavior.none()
                        .withInProgress409()
                        .withStoredErrors()
                        .withSeal()
                        .withNativeKey())
                .isEqualTo(new ProviderBehavior(true, null, false, Duration.ZERO, true, true, true, false));
    }

    @Test
    void behavior_contradictions_areRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProviderBehavior.none().withNativeKey(Duration.ZERO))
                .withMessageContaining("PT0S");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProviderBehavior.none().withLookup(Duration.ofMillis(-1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ProviderBehavior(
                        false, Duration.ofHours(1), false, Duration.ZERO, false, false, false, false))
                .withMessageContaining("needs native keys");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new ProviderBehavior(true, null, false, Duration.ofSeconds(1), false, false, false, false))
                .withMessageContaining("needs lookup");
    }
}
