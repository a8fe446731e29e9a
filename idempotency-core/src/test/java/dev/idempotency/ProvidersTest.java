package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.ProviderProfile.KeyFormat;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class ProvidersTest {
    static Stream<ProviderProfile> all() {
        return Arrays.stream(Providers.class.getDeclaredFields())
                .filter(field -> Modifier.isPublic(field.getModifiers()))
                .map(field -> {
                    try {
                        return (ProviderProfile) field.get(null);
                    } catch (IllegalAccessException e) {
                        throw new AssertionError(e);
                    }
                });
    }

    static Stream<Arguments> documentedFacts() {
        return Stream.of(
                Arguments.of(Providers.STRIPE_V1, "Stripe v1", Duration.ofHours(24), 255),
                Arguments.of(Providers.STRIPE_V2, "Stripe v2", Duration.ofDays(30), 255),
                Arguments.of(Providers.PAYPAL_ORDERS_V2, "PayPal Orders v2", Duration.ofHours(6), 108),
                Arguments.of(Providers.CHECKOUT_COM, "Checkout.com", Duration.ofHours(24), 255),
                Arguments.of(Providers.QONTO, "Qonto", Duration.ofMinutes(30), 255),
                Arguments.of(Providers.ADYEN, "Adyen", null, 64),
                Arguments.of(Providers.SQUARE, "Square", null, 45),
                Arguments.of(Providers.BLUESNAP, "BlueSnap", null, 64));
    }

    @ParameterizedTest
    @MethodSource("documentedFacts")
    void profile_hasTheDocumentedFacts(ProviderProfile profile, String name, Duration window, int longestKey) {
        assertThat(profile.name()).isEqualTo(name);
        assertThat(profile.window()).isEqualTo(window);
        assertThat(NativeKeys.derive(new IdempotencyKey("charge", "order-1"), 1, 1, profile.keyFormat()))
                .hasSizeLessThanOrEqualTo(longestKey);
        assertThat(profile.keyFormat()).isEqualTo(KeyFormat.uuid());
    }

    @Test
    void everyProfile_isHeldAgainstItsFacts() {
        assertThat(documentedFacts().map(arguments -> arguments.get()[0]))
                .containsExactlyInAnyOrderElementsOf(all().toList());
    }

    @ParameterizedTest
    @MethodSource("all")
    void profile_namesThePageThatItsFactsComeFrom(ProviderProfile profile) {
        assertThat(URI.create(profile.source())).hasScheme("https").hasNoPort();
    }

    @ParameterizedTest
    @MethodSource("all")
    void profile_withAWindow_leavesRoomForAResend(ProviderProfile profile) {
        if (profile.window() != null) {
            assertThat(profile.resendWithin()).isPositive();
            assertThat(Recovery.nativeKey(profile).terms().resendWithin()).isEqualTo(profile.resendWithin());
        }
    }
}
