package dev.idempotency.examples.payments;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.idempotency.DeclinedException;
import dev.idempotency.Finding;
import dev.idempotency.HttpFailures;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The provider over HTTP. Says "charged" and "declined" only where the provider does, for this very order; everything else
 * is an exception, and {@link HttpFailures} says what that means. Never repeats a request by itself. Thread-safe.
 */
final class ChargeClient {
    static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);

    private static final Duration LEDGER_TIMEOUT = Duration.ofSeconds(10);

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
    private final Consumer<String> answers;
    private final String charges;
    private final Duration timeout;

    /** An answer that does not fit what was asked. Says nothing about the charge, so it is not a definite failure. */
    static final class OddAnswerException extends IOException {
        private static final long serialVersionUID = 1L;

        OddAnswerException(String message) {
            super(message);
        }
    }

    /**
     * A client.
     *
     * @param provider the address that {@code /charges} is added to
     * @param timeout how long to wait for a complete answer
     * @param answers is told what the provider answered to each charge
     */
    ChargeClient(URI provider, Duration timeout, Consumer<String> answers) {
        this.charges = provider + "/charges";
        this.timeout = timeout;
        this.answers = answers;
    }

    /** Charges an order: the call of the operation. */
    Charge charge(Order order, String nativeKey) throws IOException, InterruptedException {
        String body = JSON.createObjectNode()
                .put("reference", order.id())
                .put("amount", order.amount())
                .put("currency", order.currency())
                .put("customer", order.customer())
                .toString();
        HttpRequest request =
                post(charges, body).header("Idempotency-Key", nativeKey).build();
        HttpResponse<String> response;
        try {
            response = send(request, timeout);
        } catch (IOException e) {
            answers.accept(kind(e));
            throw e;
        }
        answers.accept(String.valueOf(response.statusCode()));
        JsonNode answer = json(response.body());
        switch (response.statusCode()) {
            case 200, 201 -> {
                Charge charge = charged(answer);
                if (charge == null || !charge.isFor(order)) {
                    throw new OddAnswerException(response.statusCode() + " without the charge of this order");
                }
                return charge;
            }
            case 402 -> {
                if (!answer.path("status").asText().equals("declined")) {
                    throw new OddAnswerException("402 without the status declined");
                }
                throw new DeclinedException(reason(answer.path("reason").asText()));
            }
            default -> throw new HttpFailures.StatusException(response.statusCode());
        }
    }

    private static String reason(String given) {
        return given.isBlank() ? "no reason given" : given.substring(0, Math.min(given.length(), 500));
    }

    private static String kind(IOException failure) {
        if (failure instanceof ConnectException || failure instanceof HttpConnectTimeoutException) {
            return "no connection";
        }
        return failure instanceof HttpTimeoutException ? "no answer in time" : "connection broken";
    }

    /** Asks for the charge of an order: the lookup of a recovery. */
    Finding<Charge> lookup(Order order) throws IOException, InterruptedException {
        String reference = URLEncoder.encode(order.id(), StandardCharsets.UTF_8).replace("+", "%20");
        HttpResponse<String> response =
                send(get(charges + "?reference=" + reference).build(), timeout);
        if (response.statusCode() != 200) {
            return Finding.unknown("the lookup was answered with status " + response.statusCode());
        }
        List<Charge> all = list(json(response.body()));
        if (all == null) {
            return Finding.unknown("the lookup's answer is no complete list of charges");
        }
        // A provider that does not know the parameter answers with more than was asked for.
        List<Charge> found = all.stream()
                .filter(charge -> charge.reference().equals(order.id()))
                .toList();
        if (found.isEmpty()) {
            return Finding.missing();
        }
        return found.size() == 1 && found.get(0).isFor(order)
                ? Finding.found(found.get(0))
                : Finding.unknown("the provider has " + found.size() + " charges of this order, or another amount");
    }

    /** Makes the provider refuse a native key for ever, unless it has charged under it: the seal of a recovery. */
    Finding<Charge> seal(Order order, String nativeKey) throws IOException, InterruptedException {
        String body = JSON.createObjectNode().put("idempotency_key", nativeKey).toString();
        HttpResponse<String> response = send(post(charges + "/seal", body).build(), timeout);
        if (response.statusCode() != 200) {
            return Finding.unknown("the seal was answered with status " + response.statusCode());
        }
        JsonNode answer = json(response.body());
        switch (answer.path("status").asText()) {
            case "sealed" -> {
                return Finding.missing();
            }
            case "found" -> {
                Charge charge = charged(answer.path("charge"));
                return charge != null && charge.isFor(order)
                        ? Finding.found(charge)
                        : Finding.unknown("the seal found something else than the charge of this order");
            }
            default -> {
                return Finding.unknown("the seal's answer says neither found nor sealed");
            }
        }
    }

    /**
     * Everything that the provider has done.
     *
     * @return null if it does not say
     * @throws ConnectException if there is no provider
     */
    @Nullable
    List<Charge> ledger() throws ConnectException, InterruptedException {
        for (int tries = 1; tries <= 3; tries++) {
            try {
                HttpResponse<String> response = send(get(charges).build(), LEDGER_TIMEOUT);
                if (response.statusCode() == 200) {
                    return list(json(response.body()));
                }
            } catch (ConnectException e) {
                throw e;
            } catch (IOException e) {
                // Asked again, and then taken for a provider that does not say.
            }
        }
        return null;
    }

    /**
     * What went wrong at the simulator, by plan: the name of each fault, with how often it was chosen.
     *
     * @throws IOException if the provider does not say, which only the simulator does
     */
    Map<String, Long> faults() throws IOException, InterruptedException {
        HttpResponse<String> response =
                send(get(charges.replaceFirst("charges$", "faults")).build(), LEDGER_TIMEOUT);
        if (response.statusCode() != 200) {
            throw new OddAnswerException(response.statusCode() + " instead of the faults");
        }
        return JSON.readValue(response.body(), new TypeReference<Map<String, Long>>() {});
    }

    private static HttpRequest.Builder get(String address) {
        return HttpRequest.newBuilder(URI.create(address)).GET();
    }

    private static HttpRequest.Builder post(String address, String body) {
        return HttpRequest.newBuilder(URI.create(address))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body));
    }

    /** The timeout covers the body as well; the one of {@link HttpRequest} ends with the headers. */
    private HttpResponse<String> send(HttpRequest request, Duration atMost) throws IOException, InterruptedException {
        CompletableFuture<HttpResponse<String>> response = http.sendAsync(request, BodyHandlers.ofString());
        try {
            return response.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("no complete answer within " + atMost);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
        } finally {
            response.cancel(true);
        }
    }

    /** A missing node for what is not JSON. */
    private static JsonNode json(String body) throws OddAnswerException {
        try {
            return JSON.readTree(body);
        } catch (JsonProcessingException e) {
            return JSON.missingNode();
        }
    }

    /** Null for what is not a list of charges, or only a part of one. */
    private static @Nullable List<Charge> list(JsonNode answer) {
        if (!answer.path("data").isArray() || answer.path("has_more").asBoolean()) {
            return null;
        }
        var list = new ArrayList<Charge>();
        for (JsonNode item : answer.path("data")) {
            Charge charge = charged(item);
            if (charge == null) {
                return null;
            }
            list.add(charge);
        }
        return list;
    }

    /** Null for what is not a charge that succeeded. */
    private static @Nullable Charge charged(JsonNode node) {
        boolean isCharge = (node.path("id").isTextual() || node.path("id").isIntegralNumber())
                && !node.path("id").asText().isBlank()
                && node.path("reference").isTextual()
                && node.path("amount").isIntegralNumber()
                && node.path("amount").canConvertToLong()
                && node.path("currency").isTextual()
                && node.path("status").asText().equals("succeeded");
        return isCharge
                ? new Charge(
                        node.path("id").asText(),
                        node.path("reference").textValue(),
                        node.path("amount").longValue(),
                        node.path("currency").textValue())
                : null;
    }
}
