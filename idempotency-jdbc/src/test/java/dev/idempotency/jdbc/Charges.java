package dev.idempotency.jdbc;

import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.HttpFailures;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.process.ProviderProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Charges a provider in another process over HTTP. The first answer to each order is thrown away. */
final class Charges {
    /** How a key in doubt is resolved. */
    enum Policy {
        HOLD,
        NATIVE,
        LOOKUP
    }

    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final Duration MARGIN = Duration.ofMillis(200);
    private static final Pattern ID = Pattern.compile("\"id\"\\s*:\\s*\"([^\"]+)\"");

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Set<String> answeredOnce = ConcurrentHashMap.newKeySet();
    private final URI charges;

    Charges(ProviderProcess provider) {
        charges = URI.create(provider.uri() + "/charges");
    }

    Operation<String, String> operation(IdempotencyStore store, Policy policy) {
        return operation(store, policy, HttpFailures.classifier());
    }

    /** Takes a lost answer for a call that was never sent. */
    Operation<String, String> recklessOperation(IdempotencyStore store, Policy policy) {
        return operation(store, policy, FailureClassifier.conservative().on(IOException.class, FailureClass.NOT_SENT));
    }

    private Operation<String, String> operation(IdempotencyStore store, Policy policy, FailureClassifier failures) {
        return Idempotency.on(store)
                .operation("charge", String.class, String.class)
                .key(order -> order)
                .recovery(recovery(policy))
                .failures(failures)
                .lease(Duration.ofSeconds(2))
                .callTimeout(TIMEOUT)
                .recoveryTimeout(TIMEOUT)
                .waitAtMost(Duration.ofSeconds(4))
                // Only one policy relies on the provider's recognition of its key: the others must do without.
                .calling((order, attempt) -> charge(
                        order,
                        policy == Policy.NATIVE
                                ? attempt.nativeKey()
                                : UUID.randomUUID().toString()));
    }

    private Recovery<String, String> recovery(Policy policy) {
        return switch (policy) {
            case HOLD -> Recovery.hold();
            case NATIVE ->
                Recovery.nativeKey(ProviderProfile.of(
                        "simulator",
                        "its own documentation",
                        ProviderProfile.KeyFormat.uuid(),
                        ProviderProfile.ENDLESS));
            case LOOKUP -> {
                var bounds = Quiescence.of(TIMEOUT, Duration.ZERO).withPause(MARGIN);
                yield Recovery.lookupThenReexecute(
                        (order, attempt) -> find(order),
                        bounds.withPeriod(bounds.bound().plusMillis(1)));
            }
        };
    }

    private String charge(String order, String nativeKey) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(charges)
                .timeout(TIMEOUT)
                .header("Idempotency-Key", nativeKey)
                .POST(BodyPublishers.ofString(
                        "{\"reference\":\"" + order + "\",\"amount\":1,\"currency\":\"EUR\",\"customer\":\"c\"}"))
                .build();
        var response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new HttpFailures.StatusException(response.statusCode());
        }
        if (answeredOnce.add(order)) {
            throw new IOException("the answer was lost");
        }
        return id(response.body());
    }

    private Finding<String> find(String order) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(charges + "?reference=" + order))
                .timeout(TIMEOUT)
                .build();
        var response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            return Finding.unknown("status " + response.statusCode());
        }
        return ID.matcher(response.body()).find() ? Finding.found(id(response.body())) : Finding.missing();
    }

    private static String id(String body) throws IOException {
        Matcher matcher = ID.matcher(body);
        if (!matcher.find()) {
            throw new IOException("no id in the answer");
        }
        return matcher.group(1);
    }
}
