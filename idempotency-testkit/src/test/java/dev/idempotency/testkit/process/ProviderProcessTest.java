package dev.idempotency.testkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.testkit.HttpProviderSimulator.Gate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
final class ProviderProcessTest {
    private static ProviderProcess provider;

    @BeforeAll
    static void start() {
        provider = ProviderProcess.start("--capabilities", "lookup");
    }

    @AfterAll
    static void stop() {
        provider.close();
    }

    private static PlainHttp.Response charge(String reference) throws IOException {
        var body = "{\"reference\":\"" + reference + "\",\"amount\":5,\"currency\":\"EUR\",\"customer\":\"c\"}";
        return PlainHttp.exchange(
                "POST",
                URI.create(provider.uri() + "/charges"),
                Map.of(),
                body,
                Duration.ofSeconds(30),
                PlainHttp.Hooks.NONE);
    }

    private static CompletableFuture<PlainHttp.Response> chargeLater(String reference) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return charge(reference);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static long effects(String reference) {
        return provider.effects().stream()
                .filter(effect -> effect.reference().equals(reference))
                .count();
    }

    @ParameterizedTest
    @EnumSource
    void provider_holdingARequest_hasDoneWhatTheGateSays(Gate gate) throws Exception {
        String reference = gate.name();
        provider.hold(reference, gate);
        var charge = chargeLater(reference);
        assertThat(provider.awaitHeld(reference)).isTrue();

        assertThat(charge).isNotDone();
        assertThat(effects(reference)).isEqualTo(gate == Gate.BEFORE_EFFECT ? 0 : 1);
        assertThat(charge(reference).status()).as("a second request passes").isEqualTo(201);
        provider.letGo(reference);
        assertThat(charge.get(30, TimeUnit.SECONDS).status()).isEqualTo(201);
        assertThat(effects(reference)).isEqualTo(2);
    }

    @Test
    void provider_withoutAGate_holdsNothing() throws Exception {
        provider.hold("let go", Gate.BEFORE_EFFECT);
        provider.letGo("let go");

        assertThat(charge("let go").status()).isEqualTo(201);
        assertThat(provider.awaitHeld("let go")).isFalse();
    }

    @Test
    void provider_withWrongOptions_isRefused() {
        assertThatThrownBy(() -> ProviderProcess.start("--capabilities", "what"))
                .isInstanceOf(IllegalStateException.class);
    }
}
