package dev.idempotency.testkit.junit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.idempotency.Attempt;
import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.HttpFailures;
import dev.idempotency.ProviderProfile;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.HttpProviderSimulator;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.UnreliableProvider;
import dev.idempotency.testkit.app.BrokenAdapters;
import dev.idempotency.testkit.app.BrokenApps.Receipt;
import dev.idempotency.testkit.app.ProviderAdapter;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The contract over real HTTP, on an adapter with the client of the JDK. */
@Execution(ExecutionMode.CONCURRENT)
final class HttpAdapterContractTest extends ProviderAdapterContract<String, Receipt> {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final ObjectMapper JSON = new ObjectMapper();

    private record Charges(HttpProviderSimulator server, URI charges) implements ProviderAdapter<String, Receipt> {
        private static HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
            return CLIENT.send(request.timeout(TIMEOUT).build(), HttpResponse.BodyHandlers.ofString());
        }

        private static HttpRequest.Builder post(URI uri, Object... fields) {
            var body = JSON.createObjectNode();
            for (int i = 0; i < fields.length; i += 2) {
                body.put((String) fields[i], (String) fields[i + 1]);
            }
            if (body.has("amount")) {
                body.put("amount", 1000);
            }
            return HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.ofString(body.toString()));
        }

        @Override
        public Receipt call(String order, Attempt attempt) throws Exception {
            var response = send(post(charges, "reference", order, "amount", "", "currency", "EUR", "customer", "Ada")
                    .header("Idempotency-Key", attempt.nativeKey()));
            if (response.statusCode() == 402) {
                throw new DeclinedException("declined");
            }
            if (response.statusCode() != 200 && response.statusCode() != 201) {
                throw new HttpFailures.StatusException(response.statusCode());
            }
            return new Receipt(JSON.readTree(response.body()).required("id").asText());
        }

        @Override
        public Finding<Receipt> lookup(String order, Attempt attempt) throws Exception {
            var response = send(HttpRequest.newBuilder(URI.create(charges + "?reference=" + order)));
            if (response.statusCode() != 200) {
                throw new HttpFailures.StatusException(response.statusCode());
            }
            JsonNode found = JSON.readTree(response.body()).required("data");
            return found.isEmpty()
                    ? Finding.missing()
                    : Finding.found(new Receipt(found.get(0).required("id").asText()));
        }

        @Override
        public Finding<Receipt> seal(String order, Attempt attempt) throws Exception {
            var response = send(post(URI.create(charges + "/seal"), "idempotency_key", attempt.nativeKey()));
            JsonNode answer = JSON.readTree(response.body());
            return answer.required("status").asText().equals("found")
                    ? Finding.found(
                            new Receipt(answer.required("charge").required("id").asText()))
                    : Finding.missing();
        }

        @Override
        public void close() {
            server.close();
        }
    }

    @Override
    protected ProviderAdapter<String, Receipt> connect(UnreliableProvider provider) throws IOException {
        var server = HttpProviderSimulator.start(provider);
        return new Charges(server, URI.create("http://127.0.0.1:" + server.port() + "/charges"));
    }

    @Override
    protected Duration tooSlow() {
        return TIMEOUT.multipliedBy(2);
    }

    @Override
    protected ProviderBehavior behavior() {
        return BrokenAdapters.behavior();
    }

    @Override
    protected String request(int number) {
        return "order-" + number;
    }

    @Override
    protected FailureClassifier failures() {
        return HttpFailures.classifier().notExecuted(429);
    }

    @Override
    protected boolean isAbout(Receipt result, Effect effect) {
        return result.id().equals(effect.effectId());
    }

    @Override
    protected ProviderProfile profile() {
        return BrokenAdapters.SOUND.profile();
    }
}
