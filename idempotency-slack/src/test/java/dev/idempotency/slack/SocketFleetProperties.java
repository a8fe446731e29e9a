package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.slack.SocketEvent.Reason;
import dev.idempotency.slack.SocketEvent.Type;
import dev.idempotency.slack.SocketFleet.Command;
import dev.idempotency.slack.SocketState.Phase;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongFunction;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Slack does what it wants, in any order; what must hold then. Time is a number. */
final class SocketFleetProperties {
    private static final SocketTiming TIMING = SocketTiming.DEFAULT;
    private static final long MILLI = 1_000_000;
    private static final long START = 1_000 * MILLI;

    /** The fleet, and what Slack and the network make of its connections. */
    private static final class World {
        final Random random;
        final int size;
        final SocketFleet fleet;
        long now = START;

        /** What the fleet believes to exist; true once its hello was told and it was not closed by the fleet. */
        final Map<Integer, Boolean> open = new TreeMap<>();

        final Map<Integer, Integer> unsettled = new HashMap<>();
        final List<Integer> closing = new ArrayList<>();
        final List<SocketEvent> told = new ArrayList<>();
        int opens;
        boolean refused;
        boolean shutDown;

        World(long seed, int size) {
            this.random = new Random(seed);
            this.size = size;
            this.fleet = new SocketFleet(
                    size,
                    TIMING,
                    IntervalFunction.ofExponentialBackoff(Duration.ofMillis(500), 2.0, Duration.ofSeconds(30)),
                    random::nextDouble,
                    now);
        }

        void tell(LongFunction<List<Command>> input) {
            List<Command> commands = input.apply(now);
            for (Command command : commands) {
                obey(command);
            }
            assertThat(open.size()).isLessThanOrEqualTo(SocketFleet.LIMIT);
        }

        private void obey(Command command) {
            if (command instanceof Command.Open opened) {
                assertThat(refused).as("opened after Slack has refused").isFalse();
                assertThat(shutDown).as("opened while it is closed").isFalse();
                assertThat(open.put(opened.id(), false))
                        .as("a number is used once")
                        .isNull();
                opens++;
                assertThat(opens - TIMING.opensAtOnce())
                        .as("asked for beyond those at once")
                        .isLessThanOrEqualTo(
                                (int) ((now - START) / TIMING.openEvery().toNanos()));
            } else if (command instanceof Command.Close closed) {
                lets(closed.id());
                assertThat(open).containsKey(closed.id());
                assertThat(closing).doesNotContain(closed.id());
                closing.add(closed.id());
                open.put(closed.id(), false);
            } else if (command instanceof Command.Abort aborted) {
                assertThat(open).containsKey(aborted.id());
                if (open.get(aborted.id())) {
                    lets(aborted.id());
                }
                forget(aborted.id());
            } else if (command instanceof Command.Ping ping) {
                assertThat(open).containsKey(ping.id());
            } else if (command instanceof Command.Tell tell) {
                told.add(tell.event());
            }
        }

        /** The fleet gives up a connection that may deliver: only when another one may, or when it is closed. */
        private void lets(int id) {
            if (!shutDown && open.get(id)) {
                long others = open.entrySet().stream()
                        .filter(other -> other.getKey() != id && other.getValue())
                        .count();
                assertThat(others).as("connections left when %s goes", id).isPositive();
            }
        }

        void forget(int id) {
            open.remove(id);
            closing.remove((Integer) id);
            unsettled.remove(id);
        }

        Map<Integer, SocketState.Connection> seen() {
            Map<Integer, SocketState.Connection> seen = new TreeMap<>();
            fleet.connections(now).forEach(connection -> seen.put(connection.number(), connection));
            assertThat(seen.keySet()).isEqualTo(open.keySet());
            return seen;
        }

        /** Something that may happen to one connection. */
        void happen(boolean onlyGood) {
            List<SocketState.Connection> all = new ArrayList<>(seen().values());
            if (all.isEmpty()) {
                return;
            }
            SocketState.Connection one = all.get(random.nextInt(all.size()));
            int id = one.number();
            if (closing.contains(id)) {
                if (onlyGood || random.nextInt(3) > 0) {
                    forget(id);
                    tell(at -> fleet.closed(id, "1000", at));
                }
                return;
            }
            int dice = random.nextInt(onlyGood ? 6 : 24);
            switch (one.phase()) {
                case CONNECTING -> {
                    if (dice < 12) {
                        tell(at -> fleet.connected(id, at));
                    } else {
                        forget(id);
                        switch (dice) {
                            case 12, 13, 14 -> tell(at -> fleet.notOpened(id, "internal_error", at));
                            case 15, 16 -> tell(at -> fleet.rateLimited(id, Duration.ofSeconds(3), at));
                            case 17 -> tell(at -> fleet.closed(id, "1006", at));
                            default -> {
                                open.put(id, false);
                                unsettled.put(id, 0);
                            }
                        }
                    }
                }
                case WAITING_FOR_HELLO -> {
                    if (dice < 12) {
                        open.put(id, true);
                        tell(at -> fleet.hello(id, random.nextBoolean() ? Duration.ofSeconds(60) : null, 0, at));
                    } else if (dice < 16) {
                        tell(at -> fleet.disconnect(id, reason(), at));
                    } else if (dice < 18) {
                        forget(id);
                        tell(at -> fleet.closed(id, "1006", at));
                    }
                }
                case LIVE, DRAINING -> {
                    if (dice < 3) {
                        tell(at -> fleet.pong(id, at));
                    } else if (dice < 5) {
                        unsettled.merge(id, 1, Integer::sum);
                        tell(at -> fleet.received(id, at));
                    } else if (dice < 7 && unsettled.getOrDefault(id, 0) > 0) {
                        unsettled.merge(id, -1, Integer::sum);
                        tell(at -> fleet.settled(id, at));
                    } else if (dice > 20) {
                        tell(at -> fleet.disconnect(id, reason(), at));
                    } else if (dice > 18) {
                        forget(id);
                        tell(at -> fleet.closed(id, "1006", at));
                    }
                }
                case CLOSED -> throw new AssertionError("listed, but closed");
            }
        }

