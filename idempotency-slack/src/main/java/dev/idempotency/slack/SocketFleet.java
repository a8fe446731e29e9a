package dev.idempotency.slack;

import dev.idempotency.slack.SocketEvent.Reason;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides which connections there are: what is opened when, what takes whose place, what is closed. Does no I/O and reads no
 * clock: it is told what happened and when, and answers what is to be done. Not thread-safe.
 *
 * <p>There are as many places as connections are wanted. Each place has one connection that serves, and, while that one is to
 * be replaced, one that is being opened. A connection that serves is let go only after its successor has heard hello.
 */
final class SocketFleet {
    /** How many connections of one app Slack allows. */
    static final int LIMIT = 10;

    /** Where in its announced lifetime a connection is replaced, so that those opened together are not replaced together. */
    private static final double OLDEST = 0.80;

    private static final double YOUNGEST = 0.70;
    /** How often in a row Slack must refuse the token before it is believed. */
    static final int REFUSALS = 4;

    private static final Duration SPREAD = Duration.ofMillis(100);

    /** What is to be done with the connection of that number. */
    sealed interface Command {
        /** Ask for a connection, and open it. */
        record Open(int id) implements Command {}

        /** Send a ping. */
        record Ping(int id) implements Command {}

        /** Send a close frame, and go on reading until the other side has answered it. */
        record Close(int id) implements Command {}

        /** Give the connection up, in whatever state it is. Nothing more is told about it. */
        record Abort(int id) implements Command {}

        /** Tell the listeners. */
        record Tell(SocketEvent event) implements Command {}
    }

    private static final class Connection {
        final int id;
        final Place place;
        final Reason openedFor;
        final long askedAt;
        SocketState.Phase phase = SocketState.Phase.CONNECTING;
        long since;
        long liveAt;
        long replaceAt = Long.MAX_VALUE;
        long lastRead;
        int unsettled;
        long nextPing;
        long pongBy = Long.MAX_VALUE;
        long abortAt = Long.MAX_VALUE;
        boolean heardHello;
        Reason replacedFor = Reason.NONE;

        Connection(int id, Place place, Reason openedFor, long now) {
            this.id = id;
            this.place = place;
            this.openedFor = openedFor;
            this.askedAt = now;
            this.since = now;
        }

        void enter(SocketState.Phase next, long now) {
            phase = next;
            since = now;
        }

        boolean isClosing() {
            return abortAt != Long.MAX_VALUE;
        }
    }

    private static final class Place {
        @Nullable
        Connection serving;

        @Nullable
        Connection opening;

        /** When the next attempt may be made, and what for. */
        long due;

        Reason wanted = Reason.START;
        int failures;
        boolean waitsForRoom;

        Place(long due) {
            this.due = due;
        }

        boolean wantsConnection() {
            return opening == null && (serving == null || serving.replacedFor != Reason.NONE);
        }
    }

    private final SocketTiming timing;
    private final IntervalFunction backoff;
    private final DoubleSupplier random;
    private final List<Place> places = new ArrayList<>();
    private final Map<Integer, Connection> connections = new TreeMap<>();
    private final Map<Reason, Long> reconnects = new EnumMap<>(Reason.class);
    private final List<Command> commands = new ArrayList<>();
    private int lastId;
    private long heldUntil = Long.MIN_VALUE;
    /** The time as it was told last. */
    private long now;

    private final Pace pace = new Pace(() -> now);
    private @Nullable String stopped;
    private int refusals;
    private int elsewhere;
    private long shutdownBy = Long.MAX_VALUE;
    private boolean closing;

    /**
     * Plans the connections; {@link #tick} opens the first ones.
     *
     * @param size how many connections serve
     * @param backoff milliseconds before the attempt after so many failures
     * @param random from 0 to 1
     */
    SocketFleet(int size, SocketTiming timing, IntervalFunction backoff, DoubleSupplier random, long now) {
        this.timing = timing;
        this.backoff = backoff;
        this.random = random;
        this.now = now;
        for (int i = 0; i < size; i++) {
            places.add(new Place(now + i * SPREAD.toNanos()));
        }
    }

    /** The handshake is done. */
    List<Command> connected(int id, long now) {
        Connection connection = connections.get(id);
        if (connection != null && connection.phase == SocketState.Phase.CONNECTING) {
            connection.enter(SocketState.Phase.WAITING_FOR_HELLO, now);
            connection.nextPing = now + timing.pingEvery().toNanos();
        }
        return tick(now);
    }

