package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.slack.SocketEvent.Reason;
import dev.idempotency.slack.SocketEvent.Type;
import dev.idempotency.slack.SocketFleet.Command;
import dev.idempotency.slack.SocketState.Phase;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class SocketFleetTest {
    private static final SocketTiming TIMING = SocketTiming.DEFAULT;

    private long now = Duration.ofHours(1).toNanos();
    private final List<Command> commands = new ArrayList<>();
    private boolean silent;

    private SocketFleet fleet(int size) {
        return new SocketFleet(
                size,
                TIMING,
                IntervalFunction.ofExponentialBackoff(Duration.ofSeconds(1), 2.0, Duration.ofSeconds(30)),
                () -> 1.0,
                now);
    }

    private void tell(LongFunction<List<Command>> input) {
        commands.addAll(input.apply(now));
    }

    /** Pings are answered, but for the one that is looked at. */
    private void pass(SocketFleet fleet, Duration time) {
        tell(fleet::tick);
        for (SocketState.Connection connection : fleet.connections(now)) {
            if (!silent) {
                tell(at -> fleet.pong(connection.number(), at));
            }
        }
        now += time.toNanos();
        tell(fleet::tick);
    }

    private void live(SocketFleet fleet, int id) {
        tell(at -> fleet.connected(id, at));
        tell(at -> fleet.hello(id, Duration.ofHours(1), 0, at));
    }

    private SocketFleet liveFleet(int size) {
        SocketFleet fleet = fleet(size);
        pass(fleet, Duration.ofSeconds(2));
        for (int id = 1; id <= size; id++) {
            live(fleet, id);
        }
        pass(fleet, Duration.ofSeconds(2));
        commands.clear();
        return fleet;
    }

    private List<Integer> opened() {
        return commands.stream()
                .filter(command -> command instanceof Command.Open)
                .map(command -> ((Command.Open) command).id())
                .toList();
    }

    private Phase phase(SocketFleet fleet, int id) {
        return fleet.connections(now).stream()
                .filter(connection -> connection.number() == id)
                .map(SocketState.Connection::phase)
                .findAny()
                .orElse(Phase.CLOSED);
    }

    private List<SocketEvent> told(Type type) {
        return commands.stream()
                .filter(command -> command instanceof Command.Tell)
                .map(command -> ((Command.Tell) command).event())
                .filter(event -> event.type() == type)
                .toList();
    }

    @Test
    void warning_thenRefresh_opensOneSuccessorAtOnce() {
        SocketFleet fleet = liveFleet(1);

        tell(at -> fleet.disconnect(1, Reason.WARNING, at));
        tell(at -> fleet.disconnect(1, Reason.REFRESH_REQUESTED, at));

        assertThat(opened()).containsExactly(2);
        assertThat(phase(fleet, 1)).isEqualTo(Phase.LIVE);
        live(fleet, 2);
        assertThat(phase(fleet, 1)).isEqualTo(Phase.DRAINING);
        tell(at -> fleet.disconnect(1, Reason.REFRESH_REQUESTED, at));
        assertThat(opened()).containsExactly(2);
    }

    @Test
    void successor_withoutHello_takesNothingOver() {
        SocketFleet fleet = liveFleet(1);
        tell(at -> fleet.disconnect(1, Reason.WARNING, at));

        tell(at -> fleet.connected(2, at));
        assertThat(phase(fleet, 1)).isEqualTo(Phase.LIVE);
        pass(fleet, TIMING.hello());

        assertThat(commands).contains(new Command.Abort(2));
        assertThat(phase(fleet, 1)).isEqualTo(Phase.LIVE);
        assertThat(told(Type.OPEN_FAILED)).extracting(SocketEvent::detail).containsExactly("no hello in time");
        pass(fleet, Duration.ofSeconds(1));
        assertThat(opened()).containsExactly(2, 3);
    }

    @Test
    void drainingConnection_isClosedWhenItIsQuiet_andNotBefore() {
        SocketFleet fleet = liveFleet(1);
        tell(at -> fleet.disconnect(1, Reason.WARNING, at));
        live(fleet, 2);
        tell(at -> fleet.received(1, at));

        pass(fleet, TIMING.quiet().multipliedBy(2));
        assertThat(commands).as("an envelope is not settled").doesNotContain(new Command.Close(1));
        tell(at -> fleet.settled(1, at));
        pass(fleet, TIMING.quiet().minusMillis(1));
        assertThat(commands).doesNotContain(new Command.Close(1));
        pass(fleet, Duration.ofMillis(1));

        assertThat(commands).contains(new Command.Close(1));
        pass(fleet, TIMING.close());
        assertThat(commands).contains(new Command.Abort(1));
    }

    @Test
    void drainingConnection_thatIsNeverQuiet_isClosedAfterTheCap() {
        SocketFleet fleet = liveFleet(1);
        tell(at -> fleet.disconnect(1, Reason.WARNING, at));
        live(fleet, 2);

        for (long i = 0; i < TIMING.drain().toSeconds(); i++) {
            assertThat(commands).doesNotContain(new Command.Close(1));
            tell(at -> fleet.received(1, at));
            tell(at -> fleet.settled(1, at));
            pass(fleet, Duration.ofSeconds(1));
        }

        assertThat(commands).contains(new Command.Close(1));
    }

    @Test
    void drainingConnection_whoseSuccessorDied_isKept() {
        SocketFleet fleet = liveFleet(1);
        tell(at -> fleet.disconnect(1, Reason.WARNING, at));
        live(fleet, 2);
        pass(fleet, Duration.ofSeconds(2));

        tell(at -> fleet.closed(2, "close 1006", at));
        pass(fleet, TIMING.drain());
        assertThat(opened()).containsExactly(2, 3);
        assertThat(commands).doesNotContain(new Command.Close(1));
        pass(fleet, Duration.ofSeconds(1));
        live(fleet, 4);

        assertThat(commands).contains(new Command.Close(1));
    }

    @Test
    void lifetime_thatSlackAnnounced_isNotLivedToItsEnd() {
        SocketFleet fleet = liveFleet(1);

        LongStream.range(0, 47 * 6).forEach(i -> {
            pass(fleet, Duration.ofSeconds(10));
            tell(at -> fleet.pong(1, at));
        });
        assertThat(opened()).isEmpty();
        pass(fleet, Duration.ofMinutes(1));

        assertThat(opened()).containsExactly(2);
        assertThat(told(Type.OPENING)).extracting(SocketEvent::reason).containsExactly(Reason.LIFETIME);
    }

    @Test
    void connection_withoutPong_isReplaced_andServesOn() {
        SocketFleet fleet = liveFleet(1);
        silent = true;

        pass(fleet, TIMING.pingEvery());
        assertThat(commands).contains(new Command.Ping(1));
        pass(fleet, TIMING.pong());

        assertThat(opened()).containsExactly(2);
        assertThat(phase(fleet, 1)).isEqualTo(Phase.LIVE);
        assertThat(told(Type.OPENING)).extracting(SocketEvent::reason).containsExactly(Reason.NO_PONG);
    }

    @Test
    void connection_withPongsAndNoTraffic_isLeftAlone() {
        SocketFleet fleet = liveFleet(1);

        for (int i = 0; i < 100; i++) {
            pass(fleet, TIMING.pingEvery());
            tell(at -> fleet.pong(1, at));
        }

        assertThat(opened()).isEmpty();
    }

    @Test
    void lostConnection_isReplacedAtOnce_butNotWhenItHardlyLived() {
        SocketFleet fleet = liveFleet(1);

        tell(at -> fleet.closed(1, "close 1006", at));
        assertThat(opened()).containsExactly(2);
        live(fleet, 2);
        tell(at -> fleet.closed(2, "close 1006", at));
        assertThat(opened()).containsExactly(2);
        pass(fleet, Duration.ofSeconds(1));

        assertThat(opened()).containsExactly(2, 3);
    }

    @Test
    void failures_backOff_andDoNotEnd() {
        SocketFleet fleet = fleet(1);
        tell(fleet::tick);
        List<Long> attempts = new ArrayList<>();

        for (int i = 0; i < 40 * 60; i++) {
            if (!fleet.connections(now).isEmpty()) {
                attempts.add(now);
                int id = fleet.connections(now).get(0).number();
                tell(at -> fleet.notOpened(id, "internal_error", at));
            }
            pass(fleet, Duration.ofMillis(500));
        }

        List<Long> pauses = LongStream.range(1, attempts.size())
                .map(i -> Duration.ofNanos(attempts.get((int) i) - attempts.get((int) i - 1))
                        .toSeconds())
                .boxed()
                .toList();
        // In the end it is not the backoff that counts, but Slack's limit.
        assertThat(pauses).startsWith(1L, 2L, 4L, 8L, 16L, 30L, 30L).endsWith(60L);
    }

    @Test
    void retryAfter_holdsAllPlaces() {
        SocketFleet fleet = fleet(2);
        pass(fleet, Duration.ofSeconds(2));
        assertThat(opened()).containsExactly(1, 2);

        tell(at -> fleet.rateLimited(1, Duration.ofSeconds(20), at));
        tell(at -> fleet.notOpened(2, "internal_error", at));
        pass(fleet, Duration.ofSeconds(20));
        assertThat(opened()).containsExactly(1, 2);
        pass(fleet, Duration.ofMillis(200));

        assertThat(opened()).containsExactly(1, 2, 3, 4);
    }

    @Test
    void opens_beyondThoseAtOnce_areOneAMinute_untilItWasQuiet() {
        SocketFleet fleet = fleet(10);
        for (int second = 0; second < 600; second++) {
            pass(fleet, Duration.ofSeconds(1));
            for (SocketState.Connection connection : fleet.connections(now)) {
                tell(at -> fleet.notOpened(connection.number(), "internal_error", at));
            }
        }
        assertThat(opened()).hasSizeBetween(20 + 9, 20 + 10);

        pass(fleet, Duration.ofMinutes(5));

        assertThat(opened())
                .as("one for each of the places that wait, as far as the minutes go")
                .hasSizeBetween(34, 35);
    }

    @Test
    void tooManyWebsockets_beforeHello_backsOff_untilOneOfOursHasGone() {
        SocketFleet fleet = liveFleet(2);
        tell(at -> fleet.disconnect(1, Reason.WARNING, at));
        for (int id = 3; id < 8; id++) {
            int refused = id;
            tell(at -> fleet.connected(refused, at));
            tell(at -> fleet.disconnect(refused, Reason.TOO_MANY_WEBSOCKETS, at));
            pass(fleet, Duration.ofSeconds(1L << (id - 3)));
        }
        assertThat(opened()).containsExactly(3, 4, 5, 6, 7, 8);
        tell(at -> fleet.connected(8, at));
        tell(at -> fleet.disconnect(8, Reason.TOO_MANY_WEBSOCKETS, at));
        commands.clear();

        tell(at -> fleet.closed(1, "close 1000", at));
        pass(fleet, Duration.ofSeconds(1));

        assertThat(opened()).containsExactly(9);
    }

    @Test
    void tenConnections_breakBeforeMake_oneAfterTheOther() {
        SocketFleet fleet = liveFleet(10);
        for (int id = 1; id <= 10; id++) {
            int warned = id;
            tell(at -> fleet.disconnect(warned, Reason.LIFETIME, at));
        }
        // There is no room for a successor: the first goes while the others serve, and no other goes before it has one.
        assertThat(opened()).isEmpty();
        assertThat(fleet.connections(now))
                .filteredOn(connection -> connection.phase() != Phase.LIVE)
                .extracting(SocketState.Connection::number)
                .containsExactly(1);

        tell(at -> fleet.closed(1, "close 1000", at));
        assertThat(opened()).containsExactly(11);
        live(fleet, 11);
        assertThat(fleet.connections(now))
                .filteredOn(connection -> connection.phase() == Phase.DRAINING)
                .hasSize(1);
        pass(fleet, TIMING.quiet());
        tell(at -> fleet.closed(2, "close 1000", at));

        assertThat(opened()).containsExactly(11, 12);
    }

    @Test
    void refusedToken_stopsWhenItWasSaidSeveralTimes() {
        SocketFleet fleet = fleet(1);
        for (int id = 1; id <= SocketFleet.REFUSALS; id++) {
            assertThat(fleet.stopped()).isNull();
            pass(fleet, Duration.ofSeconds(8));
            int refused = id;
            tell(at -> fleet.refused(refused, "invalid_auth", at));
        }
        pass(fleet, Duration.ofHours(1));

        assertThat(opened()).containsExactly(1, 2, 3, 4);
        assertThat(fleet.stopped()).isEqualTo("invalid_auth");
        assertThat(told(Type.STOPPED)).extracting(SocketEvent::detail).containsExactly("invalid_auth");
    }

    @Test
    void tokenThatIsRefusedOnce_whileConnectionsRead_stopsNobody() {
        SocketFleet fleet = liveFleet(2);
        for (int id = 3; id < 3 + 2 * SocketFleet.REFUSALS; id += 2) {
            int refused = id;
            int serving = id == 3 ? 1 : id - 1;
            tell(at -> fleet.disconnect(serving, Reason.WARNING, at));
            pass(fleet, Duration.ofMinutes(1));
            tell(at -> fleet.refused(refused, "invalid_auth", at));
            pass(fleet, Duration.ofMinutes(1));
            tell(at -> fleet.connected(refused + 1, at));
            tell(at -> fleet.hello(refused + 1, Duration.ofHours(9), 0, at));
        }

        assertThat(fleet.stopped()).isNull();
        assertThat(told(Type.STOPPED)).isEmpty();
        assertThat(told(Type.OPEN_FAILED)).hasSize(SocketFleet.REFUSALS);
    }

    /** Slack spreads events over all that it counts: what nobody reads there comes late, and interactions never. */
    @Test
    void connectionsThatSlackCountsAndNobodyHolds_areTold() {
        SocketFleet fleet = fleet(2);
        pass(fleet, Duration.ofSeconds(1));
        tell(at -> fleet.connected(1, at));
        tell(at -> fleet.hello(1, Duration.ofHours(1), 1, at));
        assertThat(told(Type.COUNTED_ELSEWHERE)).isEmpty();
        tell(at -> fleet.connected(2, at));
        tell(at -> fleet.hello(2, Duration.ofHours(1), 5, at));

        assertThat(fleet.elsewhere()).isEqualTo(3);
        assertThat(told(Type.COUNTED_ELSEWHERE)).extracting(SocketEvent::detail).containsExactly("3");
    }

    @Test
    void close_waitsForWhatWasRead_andThenCloses() {
        SocketFleet fleet = liveFleet(2);
        tell(at -> fleet.received(1, at));

        tell(fleet::close);
        assertThat(commands).contains(new Command.Close(2)).doesNotContain(new Command.Close(1));
        tell(at -> fleet.settled(1, at));
        assertThat(commands).contains(new Command.Close(1));
        tell(at -> fleet.closed(1, "close 1000", at));
        assertThat(fleet.isClosed()).isFalse();
        tell(at -> fleet.closed(2, "close 1000", at));

        assertThat(fleet.isClosed()).isTrue();
        assertThat(opened()).isEmpty();
    }

    @Test
    void close_doesNotWaitForEver() {
        SocketFleet fleet = liveFleet(1);
        tell(at -> fleet.received(1, at));
        tell(fleet::close);

        pass(fleet, TIMING.shutdown());
        assertThat(commands).contains(new Command.Close(1));
        pass(fleet, TIMING.close());

        assertThat(commands).contains(new Command.Abort(1));
        assertThat(fleet.isClosed()).isTrue();
    }
}
