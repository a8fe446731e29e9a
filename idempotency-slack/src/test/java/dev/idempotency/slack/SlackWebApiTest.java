package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.idempotency.FailureClass;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.slack.FakeSlack.Fate;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SlackWebApiTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final FakeSlack slack = new FakeSlack();
    private final AtomicLong nanos = new AtomicLong();
    private final List<Long> pauses = new ArrayList<>();
    private final List<Called> called = new ArrayList<>();

    @AfterEach
    void close() {
        slack.close();
    }

    /** On a time of its own, in which only pauses pass. */
    private SlackWebApi.Builder api() {
        InstantSource wall = () -> Instant.ofEpochSecond(1_000_000).plusNanos(nanos.get());
        return SlackWebApi.builder("xoxb-test")
                .url(slack.url())
                .time(wall.withZone(ZoneOffset.UTC), nanos::get, pause -> {
                    pauses.add(pause);
                    nanos.addAndGet(pause);
                })
                .listener(new SlackListener() {
                    @Override
                    public void onCalled(Called one) {
                        called.add(one);
                    }
                });
    }

    private static Map<String, Object> hello(String channel) {
        return Map.of("channel", channel, "text", "häl & lo=?");
    }

    private static SlackApiException failure(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        return catchThrowableOfType(SlackApiException.class, call);
    }

    @Test
    void call_sendsItsArgumentsAndAnswersWhatSlackSays() throws Exception {
        var answer = api().build().call("chat.postMessage", hello("C1"));

        assertThat(answer.path("ts").asText()).isEqualTo("100.000001");
        assertThat(slack.ledger.get(0).path("text").asText()).isEqualTo("häl & lo=?");
        assertThat(called).extracting(Called::outcome).containsExactly(Called.Outcome.OK);
    }

    @Test
    void call_messagesToOneChannel_areASecondApart_andThoseToOthersAreNot() throws Exception {
        var api = api().perMinute("chat.postMessage", 600_000).build();

        api.call("chat.postMessage", hello("C1"));
        api.call("chat.postMessage", hello("C2"));
        assertThat(nanos.get()).isLessThan(SECOND);
        api.call("chat.postMessage", hello("C1"));
        assertThat(nanos.get()).isBetween(SECOND - 1, SECOND + 1_000_000);
    }

    @Test
    void call_ofOneMethod_keepsToItsRate() throws Exception {
        var api = api().perMinute("conversations.history", 6).build();

        for (int i = 0; i < 3; i++) {
            api.call("conversations.history", Map.of("channel", "C1"));
        }

        assertThat(pauses).containsExactly(10 * SECOND, 10 * SECOND);
    }

    @Test
    void call_thatWouldWaitTooLong_isNotSent() throws Exception {
        var api = api().perMinute("conversations.history", 1)
                .waitAtMost(Duration.ofSeconds(5))
                .build();
        api.call("conversations.history", Map.of("channel", "C1"));

        var failure = failure(() -> api.call("conversations.history", Map.of("channel", "C1")));

        assertThat(failure.failureClass()).isEqualTo(FailureClass.NOT_SENT);
        assertThat(slack.calls("conversations.history")).isEqualTo(1);
        assertThat(called.get(1).outcome()).isEqualTo(Called.Outcome.NOT_SENT);
    }

    @Test
    void call_toldToWait_waitsAndIsSentAgain() throws Exception {
        slack.fates.add(Fate.RATE_LIMIT);

        api().build().call("chat.postMessage", hello("C1"));

        assertThat(slack.ledger).hasSize(1);
        assertThat(nanos.get()).isGreaterThanOrEqualTo(7 * SECOND);
        assertThat(called).extracting(Called::outcome).containsExactly(Called.Outcome.RATE_LIMITED, Called.Outcome.OK);
        assertThat(called.get(1).waited()).isGreaterThanOrEqualTo(Duration.ofSeconds(7));
    }

    @Test
    void call_toldToWaitAgainAndAgain_givesUp_andSaysThatNothingWasDone() {
        slack.fates.addAll(List.of(Fate.RATE_LIMIT, Fate.RATE_LIMIT, Fate.RATE_LIMIT));

        var failure = failure(() -> api().build().call("chat.postMessage", hello("C1")));

        assertThat(failure.error()).isEqualTo("ratelimited");
        assertThat(failure.failureClass()).isEqualTo(FailureClass.NOT_EXECUTED);
        assertThat(slack.calls("chat.postMessage")).isEqualTo(3);
    }

    @Test
    void call_thatAnotherProcessWasToldToWaitWith_waitsToo() throws Exception {
        var guard = CaffeineIdempotencyStore.create().versionGuard();
        var one = api().sharing(guard, "T1").attempts(1).build();
        var other = api().sharing(guard, "T1").build();
        var elsewhere = api().sharing(guard, "T2").build();
        slack.fates.add(Fate.RATE_LIMIT);
        assertThat(failure(() -> one.call("chat.postMessage", hello("C1")))).isNotNull();
        long told = nanos.get();

        elsewhere.call("chat.postMessage", hello("C1"));
        assertThat(nanos.get()).isEqualTo(told);
        other.call("chat.postMessage", hello("C1"));
        assertThat(nanos.get() - told).isBetween(6 * SECOND, 9 * SECOND);
    }

    @Test
    void call_failures_sayWhatMayHaveBeenDone() {
        slack.fates.addAll(List.of(
                Fate.FAIL_BEFORE, Fate.FATAL_ERROR_AFTER, Fate.CUT_AFTER, Fate.UNKNOWN_ERROR, Fate.NO_SUCH_CHANNEL));
        var api = api().build();

        for (String error : List.of("http_500", "fatal_error", "no_answer", "something_new")) {
            var failure = failure(() -> api.call("chat.postMessage", hello("C1")));
            assertThat(failure.error()).isEqualTo(error);
            assertThat(failure.failureClass()).as(error).isEqualTo(FailureClass.AMBIGUOUS);
        }
        var refused = failure(() -> api.call("chat.postMessage", hello("C1")));
        assertThat(refused.failureClass()).isEqualTo(FailureClass.NOT_EXECUTED);
        assertThat(refused).hasMessage("chat.postMessage: channel_not_found (NOT_EXECUTED)");

        slack.close();
        var refusedConnection = failure(() -> api.call("chat.postMessage", hello("C1")));
        assertThat(refusedConnection.failureClass()).isEqualTo(FailureClass.NOT_SENT);
        assertThat(SlackWebApi.failures().classify(refusedConnection)).isEqualTo(FailureClass.NOT_SENT);
        assertThat(SlackWebApi.failures().classify(new IllegalStateException())).isEqualTo(FailureClass.AMBIGUOUS);
    }

    @Test
    void settings_thatMakeNoSense_areRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> SlackWebApi.builder(" "));
        assertThatIllegalArgumentException().isThrownBy(() -> api().url(URI.create("http://localhost/api")));
        assertThatIllegalArgumentException().isThrownBy(() -> api().attempts(0));
        assertThatThrownBy(() -> api().timeout(Duration.ZERO)).hasMessageContaining("timeout");
    }

    @Test
    void errorWithAnUnderscore_pausesAsTheOtherOne() throws Exception {
        slack.errors.add("rate_limited");

        api().waitAtMost(Duration.ofMinutes(2)).build().call("chat.postMessage", hello("C1"));

        assertThat(called).extracting(Called::outcome).containsExactly(Called.Outcome.RATE_LIMITED, Called.Outcome.OK);
        assertThat(pauses).containsExactly(Duration.ofSeconds(30).toNanos());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"accesslimited", "request_timeout", "msg_too_large", "invalid_attachments", "message_not_found"})
    void documentedRefusal_leavesNoDoubt(String error) {
        slack.errors.add(error);

        var refused = failure(() -> api().build().call("chat.postMessage", hello("C1")));

        assertThat(refused.failureClass()).isEqualTo(FailureClass.NOT_EXECUTED);
        assertThat(refused.error()).isEqualTo(error);
    }
}
