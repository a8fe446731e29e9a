package dev.idempotency.testkit.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.idempotency.Attempt;
import dev.idempotency.Finding;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.NotExecutedException;
import dev.idempotency.testkit.process.MatrixOrder.Receipt;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** An order's way to its provider, with a report at each point within a request. Thread-safe. */
final class MatrixClient {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    /** What happens to the first call of an order in this process. */
    enum Conduct {
        /** Nothing. */
        NORMAL,
        /** The connection breaks after the provider has acted. */
        LOSES_ANSWER,
        /** The connection breaks before the provider has anything; the client cannot know. */
        LOSES_REQUEST,
        /** The client knows that it has sent nothing. */
        SENDS_NOTHING,
        /** It takes longer than a renewal. */
        SLOW
    }

    private final URI provider;
    private final CrashHooks hooks;
    private final Function<String, Conduct> conduct;

    MatrixClient(URI provider, CrashHooks hooks, Function<String, Conduct> conduct) {
        this.provider = provider;
        this.hooks = hooks;
        this.conduct = conduct;
    }

    Receipt charge(MatrixOrder order, Attempt attempt) throws IOException {
        Conduct today = attempt.number() == 1 ? conduct.apply(order.id()) : Conduct.NORMAL;
        attempt.checkMaySend();
        return charge(order, attempt.key(), attempt.nativeKey(), today);
    }

    Receipt charge(MatrixOrder order, IdempotencyKey key, String nativeKey, Conduct today) throws IOException {
        if (today == Conduct.SENDS_NOTHING) {
            throw new NotExecutedException("nothing was sent, by order", null);
        }
        if (today == Conduct.LOSES_REQUEST) {
            throw new IOException("the connection broke, by order");
        }
        String body = JSON.createObjectNode()
                .put("reference", order.id())
                .put("amount", order.amount())
                .put("currency", "EUR")
                .put("customer", "c")
                .toString();
        var response = PlainHttp.exchange(
                "POST",
                URI.create(provider + "/charges"),
                Map.of("Idempotency-Key", nativeKey),
                body,
                TIMEOUT,
                new PlainHttp.Hooks() {
                    @Override
                    public void halfSent() {
                        hooks.reached(CrashPoint.CP05_PART_OF_REQUEST, key);
                    }

                    @Override
                    public void answered() {
                        hooks.reached(CrashPoint.CP09_BEFORE_DECODE, key);
                    }
                });
        if (today == Conduct.LOSES_ANSWER) {
            throw new IOException("the connection broke, by order");
        }
        if (response.status() != 200 && response.status() != 201) {
            throw new IOException("status " + response.status());
        }
        return receipt(JSON.readTree(response.body()));
    }

    private static Receipt receipt(JsonNode charge) {
        return new Receipt(
                charge.path("id").asText(),
                charge.path("reference").asText(),
                charge.path("amount").asLong());
    }

    Finding<Receipt> lookup(MatrixOrder order) throws IOException {
        String reference = URLEncoder.encode(order.id(), StandardCharsets.UTF_8);
        var response = PlainHttp.exchange(
                "GET",
                URI.create(provider + "/charges?reference=" + reference),
                Map.of(),
                "",
                TIMEOUT,
                PlainHttp.Hooks.NONE);
        if (response.status() != 200) {
            return Finding.unknown("status " + response.status());
        }
        List<Receipt> found = new ArrayList<>();
        for (JsonNode charge : JSON.readTree(response.body()).path("data")) {
            Receipt receipt = receipt(charge);
            // Another generation of the order has another amount.
            if (receipt.amount() == order.amount()) {
                found.add(receipt);
            }
        }
        return found.isEmpty() ? Finding.missing() : Finding.found(found.get(0));
    }

    Finding<Receipt> seal(IdempotencyKey key, String nativeKey) throws IOException {
        var response = PlainHttp.exchange(
                "POST",
                URI.create(provider + "/charges/seal"),
                Map.of(),
                JSON.createObjectNode().put("idempotency_key", nativeKey).toString(),
                TIMEOUT,
                new PlainHttp.Hooks() {
                    @Override
                    public void answered() {
                        hooks.reached(CrashPoint.CP19_SEALED, key);
                    }
                });
        JsonNode answer = JSON.readTree(response.body());
        return switch (answer.path("status").asText()) {
            case "found" -> Finding.found(receipt(answer.path("charge")));
            case "sealed" -> Finding.missing();
            default -> Finding.unknown("status " + response.status());
        };
    }
}
