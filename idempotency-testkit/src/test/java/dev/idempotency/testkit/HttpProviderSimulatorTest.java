package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class HttpProviderSimulatorTest {

    private static final String BODY =
            "{\"reference\": \"order 1/ü\", \"amount\": 1250, \"currency\": \"EUR\", \"customer\": \"c-1\"}";
    private static final Duration SLOW = Duration.ofSeconds(1);
    private static final ProviderBehavior ALL = ProviderBehavior.none()
            .withNativeKey()
            .withLookup(Duration.ofSeconds(5))
            .withSeal()
            .withInProgress409();

    private final JsonMapper json = new JsonMapper();
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final ManualClock clock = new ManualClock(Instant.EPOCH);
    private final EffectLedger ledger = EffectLedger.inMemory();
    private @Nullable HttpProviderSimulator simulator;

    private void start(ProviderBehavior behavior, Fault... faults) throws IOException {
        start(new SimulatedProvider(behavior, ledger, clock), FaultPlan.scripted(faults));
    }

    private void start(SimulatedProvider provider, FaultPlan plan) throws IOException {
        simulator = HttpProviderSimulator.start(new UnreliableProvider(provider, plan, SLOW, Duration.ofMillis(20)));
    }

    @AfterEach
    void close() {
        if (simulator != null) {
            simulator.close();
        }
    }

    private HttpRequest.Builder to(String suffix) {
        return HttpRequest.newBuilder(URI.create(simulator.charges() + suffix)).timeout(Duration.ofSeconds(20));
    }

    private HttpResponse<String> post(String key, String body) throws IOException, InterruptedException {
        return send(to("").header("Idempotency-Key", key).POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> seal(String key) throws IOException, InterruptedException {
        return send(to("/seal").POST(HttpRequest.BodyPublishers.ofString("{\"idempotency_key\": \"" + key + "\"}")));
    }

    private JsonNode read(String text) throws IOException {
        return json.readTree(text);
    }

    private static final String CHARGE = "{\"id\": \"effect-000001\", \"reference\": \"order 1/ü\", \"amount\": 1250,"
            + " \"currency\": \"EUR\", \"status\": \"succeeded\"}";

    @Test
    void faults_afterSomeRequests_areThoseOfThePlan() throws Exception {
        start(ALL, Fault.ERROR_500_BEFORE_EFFECT);
        post("k-1", BODY);
        post("k-1", BODY);

        var faults = send(HttpRequest.newBuilder(simulator.charges().resolve("/faults")));

        assertThat(read(faults.body())).isEqualTo(read("{\"none\": 1, \"error-before\": 1}"));
    }

    @Test
    void post_new_answers201WithTheCharge() throws Exception {
        start(ALL);
        var response = post("k", BODY);

        assertThat(response.statusCode()).isEqualTo(201);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
        assertThat(read(response.body())).isEqualTo(read(CHARGE));
        assertThat(ledger.effects()).extracting(Effect::nativeKey).containsExactly("k");
    }

    @Test
    void post_sameKey_answers200WithTheSameCharge() throws Exception {
        start(ALL);
        var first = post("k", BODY);
        var second =
                post("k", "{\"customer\":\"c-1\",\"currency\":\"EUR\",\"amount\":1250,\"reference\":\"order 1/ü\"}");

        assertThat(second.statusCode()).isEqualTo(200);
        assertThat(second.body()).isEqualTo(first.body());
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void post_sameKeyOtherBody_answers422() throws Exception {
        start(ALL);
        post("k", BODY);

        var response = post("k", BODY.replace("1250", "1251"));
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(read(response.body())).isEqualTo(read("{\"error\": \"key_reused\"}"));
    }

    @Test
    void post_declinedByRule_answers402WithAReason() throws Exception {
        start(new SimulatedProvider(ALL, ledger, clock, submission -> true), FaultPlan.none());
        var response = post("k", BODY);

        assertThat(response.statusCode()).isEqualTo(402);
        assertThat(read(response.body()).path("status").textValue()).isEqualTo("declined");
        assertThat(read(response.body()).path("reason").textValue()).isNotBlank();
        assertThat(ledger.count()).isZero();
    }

    @Test
    void post_withoutKey_isMalformedOnlyWhenKeysAreOn() throws Exception {
        start(ALL);
        var request = to("").POST(HttpRequest.BodyPublishers.ofString(BODY));
        assertThat(send(request).statusCode()).isEqualTo(400);
        assertThat(ledger.count()).isZero();
        close();

        start(ProviderBehavior.none());
        var keyless = to("").POST(HttpRequest.BodyPublishers.ofString(BODY));
        assertThat(send(keyless).statusCode()).isEqualTo(201);
        assertThat(ledger.effects()).extracting(Effect::nativeKey).containsExactly((String) null);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "[]",
                "{}",
                "{\"reference\": \"a\", \"amount\": 1, \"currency\": \"EUR\", \"customer\": \"c\"} x",
                "{\"reference\": \"a\", \"reference\": \"b\", \"amount\": 1, \"currency\": \"EUR\", \"customer\": \"c\"}",
                "{\"reference\": \"a\", \"amount\": 1, \"currency\": \"EUR\", \"customer\": \"c\", \"more\": 1}",
                "{\"reference\": \"a\", \"amount\": 1, \"currency\": \"EUR\"}",
                "{\"reference\": \"\", \"amount\": 1, \"currency\": \"EUR\", \"customer\": \"c\"}",
                "{\"reference\": 7, \"amount\": 1, \"currency\": \"EUR\", \"customer\": \"c\"}",
                "{\"reference\": \"a\", \"amount\": \"1\", \"currency\": \"EUR\", \"customer\": \"c\"}",
                "{\"reference\": \"a\", \"amount\": 1.5, \"currency\": \"EUR\", \"customer\": \"c\"}",
                "{\"reference\": \"a\", \"amount\": 0, \"currency\": \"EUR\", \"customer\": \"c\"}",
                "{\"reference\": \"a\", \"amount\": 9223372036854775808, \"currency\": \"EUR\", \"customer\": \"c\"}",
                "{\"reference\": \"a\", \"amount\": 1, \"currency\": \"euro\", \"customer\": \"c\"}",
            })
    void post_malformed_answers400WithoutAnEffectOrAStackTrace(String body) throws Exception {
        start(ALL);
        var response = post("k", body);

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(read(response.body()).path("error").textValue()).isEqualTo("malformed");
        assertThat(response.body()).doesNotContain("Exception").doesNotContain("at dev");
        assertThat(ledger.count()).isZero();
    }

    @Test
    void post_valuesAtTheirLimits_areAllowed() throws Exception {
        start(ALL);
        var reference = "r".repeat(255);

        assertThat(post("k".repeat(255), BODY.replace("order 1/ü", reference).replace("1250", "1"))
                        .statusCode())
                .isEqualTo(201);
        assertThat(post("k".repeat(256), BODY).statusCode()).isEqualTo(400);
        assertThat(post("k", BODY.replace("order 1/ü", reference + "r")).statusCode())
                .isEqualTo(400);
    }

    @Test
    void close_whileAnAnswerIsHeldBack_dropsItAndStopsListening() throws Exception {
        start(ALL, Fault.SLOW_PAST_TIMEOUT);
        send(to(""));
        var pending = client.sendAsync(
                to("").header("Idempotency-Key", "k")
                        .POST(HttpRequest.BodyPublishers.ofString(BODY))
                        .build(),
                BodyHandlers.ofString());
        while (ledger.count() == 0) {
            Thread.onSpinWait();
        }
        simulator.close();

        assertThat(pending)
                .failsWithin(Duration.ofSeconds(20))
                .withThrowableThat()
                .withCauseInstanceOf(IOException.class);
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> send(to("")));
    }

    @Test
    void post_bodyOverTheLimit_answers413() throws Exception {
        start(ALL);
        var padding = " ".repeat(64 * 1024 - BODY.getBytes(StandardCharsets.UTF_8).length);

        assertThat(post("k", BODY + padding).statusCode()).isEqualTo(201);
        assertThat(post("k2", BODY + padding + " ").statusCode()).isEqualTo(413);
        assertThat(ledger.count()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(names = {"REPLY_LOST_AFTER_EFFECT", "RESET_AFTER_EFFECT", "RESET_BEFORE_EFFECT"})
    void post_dropped_clientSeesTheConnectionEnd(Fault fault) throws Exception {
        start(ALL, Fault.NONE, fault);
        post("warm up the connection", BODY);

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> post("k", BODY))
                .isNotInstanceOf(HttpTimeoutException.class);
        assertThat(ledger.effectsUnder("k")).hasSize(fault == Fault.RESET_BEFORE_EFFECT ? 0 : 1);
        assertThat(post("k", BODY).statusCode()).isEqualTo(fault == Fault.RESET_BEFORE_EFFECT ? 201 : 200);
    }

    @Test
    void post_firstOnItsConnectionDropped_clientSeesTheConnectionEnd() throws Exception {
        start(ALL, Fault.REPLY_LOST_AFTER_EFFECT);

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> post("k", BODY))
                .withMessageContaining("no bytes");
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void post_errors_answer500WithAndWithoutTheEffect() throws Exception {
        start(ALL, Fault.ERROR_500_BEFORE_EFFECT, Fault.ERROR_500_AFTER_EFFECT);

        assertThat(post("k", BODY).statusCode()).isEqualTo(500);
        assertThat(ledger.count()).isZero();
        assertThat(post("k", BODY).statusCode()).isEqualTo(500);
        assertThat(ledger.count()).isEqualTo(1);
        assertThat(post("k", BODY).statusCode()).isEqualTo(200);
    }

    @Test
    void post_refusedAndDeclinedByPlan_answer429And402() throws Exception {
        start(ALL, Fault.REFUSED_429, Fault.DECLINED_402);

        assertThat(post("k", BODY).statusCode()).isEqualTo(429);
        assertThat(post("k", BODY).statusCode()).isEqualTo(402);
        assertThat(post("k", BODY).statusCode()).isEqualTo(402);
        assertThat(ledger.count()).isZero();
    }

    @Test
    void post_slow_clientTimesOutThoughTheEffectIsThere() throws Exception {
        start(ALL, Fault.SLOW_PAST_TIMEOUT);
        send(to(""));
        var impatient = to("").header("Idempotency-Key", "k")
                .timeout(Duration.ofMillis(500))
                .POST(HttpRequest.BodyPublishers.ofString(BODY));

        assertThatExceptionOfType(HttpTimeoutException.class).isThrownBy(() -> send(impatient));
        assertThat(ledger.count()).isEqualTo(1);
        assertThat(post("k", BODY).statusCode()).isEqualTo(409);
        clock.advance(SLOW);
        assertThat(post("k", BODY).statusCode()).isEqualTo(200);
    }

    @Test
    void post_slowForAPatientClient_answersAfterTheTime() throws Exception {
        start(ALL, Fault.SLOW_PAST_TIMEOUT);
        var before = System.nanoTime();

        assertThat(post("k", BODY).statusCode()).isEqualTo(201);
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(SLOW);
    }

    @Test
    void post_manySlowAtOnce_doNotWaitForEachOther() throws Exception {
        start(ALL, Fault.SLOW_PAST_TIMEOUT);
        var before = System.nanoTime();
        var all = IntStream.range(0, 50)
                .mapToObj(i -> client.sendAsync(
                        to("").header("Idempotency-Key", "k" + i)
                                .POST(HttpRequest.BodyPublishers.ofString(BODY.replace("order 1/ü", "order-" + i)))
                                .build(),
                        BodyHandlers.ofString()))
                .toList();
        for (var one : all) {
            assertThat(one.get().statusCode()).isEqualTo(201);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(SLOW.multipliedBy(25));
    }

    @Test
    void post_delayed_landsInTheFileWithoutAnotherRequest(@TempDir Path directory) throws Exception {
        var file = directory.resolve("ledger");
        try (var onFile = EffectLedger.open(file)) {
            start(new SimulatedProvider(ALL, onFile, InstantSource.system()), FaultPlan.scripted(Fault.DELAYED_EFFECT));
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> post("k", BODY));

            while (EffectLedger.read(file).isEmpty()) {
                Thread.onSpinWait();
            }
            assertThat(EffectLedger.read(file)).extracting(Effect::nativeKey).containsExactly("k");
        }
    }

    @Test
    void post_delayed_isNotThereBeforeItsTime() throws Exception {
        start(ALL, Fault.DELAYED_EFFECT);
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> post("k", BODY));

        assertThat(read(send(to("")).body()).path("data")).isEmpty();
        clock.advance(Duration.ofMillis(20));
        assertThat(read(send(to("")).body()).path("data")).hasSize(1);
    }

    @Test
    void get_byReference_seesTheChargeAfterTheLag() throws Exception {
        start(ALL);
        post("k", BODY);
        post("k2", BODY.replace("order 1/ü", "order-2"));

        assertThat(send(to("?reference=order+1%2F%C3%BC")).body()).isEqualTo("{\"data\":[]}");
        clock.advance(Duration.ofSeconds(5));
        assertThat(read(send(to("?reference=order%201%2F%C3%BC")).body()))
                .isEqualTo(read("{\"data\": [" + CHARGE + "]}"));
    }

    @Test
    void get_withoutParameter_isTheLedgerWithoutLagOrFault() throws Exception {
        start(new SimulatedProvider(ALL, ledger, clock), FaultPlan.parse("lookup-error=1", 1));
        post("k", BODY);

        var response = send(to(""));
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(read(response.body())).isEqualTo(read("{\"data\": [" + CHARGE + "]}"));
    }

    @Test
    void get_byReferenceWithPlannedError_answers500() throws Exception {
        start(new SimulatedProvider(ALL, ledger, clock), FaultPlan.parse("lookup-error=1,max=1", 1));

        assertThat(send(to("?reference=a")).statusCode()).isEqualTo(500);
        assertThat(send(to("?reference=a")).statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"?reference=", "?reference=a&reference=b", "?other=a", "?reference=%ZZ"})
    void get_wrongParameter_answers400(String query) throws Exception {
        start(ALL);
        if (query.contains("%ZZ")) {
            // java.net.URI refuses it; the simulator must answer all the same
            try (var socket = new Socket("127.0.0.1", simulator.port())) {
                socket.getOutputStream()
                        .write(("GET /charges" + query + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
                assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                        .startsWith("HTTP/1.1 400");
            }
        } else {
            assertThat(send(to(query)).statusCode()).isEqualTo(400);
        }
    }

    @Test
    void seal_keyWithAndWithoutEffect_findsOrSeals() throws Exception {
        start(ALL);
        post("k", BODY);

        assertThat(read(seal("k").body())).isEqualTo(read("{\"status\": \"found\", \"charge\": " + CHARGE + "}"));
        assertThat(read(seal("k2").body())).isEqualTo(read("{\"status\": \"sealed\"}"));
        var refused = post("k2", BODY);
        assertThat(refused.statusCode()).isEqualTo(410);
        assertThat(read(refused.body())).isEqualTo(read("{\"error\": \"sealed\"}"));
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void seal_malformed_answers400() throws Exception {
        start(ALL);
        for (var body : new String[] {"", "{}", "{\"idempotency_key\": \"\"}", "{\"idempotency_key\": 1}"}) {
            var request = to("/seal").POST(HttpRequest.BodyPublishers.ofString(body));
            assertThat(send(request).statusCode()).isEqualTo(400);
        }
    }

    @Test
    void lookupAndSeal_switchedOff_answer404() throws Exception {
        start(ProviderBehavior.none().withNativeKey());

        assertThat(send(to("?reference=a")).statusCode()).isEqualTo(404);
        assertThat(seal("k").statusCode()).isEqualTo(404);
        assertThat(send(to("")).statusCode()).isEqualTo(200);
        assertThat(ledger.isSealed("k")).isFalse();
    }

    @Test
    void request_unknownPathOrMethod_answers404() throws Exception {
        start(ALL);

        assertThat(send(to("/other")).statusCode()).isEqualTo(404);
        assertThat(send(to("x")).statusCode()).isEqualTo(404);
        assertThat(send(to("").DELETE()).statusCode()).isEqualTo(404);
    }

    @Test
    void post_ledgerBroken_answers500WithoutAStackTrace(@TempDir Path directory) throws Exception {
        var broken = EffectLedger.open(directory.resolve("ledger"));
        start(new SimulatedProvider(ALL, broken, clock), FaultPlan.none());
        broken.close();
        var response = post("k", BODY);

        assertThat(response.statusCode()).isEqualTo(500);
        assertThat(read(response.body())).isEqualTo(read("{\"error\": \"internal\"}"));
    }
}
