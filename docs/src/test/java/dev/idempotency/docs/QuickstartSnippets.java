package dev.idempotency.docs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.idempotency.DeclinedException;
import dev.idempotency.HttpFailures;
import dev.idempotency.Idempotency;
import dev.idempotency.InDoubtException;
import dev.idempotency.InFlightException;
import dev.idempotency.MismatchException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.Providers;
import dev.idempotency.Recovery;
import dev.idempotency.ResultUnavailableException;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.StoreException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;

/** The code of the quickstart, and of the README's first screen. */
final class QuickstartSnippets {
    private QuickstartSnippets() {}

    // tag::types[]
    record ChargeRequest(String orderId, long amount, String currency, String customer) {}

    record Charge(String id, long amount) {}
    // end::types[]

    /** A provider that is called in this process. */
    interface Provider {
        Charge charge(ChargeRequest request, String nativeKey) throws Exception;
    }

    private static final ChargeRequest request = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");

    static Charge wrap(Provider provider) {
        // tag::wrap[]
        var idempotency = Idempotency.on(CaffeineIdempotencyStore.create());

        var charge = idempotency
                .operation("charge-card", ChargeRequest.class, Charge.class)
                .key(ChargeRequest::orderId)
                .recovery(Recovery.nativeKey(Providers.STRIPE_V1))
                .calling((r, attempt) -> provider.charge(r, attempt.nativeKey()));

        Charge receipt = charge.execute(request); // retried, replayed or concurrent: one charge
        // end::wrap[]
        Charge replayed = charge.execute(request);
        idempotency.close();
        if (!replayed.equals(receipt)) {
            throw new AssertionError(replayed + " is not " + receipt);
        }
        return receipt;
    }

    // tag::client[]
    static final class ChargeClient {
        private final HttpClient http =
                HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
        private final JsonMapper json = new JsonMapper();
        private final URI charges;

        ChargeClient(URI charges) {
            this.charges = charges;
        }

        Charge charge(ChargeRequest request, String nativeKey) throws IOException, InterruptedException {
            var body = Map.of(
                    "reference", request.orderId(),
                    "amount", request.amount(),
                    "currency", request.currency(),
                    "customer", request.customer());
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(charges)
                            .timeout(Duration.ofSeconds(10))
                            .header("Content-Type", "application/json")
                            .header("Idempotency-Key", nativeKey)
                            .POST(BodyPublishers.ofString(json.writeValueAsString(body)))
                            .build(),
                    BodyHandlers.ofString());
            return switch (response.statusCode()) {
                case 200, 201 -> charged(request, json.readTree(response.body()));
                case 402 -> throw new DeclinedException("card declined"); // a definite "no": recorded
                default -> throw new HttpFailures.StatusException(response.statusCode());
            };
        }

        private static Charge charged(ChargeRequest request, JsonNode answer) throws IOException {
            if (!answer.path("reference").asText().equals(request.orderId())) {
                throw new IOException("not the charge that was asked for"); // says nothing: in doubt
            }
            return new Charge(answer.path("id").asText(), answer.path("amount").asLong());
        }
    }
    // end::client[]

    // tag::operation[]
    static Operation<ChargeRequest, Charge> charging(Idempotency idempotency, ChargeClient client) {
        return idempotency
                .operation("charge-card", ChargeRequest.class, Charge.class)
                .key(ChargeRequest::orderId)
                .recovery(Recovery.nativeKey(Providers.STRIPE_V1))
                .failures(HttpFailures.classifier().notExecuted(429))
                .calling((request, attempt) -> client.charge(request, attempt.nativeKey()));
    }
    // end::operation[]

    static String outcome(Operation<ChargeRequest, Charge> charge, ChargeRequest request) {
        // tag::outcomes[]
        try {
            return "charged: " + charge.execute(request).id();
        } catch (DeclinedException e) {
            return "declined: " + e.reason();
        } catch (NotExecutedException e) {
            return e.isClosed() ? "never executed: tell the customer" : "not executed: try again when you like";
        } catch (InDoubtException | InFlightException | StoreException e) {
            return "not known yet: execute the same request again later";
        } catch (MismatchException e) {
            return "this order was charged with other data: a bug, or an override for two people";
        } catch (ResultUnavailableException e) {
            return "charged, but the result is gone: look it up at the provider";
        }
        // end::outcomes[]
    }
}
