package com.example.shop;

import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClassifier;
import dev.idempotency.HttpFailures;
import java.io.IOException;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Map;
import org.springframework.http.MediaType;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.stereotype.Component;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;

/** The provider over HTTP. Returns only what it has definitely charged, and never repeats a request by itself. */
@Component
class ChargeClient {
    private final RestClient http;

    ChargeClient(ShopSettings settings) {
        // tag::client[]
        var jdk = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(Duration.ofSeconds(2))
                .build();
        var requests = new JdkClientHttpRequestFactory(jdk);
        requests.setReadTimeout(Duration.ofSeconds(10));
        http = RestClient.builder()
                .baseUrl(settings.providerUrl().toString())
                .requestFactory(requests)
                .build();
        // end::client[]
    }

    // tag::charge[]
    Charge charge(Order order, String nativeKey) {
        return http.post()
                .uri("/charges")
                .header("Idempotency-Key", nativeKey)
                .contentType(MediaType.APPLICATION_JSON)
                .body(Map.of(
                        "reference", order.orderId(),
                        "amount", order.amount(),
                        "currency", order.currency(),
                        "customer", order.customer()))
                .exchange(
                        (request, response) -> switch (response.getStatusCode().value()) {
                            case 200, 201 -> of(order, response.bodyTo(Charge.class));
                            case 402 -> throw new DeclinedException("card declined");
                            default ->
                                throw new HttpFailures.StatusException(
                                        response.getStatusCode().value());
                        });
    }

    private static Charge of(Order order, Charge charge) throws IOException {
        if (charge == null || !order.orderId().equals(charge.reference())) {
            throw new IOException("not the charge that was asked for"); // says nothing: in doubt
        }
        return charge;
    }

    /** RestClient wraps what the connection threw; the classifier wants to see that. */
    static FailureClassifier failures() {
        var byHttp = HttpFailures.classifier().notExecuted(429);
        return failure -> byHttp.classify(
                failure instanceof ResourceAccessException wrapped && wrapped.getCause() != null
                        ? wrapped.getCause()
                        : failure);
    }
    // end::charge[]
}