        private Reason reason() {
            return switch (random.nextInt(5)) {
                case 0 -> Reason.WARNING;
                case 1 -> Reason.REFRESH_REQUESTED;
                case 2 -> Reason.TOO_MANY_WEBSOCKETS;
                case 3 -> Reason.OTHER_DISCONNECT;
                default -> Reason.WARNING;
            };
        }

        void pass(long atMostMillis) {
            now += (1 + random.nextLong(atMostMillis)) * MILLI;
            tell(fleet::tick);
        }

        /** All that Slack and the network owe is given. */
        void settle() {
            for (SocketState.Connection one : seen().values()) {
                int id = one.number();
                if (closing.contains(id)) {
                    forget(id);
                    tell(at -> fleet.closed(id, "1000", at));
                } else if (one.phase() == Phase.CONNECTING) {
                    tell(at -> fleet.connected(id, at));
                } else if (one.phase() == Phase.WAITING_FOR_HELLO) {
                    open.put(id, true);
                    tell(at -> fleet.hello(id, null, 0, at));
                } else {
                    for (int i = unsettled.getOrDefault(id, 0); i > 0; i--) {
                        tell(at -> fleet.settled(id, at));
                    }
                    unsettled.remove(id);
                    tell(at -> fleet.pong(id, at));
                }
            }
        }

        long live() {
            return seen().values().stream()
                    .filter(one -> one.phase() == Phase.LIVE)
                    .count();
        }
    }

    @Property(tries = 150)
    void fleet_whateverSlackDoes_letsNoneGoBeforeAnotherHasHeardHello(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 10) int size) {
        var world = new World(seed, size);
        for (int i = 0; i < 600; i++) {
            world.happen(false);
            if (world.random.nextInt(3) == 0) {
                world.pass(world.random.nextInt(20) == 0 ? 40_000 : 300);
            }
        }
    }

    @Property(tries = 60)
    void fleet_afterAnyTrouble_hasAllConnectionsAgain(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 10) int size) {
        var world = new World(seed, size);
        for (int i = 0; i < 300; i++) {
            world.happen(false);
            world.pass(i % 50 == 0 ? 30_000 : 200);
        }

        // The longest backoff, the longest drain and Retry-After, a minute for each connection, and then some.
        for (int i = 0; i < 1_800; i++) {
            world.pass(1_500);
            world.settle();
        }

        assertThat(world.live()).isEqualTo(size);
        assertThat(world.seen()).hasSize(size);
    }

    @Property(tries = 50)
    void fleet_thatIsClosed_endsAllAndOpensNone(@ForAll long seed, @ForAll @IntRange(min = 1, max = 10) int size) {
        var world = new World(seed, size);
        for (int i = 0; i < 200; i++) {
            world.happen(false);
            world.pass(200);
        }

        world.shutDown = true;
        world.tell(world.fleet::close);
        long end = world.now
                + TIMING.shutdown().plus(TIMING.close()).plusSeconds(1).toNanos();
        while (world.now < end) {
            world.happen(true);
            world.pass(200);
        }

        assertThat(world.fleet.isClosed()).isTrue();
        assertThat(world.open).isEmpty();
    }

    @Property(tries = 50)
    void fleet_thatWasRefused_opensNoneAndKeepsWhatItHas(@ForAll long seed) {
        var world = new World(seed, 3);
        for (int i = 0; i < 100; i++) {
            world.settle();
            world.pass(100);
        }
        int id = world.seen().keySet().iterator().next();

        world.tell(at -> world.fleet.disconnect(id, Reason.LINK_DISABLED, at));
        world.refused = true;
        for (int i = 0; i < 300; i++) {
            world.happen(false);
            world.pass(1_500);
        }

        assertThat(world.fleet.stopped()).isEqualTo("link_disabled");
        assertThat(world.told)
                .filteredOn(event -> event.type() == Type.STOPPED)
                .singleElement()
                .satisfies(event -> assertThat(event.reason()).isEqualTo(Reason.LINK_DISABLED));
    }
}