    /**
     * Slack said hello, and how long the connection will live, if it did, and how many connections of the app it counts, or 0.
     */
    List<Command> hello(int id, @Nullable Duration lifetime, int counted, long now) {
        Connection connection = connections.get(id);
        if (connection != null && connection.phase == SocketState.Phase.WAITING_FOR_HELLO && !connection.isClosing()) {
            Place place = connection.place;
            connection.enter(SocketState.Phase.LIVE, now);
            connection.heardHello = true;
            connection.liveAt = now;
            connection.lastRead = now;
            if (lifetime != null && !lifetime.isNegative() && !lifetime.isZero()) {
                double part = YOUNGEST + (OLDEST - YOUNGEST) * random.getAsDouble();
                long age = (long) (lifetime.toNanos() * part);
                connection.replaceAt = now + Math.max(age, timing.stable().toNanos());
            }
            refusals = 0;
            if (counted > 0) {
                count(counted);
            }
            tell(SocketEvent.Type.LIVE, id, connection.openedFor, now - connection.askedAt, "");
            place.opening = null;
            Connection old = place.serving;
            place.serving = connection;
            place.waitsForRoom = false;
            if (old != null) {
                drain(old, now);
            }
        }
        return tick(now);
    }

    /** What Slack counts and this fleet does not hold belongs to other processes, or to nobody. */
    private void count(int counted) {
        elsewhere = Math.max(0, counted - connections.size());
        if (elsewhere > 0) {
            tell(SocketEvent.Type.COUNTED_ELSEWHERE, 0, Reason.NONE, 0, Integer.toString(elsewhere));
        }
    }

    /** Slack said that the connection will end. */
    List<Command> disconnect(int id, Reason reason, long now) {
        Connection connection = connections.get(id);
        if (connection != null) {
            if (reason == Reason.LINK_DISABLED) {
                stop(reason, "link_disabled");
            } else if (connection == connection.place.opening) {
                abort(connection, reason, now);
                failed(connection, reason, reason.name().toLowerCase(Locale.ROOT), now);
            } else if (connection == connection.place.serving) {
                replace(connection, reason, now);
            }
        }
        return tick(now);
    }

    /** An envelope was read. */
    List<Command> received(int id, long now) {
        Connection connection = connections.get(id);
        if (connection != null) {
            connection.lastRead = now;
            connection.unsettled++;
        }
        return List.of();
    }

    /** Nothing more is to be done for an envelope that was read. */
    List<Command> settled(int id, long now) {
        Connection connection = connections.get(id);
        if (connection != null) {
            connection.unsettled--;
            connection.lastRead = now;
        }
        return tick(now);
    }

    /** The other side answered a ping: the transport works. */
    List<Command> pong(int id, long now) {
        Connection connection = connections.get(id);
        if (connection != null) {
            connection.pongBy = Long.MAX_VALUE;
        }
        return tick(now);
    }

    /** The connection has ended, by a close frame or a failure. */
    List<Command> closed(int id, String detail, long now) {
        Connection connection = connections.get(id);
        if (connection != null) {
            Place place = connection.place;
            boolean wasServing = connection == place.serving;
            boolean wasOpening = connection == place.opening;
            remove(
                    connection,
                    wasServing && connection.replacedFor == Reason.NONE ? Reason.LOST : why(connection),
                    now);
            if (wasServing) {
                if (connection.replacedFor == Reason.NONE) {
                    want(place, Reason.LOST, connection, now);
                }
            } else if (wasOpening) {
                failed(connection, Reason.NOT_OPENED, detail, now);
            }
        }
        return tick(now);
    }

    /** Slack did not give a connection. */
    List<Command> notOpened(int id, String detail, long now) {
        Connection connection = connections.get(id);
        if (connection != null) {
            remove(connection, Reason.NOT_OPENED, now);
            failed(connection, Reason.NOT_OPENED, detail, now);
        }
        return tick(now);
    }

    /** Slack wants to be asked later, by every place. */
    List<Command> rateLimited(int id, Duration wait, long now) {
        heldUntil = Math.max(heldUntil, now + wait.toNanos() + (long) (random.getAsDouble() * SPREAD.toNanos()));
        return notOpened(id, "ratelimited", now);
    }

