package dev.idempotency.examples.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.HttpFailures;
import dev.idempotency.Idempotency;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.examples.http.Clients.Client;
import dev.idempotency.testkit.process.ProviderProcess;
import java.net.URI;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What a client that sends again by itself does to an operation: the provider's ledger says. */
final class ResendTest {
    private final AtomicInteger calls = new AtomicInteger();
    private final String order = "ORD-" + UUID.randomUUID();

    /** The provider does what it is asked, and closes the connection of the first request without an answer. */
    private static ProviderProcess provider(String capabilities) {
        return ProviderProcess.start("--faults", "reply-lost=1,max=1", "--capabilities", capabilities);
    }

    private Operation<String, Integer> charge(Idempotency idempotency, Client client, ProviderProcess provider) {
        URI charges = URI.create(provider.uri() + "/charges");
        return idempotency
                .operation("charge", String.class, Integer.class)
                .key(reference -> reference)
                .calling((reference, attempt) -> {
                    calls.incrementAndGet();
                    String body = """
                            {"reference": "%s", "amount": 1250, "currency": "EUR", "customer": "Ada"}""".formatted(reference);
                    int status = client.send("POST", charges, body, attempt.nativeKey());
                    if (status / 100 != 2) {
                        throw new HttpFailures.StatusException(status);
                    }
                    return status;
                });
    }

    @Test
    void oneCall_byAClientThatSendsAgain_isTwoEffectsThatNobodyHearsOf() {
        try (var provider = provider("none");
                var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var charge = charge(idempotency, Clients.UrlConnection.of(false), provider);

            assertThat(charge.execute(order)).isEqualTo(201);

            assertThat(calls).hasValue(1);
            assertThat(provider.effects()).hasSize(2);
        }
    }

    @Test
    void oneCall_byAClientThatDoesNot_isOneEffectAndADoubt() {
        try (var provider = provider("none");
                var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var charge = charge(idempotency, Clients.UrlConnection.of(true), provider);

            assertThatThrownBy(() -> charge.execute(order)).isInstanceOf(InDoubtException.class);

            assertThat(calls).hasValue(1);
            assertThat(provider.effects()).hasSize(1);
        }
    }

    @Test
    void oneCall_byAClientThatSendsAgainToAProviderThatKnowsTheKey_isOneEffect() {
        try (var provider = provider("native");
                var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var charge = charge(idempotency, Clients.UrlConnection.of(false), provider);

            assertThat(charge.execute(order)).isEqualTo(200);

            assertThat(calls).hasValue(1);
            assertThat(provider.effects()).hasSize(1);
        }
    }
}
