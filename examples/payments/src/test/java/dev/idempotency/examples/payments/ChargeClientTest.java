package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClass;
import dev.idempotency.Finding;
import dev.idempotency.HttpFailures;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ChargeClientTest {
    private static final Order ORDER = new Order("A 1/é", "Smith", 1250, "EUR");
    private static final String GOOD =
            "{\"id\":\"c1\",\"reference\":\"A 1/é\",\"amount\":1250,\"currency\":\"EUR\",\"status\":\"succeeded\"}";

    private HttpServer server;
    private final Tally seen = new Tally();
    private ChargeClient client;
    private volatile int status = 200;
    private volatile String body = "";
    private volatile int announced;
    private volatile String asked = "";

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", exchange -> {
            asked = exchange.getRequestURI().getRawQuery();
            exchange.getRequestBody().readAllBytes();
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length + announced == 0 ? -1 : bytes.length + announced);
            exchange.getResponseBody().write(bytes);
            exchange.getResponseBody().flush();
            if (announced == 0) {
                exchange.close();
            }
        });
        server.start();
        client = new ChargeClient(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()), Duration.ofSeconds(20), seen::add);
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private void answers(int newStatus, String newBody) {
        status = newStatus;
        body = newBody;
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 201})
    void charge_answeredWithItsCharge_isCharged(int success) throws Exception {
        answers(success, GOOD);

        assertThat(client.charge(ORDER, "k")).isEqualTo(new Charge("c1", "A 1/é", 1250, "EUR"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "not json",
                "[]",
                "{}",
                "{\"id\":\"c1\",\"reference\":\"A 1/é\",\"amount\":1251,\"currency\":\"EUR\",\"status\":\"succeeded\"}",
                "{\"id\":\"c1\",\"reference\":\"B\",\"amount\":1250,\"currency\":\"EUR\",\"status\":\"succeeded\"}",
                "{\"id\":\"c1\",\"reference\":\"A 1/é\",\"amount\":1250,\"currency\":\"USD\",\"status\":\"succeeded\"}",
                "{\"id\":\"c1\",\"reference\":\"A 1/é\",\"amount\":1250,\"currency\":\"EUR\",\"status\":\"pending\"}",
                "{\"id\":\" \",\"reference\":\"A 1/é\",\"amount\":1250,\"currency\":\"EUR\",\"status\":\"succeeded\"}"
            })
    void charge_answeredWithSomethingElse_saysNothing(String odd) {
        answers(201, odd);

        assertThatThrownBy(() -> client.charge(ORDER, "k"))
                .isInstanceOf(ChargeClient.OddAnswerException.class)
                .satisfies(
                        e -> assertThat(HttpFailures.classifier().classify(e)).isEqualTo(FailureClass.AMBIGUOUS));
    }

    @Test
    void charge_declined_isAnOutcomeOnlyWithItsBody() {
        answers(402, "{\"status\":\"declined\",\"reason\":\"no funds\"}");
        assertThatThrownBy(() -> client.charge(ORDER, "k"))
                .isInstanceOfSatisfying(
                        DeclinedException.class, e -> assertThat(e.reason()).isEqualTo("no funds"));

        answers(402, "<html>pay the proxy</html>");
        assertThatThrownBy(() -> client.charge(ORDER, "k")).isInstanceOf(ChargeClient.OddAnswerException.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {202, 302, 400, 404, 408, 409, 410, 418, 422, 500, 503, 599})
    void charge_withAnyOtherStatus_saysNothing(int other) {
        answers(other, GOOD);

        assertThatThrownBy(() -> client.charge(ORDER, "k"))
                .isInstanceOf(HttpFailures.StatusException.class)
                .satisfies(
                        e -> assertThat(HttpFailures.classifier().classify(e)).isEqualTo(FailureClass.AMBIGUOUS));
        assertThat(seen.of(String.valueOf(other))).isEqualTo(1);
    }

    @Test
    void charge_whoseBodyNeverEnds_timesOut() {
        var hasty = new ChargeClient(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()), Duration.ofMillis(300), seen::add);
        answers(201, GOOD);
        announced = 1;

        assertThatThrownBy(() -> hasty.charge(ORDER, "k")).isInstanceOf(HttpTimeoutException.class);
    }

    @Test
    void lookup_ofTheCharge_findsItAmongOthers() throws Exception {
        answers(200, "{\"data\":[" + GOOD.replace("A 1/é", "B") + "," + GOOD + "]}");

        assertThat(client.lookup(ORDER)).isEqualTo(Finding.found(new Charge("c1", "A 1/é", 1250, "EUR")));
        assertThat(asked).isEqualTo("reference=A%201%2F%C3%A9");
    }

    @Test
    void lookup_ofNothing_isMissing() throws Exception {
        answers(200, "{\"data\":[]}");

        assertThat(client.lookup(ORDER)).isEqualTo(Finding.missing());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "404|{}",
                "405|{}",
                "500|{\"data\":[]}",
                "200|",
                "200|{}",
                "200|[]",
                "200|{\"data\":[{}]}",
                "200|{\"data\":[],\"has_more\":true}"
            })
    void lookup_thatWasNotAnswered_isUnknown(int other, String odd) throws Exception {
        answers(other, odd == null ? "" : odd);

        assertThat(client.lookup(ORDER)).isInstanceOf(Finding.Unknown.class);
    }

    @Test
    void lookup_ofTwoChargesOrAnotherAmount_isUnknown() throws Exception {
        answers(200, "{\"data\":[" + GOOD + "," + GOOD.replace("c1", "c2") + "]}");
        assertThat(client.lookup(ORDER)).isInstanceOf(Finding.Unknown.class);

        answers(200, "{\"data\":[" + GOOD.replace("1250", "9") + "]}");
        assertThat(client.lookup(ORDER)).isInstanceOf(Finding.Unknown.class);
    }

    @Test
    void seal_sealedOrFound_isSaidSo() throws Exception {
        answers(200, "{\"status\":\"sealed\"}");
        assertThat(client.seal(ORDER, "k")).isEqualTo(Finding.missing());

        answers(200, "{\"status\":\"found\",\"charge\":" + GOOD + "}");
        assertThat(client.seal(ORDER, "k")).isEqualTo(Finding.found(new Charge("c1", "A 1/é", 1250, "EUR")));
    }

    @Test
    void seal_thatWasNotAnswered_isUnknown() throws Exception {
        answers(404, "{\"status\":\"sealed\"}");
        assertThat(client.seal(ORDER, "k")).isInstanceOf(Finding.Unknown.class);

        answers(200, "{\"status\":\"accepted\"}");
        assertThat(client.seal(ORDER, "k")).isInstanceOf(Finding.Unknown.class);

        answers(200, "{\"status\":\"found\",\"charge\":{}}");
        assertThat(client.seal(ORDER, "k")).isInstanceOf(Finding.Unknown.class);
    }

    @Test
    void ledger_notListed_isNull() throws Exception {
        answers(404, "{}");

        assertThat(client.ledger()).isNull();
    }
}
