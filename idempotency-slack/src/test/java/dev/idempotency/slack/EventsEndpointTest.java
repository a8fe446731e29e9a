package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.slack.Delivered.Transport;
import dev.idempotency.slack.Delivered.Verdict;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class EventsEndpointTest {
    private static final int MAX_BODY = 10_000;

    private final FaultyInbox store =
            new FaultyInbox(CaffeineIdempotencyStore.create().inbox());
    private final List<Delivered> told = new ArrayList<>();
    private SlackIntake intake = intake(settings -> settings);
    private EventsEndpoint endpoint = endpoint();

    private SlackIntake intake(UnaryOperator<SlackIntake.Builder> settings) {
        Inbox inbox = Inbox.builder(store, "slack").build();
        return settings.apply(SlackIntake.builder(inbox)).listener(told(told)).build();
    }

    private static SlackListener told(List<Delivered> told) {
        return new SlackListener() {
            @Override
            public void onDelivered(Delivered delivered) {
                told.add(delivered);
            }
        };
    }

    private EventsEndpoint endpoint() {
        return EventsEndpoint.builder(intake)
                .signingSecrets(Requests.SECRET)
                .maxBody(MAX_BODY)
                .clock(Requests.CLOCK)
                .build();
    }

    private void with(UnaryOperator<SlackIntake.Builder> settings) {
        intake.close();
        intake = intake(settings);
        endpoint = endpoint();
    }

    @AfterEach
    void close() {
        store.become(FaultyInbox.Mode.WORKS);
        intake.close();
    }

    private Delivered last() {
        return told.get(told.size() - 1);
    }

    private void answered(SlackResponse response, int status, Verdict verdict) {
        assertThat(response.status()).isEqualTo(status);
        assertThat(last().verdict()).isEqualTo(verdict);
        assertThat(last().status()).isEqualTo(status);
        assertThat(last().transport()).isEqualTo(Transport.HTTP);
        assertThat(response.headers().containsKey("X-Slack-No-Retry")).isEqualTo(verdict == Verdict.TOO_LARGE);
    }

    private List<InboxMessage> inInbox() {
        return store.claim("slack", 100, Duration.ofMinutes(5)).stream()
                .map(InboxClaim::message)
                .toList();
    }

    private static SlackRequest good() {
        return Requests.json(Fixtures.bytes("message"));
    }

    private static SlackRequest changed(UnaryOperator<Map<String, List<String>>> change) {
        byte[] body = Fixtures.bytes("message");
        return new SlackRequest(
                "POST", change.apply(Requests.headers(Requests.JSON, body)), new ByteArrayInputStream(body));
    }

    private static SlackRequest header(String name, String... values) {
        return changed(headers -> {
            headers.put(name, List.of(values));
            return headers;
        });
    }

    /* ---- The table of statuses ---- */

    @Test
    void event_new_isInTheInboxAndAnswered200() {
        answered(endpoint.handle(good()), 200, Verdict.ACCEPTED);

        assertThat(inInbox()).singleElement().satisfies(message -> {
            assertThat(message.key().value()).isEqualTo("A0LANTERN:Ev0MESSAGE");
            assertThat(message.payload()).isEqualTo(Fixtures.bytes("message"));
            assertThat(message.attributes()).isEqualTo(Map.of("transport", "HTTP", "retry", "0", "type", "message"));
        });
    }

    @Test
    void event_deliveredBefore_is200AndStaysOne() {
        endpoint.handle(good());

        answered(endpoint.handle(good()), 200, Verdict.DUPLICATE);

        assertThat(inInbox()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"something_new\"}",
                "{}",
                "{\"type\":\"event_callback\",\"api_app_id\":\"A\",\"event_id\":\"E\",\"team_id\":\"T0UNKNOWN\","
                        + "\"event\":{\"type\":\"something_new\"}}"
            })
    void event_ofUnknownType_is200AndInTheInbox(String json) {
        answered(endpoint.handle(Requests.json(json)), 200, Verdict.ACCEPTED);

        assertThat(inInbox()).hasSize(1);
    }

    @Test
    void urlVerification_isAnsweredWithTheChallengeAsPlainText() {
        SlackResponse response = endpoint.handle(Requests.json(Fixtures.bytes("url_verification")));

        answered(response, 200, Verdict.CHALLENGED);
        assertThat(response.body()).isEqualTo("c0-challenge-<script>");
        assertThat(response.headers())
                .isEqualTo(Map.of("Content-Type", "text/plain; charset=utf-8", "X-Content-Type-Options", "nosniff"));
        assertThat(inInbox()).isEmpty();
    }

    @Test
    void urlVerification_withTheStoreDown_isAnsweredAllTheSame() {
        store.become(FaultyInbox.Mode.FAILS);

        answered(endpoint.handle(Requests.json(Fixtures.bytes("url_verification"))), 200, Verdict.CHALLENGED);
    }

    @Test
    void urlVerification_unsigned_isNotAnswered() {
        byte[] body = Fixtures.bytes("url_verification");

        SlackResponse response = endpoint.handle(new SlackRequest("POST", Map.of(), new ByteArrayInputStream(body)));

        answered(response, 401, Verdict.UNSIGNED);
        assertThat(response.body()).isEmpty();
    }

    @Test
    void rateLimit_is200AndInTheInboxOnce() {
        answered(endpoint.handle(Requests.json(Fixtures.bytes("app_rate_limited"))), 200, Verdict.ACCEPTED);
        answered(endpoint.handle(Requests.json(Fixtures.bytes("app_rate_limited"))), 200, Verdict.DUPLICATE);

        assertThat(last().type()).isEqualTo("app_rate_limited");
    }

    @Test
    void signature_bad_is401AndNothingIsKept() {
        answered(
                endpoint.handle(changed(headers -> {
                    headers.remove("X-Slack-Signature");
                    return headers;
                })),
                401,
                Verdict.UNSIGNED);
        answered(endpoint.handle(header("X-Slack-Signature", "v0=" + "0".repeat(64))), 401, Verdict.FORGED);
        byte[] body = Fixtures.bytes("message");
        for (long when : List.of(Requests.NOW - 301, Requests.NOW + 301)) {
            answered(
                    endpoint.handle(new SlackRequest(
                            "POST", Requests.headers(Requests.JSON, body, when), new ByteArrayInputStream(body))),
                    401,
                    Verdict.EXPIRED);
        }
        answered(
                endpoint.handle(changed(headers -> {
                    headers.put("X-Slack-Signature", List.of(Requests.sign("another", Requests.NOW, body)));
                    return headers;
                })),
                401,
                Verdict.FORGED);

        assertThat(inInbox()).isEmpty();
        assertThat(store.offers).hasValue(0);
    }

    @Test
    void signature_saidTwice_is401() {
        String good = good().headers().get("x-slack-signature").get(0);

        answered(endpoint.handle(header("X-Slack-Signature", good, good)), 401, Verdict.UNSIGNED);
        answered(endpoint.handle(header("x-slack-signature", good)), 401, Verdict.UNSIGNED);
        String then = Long.toString(Requests.NOW);
        answered(endpoint.handle(header("X-Slack-Request-Timestamp", then, then)), 401, Verdict.UNSIGNED);
    }

    @Test
    void signature_isOfTheBodyAsItCame() {
        byte[] latin1 = "{\"type\":\"f\u00e4hre\"}".getBytes(StandardCharsets.ISO_8859_1);

        answered(endpoint.handle(Requests.json(latin1)), 200, Verdict.MALFORMED);

        assertThat(inInbox())
                .singleElement()
                .satisfies(message -> assertThat(message.payload()).isEqualTo(latin1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "hello", "{\"type\":\"event_callback\"}"})
    void event_malformedButSigned_is200AndInTheInboxForSomebodyToSee(String body) {
        answered(endpoint.handle(Requests.json(body)), 200, Verdict.MALFORMED);
        answered(endpoint.handle(Requests.json(body)), 200, Verdict.MALFORMED);

        assertThat(inInbox()).singleElement().satisfies(message -> {
            assertThat(message.key().value()).startsWith("bytes:");
            assertThat(message.payload()).isEqualTo(body.getBytes(StandardCharsets.UTF_8));
            assertThat(message.attributes()).isEqualTo(Map.of("transport", "HTTP", "retry", "0"));
        });
    }

    @Test
    void store_down_is503AndSlackIsToRetry() {
        store.become(FaultyInbox.Mode.FAILS);

        answered(endpoint.handle(good()), 503, Verdict.FAILED);
        answered(endpoint.handle(Requests.json("{")), 503, Verdict.FAILED);

        store.become(FaultyInbox.Mode.WORKS);
        answered(endpoint.handle(good()), 200, Verdict.ACCEPTED);
    }

    @Test
    void store_thatKeptWhatItFailedOn_answersTheRetryAsADuplicate() {
        store.become(FaultyInbox.Mode.LIES);
        answered(endpoint.handle(good()), 503, Verdict.FAILED);
        store.become(FaultyInbox.Mode.WORKS);

        answered(endpoint.handle(good()), 200, Verdict.DUPLICATE);

        assertThat(inInbox()).hasSize(1);
    }

    @Test
    void store_thatHangs_is503WithinTheBudget() {
        with(settings -> settings.budget(Duration.ofMillis(50)));
        store.become(FaultyInbox.Mode.HANGS);

        answered(endpoint.handle(good()), 503, Verdict.FAILED);

        assertThat(last().took()).isGreaterThanOrEqualTo(Duration.ofMillis(50));
    }

    /** What is left of the budget after the body counts, not the budget. */
    @Test
    void body_slowerThanTheBudget_is503AndTheStoreIsNotAsked() {
        with(settings -> settings.budget(Duration.ofMillis(1)));
        byte[] body = Fixtures.bytes("message");
        var slow = new InputStream() {
            private final InputStream from = new ByteArrayInputStream(body);

            @Override
            public int read() throws IOException {
                long end = System.nanoTime() + Duration.ofMillis(5).toNanos();
                while (System.nanoTime() < end) {
                    Thread.onSpinWait();
                }
                return from.read();
            }

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                into[offset] = 0;
                int one = read();
                if (one < 0) {
                    return -1;
                }
                into[offset] = (byte) one;
                return 1 + Math.max(0, from.read(into, offset + 1, length - 1));
            }
        };

        SlackResponse response = endpoint.handle(new SlackRequest("POST", Requests.headers(Requests.JSON, body), slow));

        answered(response, 503, Verdict.SHED);
        assertThat(store.offers).hasValue(0);
    }

    @Test
    void body_largerThanTheCapAsDeclared_is413AndNotRead() {
        var body = new Requests.Counting(new byte[MAX_BODY + 1]);

        SlackResponse response = endpoint.handle(
                new SlackRequest("POST", Requests.headers(Requests.JSON, new byte[MAX_BODY + 1]), body));

        answered(response, 413, Verdict.TOO_LARGE);
        assertThat(response.headers()).containsEntry("X-Slack-No-Retry", "1");
        assertThat(body.read).isZero();
    }

    @Test
    void body_largerThanItSays_is413AndReadOneByteBeyondTheCap() {
        byte[] large = new byte[2 * MAX_BODY];
        for (String declared : List.of("", "0", "17", Integer.toString(MAX_BODY))) {
            var body = new Requests.Counting(large);
            Map<String, List<String>> headers = Requests.headers(Requests.JSON, large);
            headers.put("Content-Length", declared.isEmpty() ? List.of() : List.of(declared));

            answered(endpoint.handle(new SlackRequest("POST", headers, body)), 413, Verdict.TOO_LARGE);

            assertThat(body.read).as(declared).isEqualTo(MAX_BODY + 1);
        }
    }

    @Test
    void body_exactlyAsLargeAsAllowed_isTaken() {
        String json = "{\"type\":\"x\",\"a\":\"" + "a".repeat(MAX_BODY - 19) + "\"}";
        assertThat(json).hasSize(MAX_BODY);

        answered(endpoint.handle(Requests.json(json)), 200, Verdict.ACCEPTED);
    }

    @Test
    void body_endless_isReadToTheCap() {
        var body = new Requests.Counting(new InputStream() {
            @Override
            public int read() {
                return 'a';
            }
        });

        answered(endpoint.handle(new SlackRequest("POST", Map.of(), body)), 413, Verdict.TOO_LARGE);

        assertThat(body.read).isEqualTo(MAX_BODY + 1);
    }

    @Test
    void body_thatBreaksOff_is400AndNotCalledForged() {
        byte[] body = Fixtures.bytes("message");
        byte[] half = Arrays.copyOf(body, body.length / 2);
        var failing = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("connection reset");
            }
        };
        var refusing = new InputStream() {
            @Override
            public int read() {
                throw new IllegalStateException("bad chunk");
            }
        };
        for (InputStream broken : List.of(
                new ByteArrayInputStream(half),
                failing,
                new SequenceInputStream(new ByteArrayInputStream(half), failing),
                refusing)) {
            answered(
                    endpoint.handle(new SlackRequest("POST", Requests.headers(Requests.JSON, body), broken)),
                    400,
                    Verdict.UNREADABLE);
        }
        assertThat(inInbox()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "abc", "1.5", "0x10", " 5", "5,5"})
    void contentLength_thatIsNone_is400(String length) {
        answered(endpoint.handle(header("Content-Length", length)), 400, Verdict.UNREADABLE);
    }

    @Test
    void contentLength_beyondAllNumbers_is413() {
        answered(endpoint.handle(header("Content-Length", "9".repeat(40))), 413, Verdict.TOO_LARGE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "post", ""})
    void method_otherThanPost_is405AndTheBodyIsNotRead(String method) {
        byte[] body = Fixtures.bytes("message");
        var counting = new Requests.Counting(body);

        SlackResponse response =
                endpoint.handle(new SlackRequest(method, Requests.headers(Requests.JSON, body), counting));

        answered(response, 405, Verdict.UNREADABLE);
        assertThat(response.headers()).isEqualTo(Map.of("Allow", "POST"));
        assertThat(counting.read).isZero();
    }

    /* ---- Retries ---- */

    @Test
    void retry_isToldAndKeptAsAttributesAndNotTakenForADuplicate() {
        answered(
                endpoint.handle(changed(headers -> {
                    headers.put("X-Slack-Retry-Num", List.of("2"));
                    headers.put("x-slack-retry-reason", List.of("http_timeout"));
                    return headers;
                })),
                200,
                Verdict.ACCEPTED);

        assertThat(last().retry()).isEqualTo(2);
        assertThat(last().retryReason()).isEqualTo("http_timeout");
        assertThat(inInbox())
                .singleElement()
                .satisfies(message -> assertThat(message.attributes())
                        .containsEntry("retry", "2")
                        .containsEntry("retry_reason", "http_timeout"));
    }

    @Test
    void retry_ofAnythingElse_countsAsNone() {
        for (String retry : List.of("", "x", "-1", "1e3", "99999999999")) {
            endpoint.handle(header("X-Slack-Retry-Num", retry));

            assertThat(last().retry()).as(retry).isZero();
        }
    }

    @Test
    void retryReason_ofAnyLength_isCutAndStorable() {
        answered(
                endpoint.handle(header("X-Slack-Retry-Reason", "\u8239\u0000\ud800".repeat(1_000))),
                200,
                Verdict.ACCEPTED);

        assertThat(last().retryReason()).hasSizeLessThanOrEqualTo(100);
        assertThat(inInbox().get(0).attributes().get("retry_reason")).matches("\\?{1,100}");
    }

    /** Who is not Slack cannot fill the metrics with reasons. */
    @Test
    void retry_unsigned_isNotTold() {
        endpoint.handle(changed(headers -> {
            headers.put("X-Slack-Retry-Num", List.of("3"));
            headers.put("X-Slack-Retry-Reason", List.of("anything"));
            headers.put("X-Slack-Signature", List.of("v0="));
            return headers;
        }));

        assertThat(last().retry()).isZero();
        assertThat(last().retryReason()).isEmpty();
        assertThat(last().type()).isEmpty();
    }

    @Test
    void delivered_saysHowLateItIs() {
        endpoint.handle(good());
        assertThat(last().late()).isEqualTo(Duration.ofSeconds(1));

        for (String time : List.of("0", "-5", "1767299999", "9223372036854775807", "1e99", "\"x\"", "{}")) {
            endpoint.handle(Requests.json("{\"type\":\"event_callback\",\"event\":{},\"event_time\":" + time + "}"));
            assertThat(last().late()).as(time).isEqualTo(Duration.ZERO);
        }
    }

    @Test
    void attributes_ofHostileTypes_areStorable() {
        ObjectNode json = Fixtures.json("message");
        json.withObject("/event").put("type", "\u8239\u0000".repeat(100)).put("subtype", "x".repeat(500));

        answered(endpoint.handle(Requests.json(json.toString())), 200, Verdict.ACCEPTED);

        assertThat(inInbox().get(0).attributes())
                .containsEntry("type", "?".repeat(100))
                .containsEntry("subtype", "x".repeat(100));
    }

    /* ---- Forms ---- */

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static String form(JsonNode fields) {
        return fields.properties().stream()
                .map(field ->
                        encoded(field.getKey()) + "=" + encoded(field.getValue().asText()))
                .collect(Collectors.joining("&"));
    }

    @Test
    void slashCommand_becomesWhatSocketModeDelivers() {
        answered(endpoint.handle(Requests.form(form(Fixtures.json("slash_command")))), 200, Verdict.ACCEPTED);

        assertThat(last().type()).isEqualTo("/ferry");
        assertThat(inInbox()).singleElement().satisfies(message -> {
            assertThat(SlackEvent.parse(message.payload())).isEqualTo(Fixtures.event("slash_command"));
            assertThat(message.key().value()).isEqualTo("A0LANTERN:command:1.2.trigger-of-the-command");
            assertThat(message.attributes()).containsEntry("type", "/ferry");
        });
    }

    @Test
    void interaction_becomesWhatSocketModeDelivers() {
        for (String name : List.of("block_actions", "view_submission", "shortcut")) {
            String body = "payload=" + encoded(Fixtures.json(name).toString());

            answered(endpoint.handle(Requests.form(body)), 200, Verdict.ACCEPTED);

            assertThat(inInbox())
                    .singleElement()
                    .satisfies(message ->
                            assertThat(SlackEvent.parse(message.payload())).isEqualTo(Fixtures.event(name)));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/x-www-form-urlencoded",
                "Application/X-WWW-Form-URLEncoded",
                "application/x-www-form-urlencoded; charset=utf-8"
            })
    void form_howeverItsTypeIsWritten_isAForm(String contentType) {
        byte[] body = form(Fixtures.json("slash_command")).getBytes(StandardCharsets.UTF_8);

        answered(
                endpoint.handle(
                        new SlackRequest("POST", Requests.headers(contentType, body), new ByteArrayInputStream(body))),
                200,
                Verdict.ACCEPTED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"payload=%", "payload=%zz", "payload=not+json", "payload=", "payload=%5B%5D"})
    void form_malformedButSigned_isInTheInboxAsItCame(String body) {
        answered(endpoint.handle(Requests.form(body)), 200, Verdict.MALFORMED);

        assertThat(inInbox())
                .singleElement()
                .satisfies(message -> assertThat(message.payload())
                        .asString(StandardCharsets.UTF_8)
                        .isEqualTo(body));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "&&&", "ssl_check=1&token=unused&command=%2Fx", "=", "a=b=c&a=d&e"})
    void form_thatIsNothingKnown_is200(String body) {
        answered(endpoint.handle(Requests.form(body)), 200, Verdict.ACCEPTED);
    }

    /** docs.slack.dev/interactivity/implementing-slash-commands: "ssl_check". Nobody signs it. */
    @ParameterizedTest
    @ValueSource(strings = {"ssl_check=1", "ssl_check=1&token=abc", "token=abc&ssl_check=1"})
    void urlOfACommand_isAcceptedBySlack(String check) {
        var form = Map.of("Content-Type", List.of(Requests.FORM));
        byte[] body = check.getBytes(StandardCharsets.UTF_8);

        SlackResponse post = endpoint.handle(new SlackRequest("POST", form, new ByteArrayInputStream(body)));
        SlackResponse get =
                endpoint.handle(new SlackRequest("GET", Map.of(), new ByteArrayInputStream(new byte[0]), check));

        answered(post, 200, Verdict.CHALLENGED);
        answered(get, 200, Verdict.CHALLENGED);
        assertThat(post.body() + get.body()).isEmpty();
        assertThat(inInbox()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ssl_check=1&command=%2Fdeploy",
                "ssl_check=0",
                "ssl_check=11",
                "command=x&ssl_check=1",
                "ssl_check=1&"
            })
    void commandThatPretendsToBeACheck_needsItsSignature(String body) {
        var form = Map.of("Content-Type", List.of(Requests.FORM));

        answered(
                endpoint.handle(new SlackRequest(
                        "POST", form, new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)))),
                401,
                Verdict.UNSIGNED);
        answered(
                endpoint.handle(new SlackRequest("GET", form, new ByteArrayInputStream(new byte[0]), body)),
                405,
                Verdict.UNREADABLE);
    }

    /* ---- Responses ---- */

    @Test
    void response_toACommand_isJson() {
        with(settings -> settings.responding(
                event -> SlackEvent.JSON.createObjectNode().put("text", "on its way, " + event.user() + " \u8239")));

        SlackResponse response = endpoint.handle(Requests.form(form(Fixtures.json("slash_command"))));

        answered(response, 200, Verdict.ACCEPTED);
        assertThat(response.headers()).isEqualTo(Map.of("Content-Type", "application/json; charset=utf-8"));
        assertThat(response.body()).isEqualTo("{\"text\":\"on its way, U0ADA \u8239\"}");
        assertThat(endpoint.handle(Requests.form(form(Fixtures.json("slash_command")))))
                .as("to a duplicate, too")
                .isEqualTo(response);
    }

    @Test
    void response_toAnEvent_isEmpty() {
        with(settings -> settings.responding(event -> SlackEvent.JSON.createObjectNode()));

        SlackResponse response = endpoint.handle(good());

        assertThat(response.headers()).isEmpty();
        assertThat(response.body()).isEmpty();
    }

    @Test
    void response_thatFails_isABareAcknowledgement() {
        with(settings -> settings.responding(event -> {
            throw new IllegalStateException("simulated");
        }));

        SlackResponse response = endpoint.handle(Requests.form(form(Fixtures.json("slash_command"))));

        answered(response, 200, Verdict.ACCEPTED);
        assertThat(response.body()).isEmpty();
    }

    static Stream<Throwable> errors() {
        return Stream.of(
                new NoClassDefFoundError("simulated"), new StackOverflowError(), new AssertionError("simulated"));
    }

    @ParameterizedTest
    @MethodSource("errors")
    void response_thatEndsInAnError_isABareAcknowledgementToo(Error error) {
        with(settings -> settings.responding(event -> {
            throw error;
        }));

        SlackResponse response = endpoint.handle(Requests.form(form(Fixtures.json("slash_command"))));

        answered(response, 200, Verdict.ACCEPTED);
        assertThat(response.body()).isEmpty();
    }

    @Test
    void response_thatTakesTooLong_doesNotKeepTheAcknowledgementBack() throws Exception {
        var mayEnd = new CountDownLatch(1);
        var ended = new CountDownLatch(1);
        with(settings -> settings.budget(Duration.ofMillis(200)).responding(event -> {
            try {
                mayEnd.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            ended.countDown();
            return SlackEvent.JSON.createObjectNode().put("text", "too late");
        }));

        SlackResponse response = assertTimeoutPreemptively(
                Duration.ofMinutes(1), () -> endpoint.handle(Requests.form(form(Fixtures.json("slash_command")))));

        answered(response, 200, Verdict.ACCEPTED);
        assertThat(response.body()).isEmpty();
        mayEnd.countDown();
        assertThat(ended.await(1, TimeUnit.MINUTES)).as("it ran to its end").isTrue();
    }

    @Test
    void response_thatIsJsonsNull_isABareAcknowledgement() {
        with(settings -> settings.responding(event -> NullNode.getInstance()));

        SlackResponse response = endpoint.handle(Requests.form(form(Fixtures.json("slash_command"))));

        assertThat(response.body()).isEmpty();
        assertThat(response.headers()).isEmpty();
    }

    @Test
    void response_whenNothingWasKept_isNotAskedFor() {
        var asked = new ArrayList<SlackEvent>();
        with(settings -> settings.responding(event -> {
            asked.add(event);
            return null;
        }));
        store.become(FaultyInbox.Mode.FAILS);

        answered(endpoint.handle(Requests.form(form(Fixtures.json("slash_command")))), 503, Verdict.FAILED);

        assertThat(asked).isEmpty();
    }

    /* ---- The rest ---- */

    @Test
    void listener_thatFails_changesNothing() {
        with(settings -> settings.listener(new SlackListener() {
            @Override
            public void onDelivered(Delivered delivered) {
                throw new IllegalStateException("simulated");
            }
        }));

        answered(endpoint.handle(good()), 200, Verdict.ACCEPTED);
    }

    @Test
    void secrets_twoWhileOneReplacesTheOther_areBothGood() {
        endpoint = EventsEndpoint.builder(intake)
                .signingSecrets("the new one", Requests.SECRET)
                .clock(Requests.CLOCK)
                .build();

        answered(endpoint.handle(good()), 200, Verdict.ACCEPTED);
        byte[] body = Fixtures.bytes("app_mention");
        answered(endpoint.handle(changed(headers -> headers)), 200, Verdict.DUPLICATE);
        Map<String, List<String>> headers = Requests.headers(Requests.JSON, body);
        headers.put("X-Slack-Signature", List.of(Requests.sign("the new one", Requests.NOW, body)));
        answered(
                endpoint.handle(new SlackRequest("POST", headers, new ByteArrayInputStream(body))),
                200,
                Verdict.ACCEPTED);
    }

    @Test
    void settings_thatCannotBe_areRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EventsEndpoint.builder(intake).build())
                .withMessageContaining("signingSecrets");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> EventsEndpoint.builder(intake).signingSecrets("").build());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EventsEndpoint.builder(intake).maxBody(0));
    }

    @Test
    void request_namesNoSecrets() {
        assertThat(good().toString()).isEqualTo("SlackRequest[POST]");
    }
}
