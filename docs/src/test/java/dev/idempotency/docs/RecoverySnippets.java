package dev.idempotency.docs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.idempotency.Attempt;
import dev.idempotency.Finding;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

/** Lookup and seal over HTTP. */
final class RecoverySnippets {
    // tag::profile[]
    static final ProviderProfile SHOP = ProviderProfile.of(
            "shop", "their manual, chapter 3", ProviderProfile.KeyFormat.uuid(), Duration.ofHours(24));
    // end::profile[]

    private final HttpClient http = HttpClient.newHttpClient();
    private final JsonMapper json = new JsonMapper();
    private final URI charges;

    RecoverySnippets(URI charges) {
        this.charges = charges;
    }

    Recovery<ChargeRequest, Charge> lookup(Duration transit, Duration lag) {
        return Recovery.lookupThenReexecute(this::lookup, Quiescence.of(transit, lag));
    }

    Recovery<ChargeRequest, Charge> seal() {
        return Recovery.seal(this::seal);
    }

    // tag::lookup[]
    Finding<Charge> lookup(ChargeRequest request, Attempt attempt) throws IOException, InterruptedException {
        String reference = URLEncoder.encode(request.orderId(), StandardCharsets.UTF_8);
        var response = http.send(
                HttpRequest.newBuilder(URI.create(charges + "?reference=" + reference))
                        .build(),
                BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            return Finding.unknown("status " + response.statusCode());
        }
        JsonNode answer = json.readTree(response.body());
        JsonNode found = answer.path("data");
        if (!found.isArray() || answer.path("has_more").asBoolean()) {
            return Finding.unknown("not a complete list");
        }
        if (found.isEmpty()) {
            return Finding.missing();
        }
        JsonNode charge = found.get(0);
        return found.size() == 1 && charge.path("amount").asLong() == request.amount()
                ? Finding.found(new Charge(charge.path("id").asText(), request.amount()))
                : Finding.unknown("several charges, or another amount");
    }
    // end::lookup[]

    // tag::seal[]
    Finding<Charge> seal(ChargeRequest request, Attempt attempt) throws IOException, InterruptedException {
        var body = json.writeValueAsString(Map.of("idempotency_key", attempt.nativeKey()));
        var response = http.send(
                HttpRequest.newBuilder(URI.create(charges + "/seal"))
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
        JsonNode answer = json.readTree(response.body());
        return switch (answer.path("status").asText()) {
            case "sealed" -> Finding.missing(); // and refused for ever
            case "found" ->
                Finding.found(new Charge(answer.path("charge").path("id").asText(), request.amount()));
            default -> Finding.unknown("status " + response.statusCode());
        };
    }
    // end::seal[]
}