    /**
     * Slack refuses the token, and will do so until a person changes something. Once may be a mistake of Slack's: it is believed
     * when it was said several times in a row.
     */
    List<Command> refused(int id, String error, long now) {
        Connection connection = connections.get(id);
        if (connection != null) {
            remove(connection, Reason.REFUSED, now);
            refusals++;
            if (refusals >= REFUSALS) {
                stop(Reason.REFUSED, error);
            } else {
                failed(connection, Reason.REFUSED, error, now);
            }
        }
        return tick(now);
    }

    /** Nothing more is opened; connections are closed when what they read is dealt with. */
    List<Command> close(long now) {
        if (!closing) {
            closing = true;
            shutdownBy = now + timing.shutdown().toNanos();
            for (Place place : places) {
                if (place.opening != null) {
                    abort(place.opening, Reason.SHUTDOWN, now);
                }
            }
        }
        return tick(now);
    }

    /** Time has passed. */
    List<Command> tick(long now) {
        this.now = now;
        for (Connection connection : List.copyOf(connections.values())) {
            look(connection, now);
        }
        if (!closing && stopped == null) {
            for (Place place : places) {
                look(place, now);
            }
        }
        List<Command> result = List.copyOf(commands);
        commands.clear();
        return result;
    }

    private void look(Connection connection, long now) {
        switch (connection.phase) {
            case CONNECTING -> {
                if (now >= connection.since + timing.open().toNanos()) {
                    abort(connection, Reason.NOT_OPENED, now);
                    failed(connection, Reason.NOT_OPENED, "no connection in time", now);
                }
            }
            case WAITING_FOR_HELLO -> {
                if (now >= connection.since + timing.hello().toNanos()) {
                    abort(connection, Reason.NOT_OPENED, now);
                    failed(connection, Reason.NOT_OPENED, "no hello in time", now);
                }
            }
            case LIVE -> {
                if (closing) {
                    drain(connection, now);
                    look(connection, now);
                } else {
                    ping(connection, now);
                    if (now >= connection.replaceAt) {
                        replace(connection, Reason.LIFETIME, now);
                    }
                }
            }
            case DRAINING -> lookAtDraining(connection, now);
            case CLOSED -> throw new IllegalStateException("connection " + connection.id + " is closed");
        }
    }

    private void ping(Connection connection, long now) {
        if (now >= connection.pongBy) {
            // It goes on serving until its successor has heard hello: perhaps it was this process that stood still.
            connection.pongBy = Long.MAX_VALUE;
            replace(connection, Reason.NO_PONG, now);
        }
        if (now >= connection.nextPing) {
            connection.nextPing = now + timing.pingEvery().toNanos();
            if (connection.pongBy == Long.MAX_VALUE) {
                connection.pongBy = now + timing.pong().toNanos();
            }
            commands.add(new Command.Ping(connection.id));
        }
    }

    private void lookAtDraining(Connection connection, long now) {
        if (connection.isClosing()) {
            if (now >= connection.abortAt) {
                abort(connection, why(connection), now);
            }
            return;
        }
        boolean isQuiet = connection.unsettled <= 0
                && (closing || now >= connection.lastRead + timing.quiet().toNanos());
        boolean isOver =
                now >= (closing ? shutdownBy : connection.since + timing.drain().toNanos());
        // Its successor may have died meanwhile: then this is the one that Slack still delivers to.
        boolean isNeeded =
                !closing && connections.values().stream().noneMatch(other -> other.phase == SocketState.Phase.LIVE);
        if ((isQuiet || isOver) && !isNeeded) {
            connection.abortAt = now + timing.close().toNanos();
            commands.add(new Command.Close(connection.id));
        }
    }

    private void look(Place place, long now) {
        if (!place.wantsConnection() || now < place.due || now < heldUntil) {
            return;
        }
        if (connections.size() >= LIMIT) {
            makeRoom(place, now);
            return;
        }
        if (!mayOpen()) {
            return;
        }
        Reason reason = place.wanted;
        reconnects.merge(reason, 1L, Long::sum);
        var connection = new Connection(++lastId, place, reason, now);
        place.opening = connection;
        connections.put(connection.id, connection);
        tell(SocketEvent.Type.OPENING, connection.id, reason, 0, "");
        commands.add(new Command.Open(connection.id));
    }

    /** Slack's limit on asking for connections is of its lowest tier: some at once, then one at a time. */
    private boolean mayOpen() {
        long every = timing.openEvery().toNanos();
        return pace.take("open", every, every * (timing.opensAtOnce() - 1)) >= 0;
    }

    /** Slack takes no more: while others serve, the one to be replaced goes first. */
    private void makeRoom(Place place, long now) {
        Connection going = place.serving;
        boolean othersServe = places.stream()
                .filter(other -> other != place)
                .anyMatch(other -> other.serving != null && other.serving.replacedFor == Reason.NONE);
        boolean roomComes = connections.values().stream().anyMatch(any -> any.phase == SocketState.Phase.DRAINING);
        if (going != null && othersServe && !roomComes) {
            place.serving = null;
            drain(going, now);
        }
    }

    private void replace(Connection connection, Reason reason, long now) {
        if (connection.replacedFor == Reason.NONE) {
            connection.replacedFor = reason;
            connection.replaceAt = Long.MAX_VALUE;
            want(connection.place, reason, connection, now);
        }
    }

    /** A successor at once; but not at once after a connection that hardly lived, or where Slack has too many. */
    private void want(Place place, Reason reason, Connection before, long now) {
        place.wanted = reason;
        if (place.opening != null) {
            return;
        }
        boolean wasStable = now - before.liveAt >= timing.stable().toNanos();
        if (wasStable && reason != Reason.TOO_MANY_WEBSOCKETS) {
            place.failures = 0;
            place.due = now;
        } else {
            delay(place, reason, now);
        }
    }

    private void failed(Connection connection, Reason reason, String detail, long now) {
        tell(SocketEvent.Type.OPEN_FAILED, connection.id, reason, 0, detail);
        delay(connection.place, reason, now);
    }

    private void delay(Place place, Reason reason, long now) {
        place.failures++;
        place.due = now + Duration.ofMillis(backoff.apply(place.failures)).toNanos();
        place.waitsForRoom = reason == Reason.TOO_MANY_WEBSOCKETS;
    }

    private void drain(Connection connection, long now) {
        if (connection.replacedFor == Reason.NONE) {
            connection.replacedFor = closing ? Reason.SHUTDOWN : Reason.REPLACED;
        }
        connection.enter(SocketState.Phase.DRAINING, now);
        connection.lastRead = Math.max(connection.lastRead, now);
        tell(SocketEvent.Type.DRAINING, connection.id, connection.replacedFor, 0, "");
    }

    private void stop(Reason reason, String detail) {
        if (stopped == null) {
            stopped = detail;
            tell(SocketEvent.Type.STOPPED, 0, reason, 0, detail);
        }
    }

    private void abort(Connection connection, Reason reason, long now) {
        commands.add(new Command.Abort(connection.id));
        remove(connection, reason, now);
    }

    private void remove(Connection connection, Reason reason, long now) {
        connections.remove(connection.id);
        Place place = connection.place;
        if (place.serving == connection) {
            place.serving = null;
        }
        if (place.opening == connection) {
            place.opening = null;
        }
        connection.enter(SocketState.Phase.CLOSED, now);
        if (connection.heardHello) {
            tell(SocketEvent.Type.CLOSED, connection.id, reason, now - connection.liveAt, "");
        }
        // One less: whoever waited for room need not wait as long.
        long soon = now + Duration.ofMillis(backoff.apply(1)).toNanos();
        for (Place other : places) {
            if (other.waitsForRoom) {
                other.due = Math.min(other.due, soon);
            }
        }
    }

    private static Reason why(Connection connection) {
        return connection.replacedFor == Reason.NONE ? Reason.NOT_OPENED : connection.replacedFor;
    }

    private void tell(SocketEvent.Type type, int id, Reason reason, long nanos, String detail) {
        commands.add(new Command.Tell(new SocketEvent(type, id, reason, Duration.ofNanos(nanos), detail)));
    }

    /** Nothing is open any more, and nothing will be. */
    boolean isClosed() {
        return closing && connections.isEmpty();
    }

    /** How many connections Slack counted beyond those of this fleet, at the last hello. */
    int elsewhere() {
        return elsewhere;
    }

    @Nullable
    String stopped() {
        return stopped;
    }

    /** How often a connection was asked for, by reason. */
    Map<Reason, Long> reconnects() {
        return new EnumMap<>(reconnects);
    }

    /** The connections that are not closed, in the order they were asked for. */
    List<SocketState.Connection> connections(long now) {
        return connections.values().stream()
                .map(connection -> new SocketState.Connection(
                        connection.id,
                        connection.phase,
                        connection.heardHello,
                        Duration.ofNanos(now - connection.since),
                        connection.openedFor,
                        connection.unsettled))
                .toList();
    }
}
