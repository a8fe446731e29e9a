package dev.idempotency.slack;

import dev.idempotency.slack.SocketEvent.Reason;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link SocketModeClient} looks like at one moment. Immutable.
 *
 * @param connections those that are not closed, in the order they were asked for
 * @param stopped why the client asks for no more connections, such as {@code link_disabled} or Slack's error; null while it
 *     does. It never does again: a person has to repair something, and to start a new client
 * @param closed whether the client was closed
 * @param acked how many envelopes were acknowledged, by any connection
 * @param ackedElsewhere how many of them not by the connection that brought them
 * @param ackFailed how many envelopes were safe but could not be acknowledged
 * @param notAcked how many envelopes were not safe, and therefore not acknowledged
 * @param ignored how many frames nobody understood
 * @param elsewhere how many connections of the app Slack counted at the last {@code hello} beyond those of this client: those of
 *     other processes, and ghosts
 * @param opened how often a connection was asked for, by what for
 * @since 0.1.0
 */
public record SocketState(
        List<Connection> connections,
        @Nullable String stopped,
        boolean closed,
        long acked,
        long ackedElsewhere,
        long ackFailed,
        long notAcked,
        long ignored,
        int elsewhere,
        Map<Reason, Long> opened) {
    /** Where a connection is in its life. */
    public enum Phase {
        /** Slack was asked, or the handshake goes on. */
        CONNECTING,
        /** The handshake is done; Slack has not said hello. */
        WAITING_FOR_HELLO,
        /** Slack delivers here. */
        LIVE,
        /** Another connection has taken over; this one is read and acknowledged until it is quiet, and then closed. */
        DRAINING,
        /** It has ended. */
        CLOSED
    }

    /**
     * One connection.
     *
     * @param number its number, from 1, counted over the life of the client
     * @param phase where it is in its life
     * @param helloSeen whether Slack has said hello on it
     * @param inPhase how long it has been in this phase
     * @param openedFor why it was opened
     * @param unsettled how many envelopes were read from it that are not yet dealt with
     */
    public record Connection(
            int number, Phase phase, boolean helloSeen, Duration inPhase, Reason openedFor, int unsettled) {
        /**
         * Checks the connection.
         *
         * @param number as described above
         * @param phase as described above
         * @param helloSeen as described above
         * @param inPhase as described above
         * @param openedFor as described above
         * @param unsettled as described above
         * @throws NullPointerException if an argument is null
         */
        public Connection {
            Objects.requireNonNull(phase, "phase");
            Objects.requireNonNull(inPhase, "inPhase");
            Objects.requireNonNull(openedFor, "openedFor");
        }
    }

    /**
     * Copies the lists.
     *
     * @param connections as described above
     * @param stopped as described above
     * @param closed as described above
     * @param acked as described above
     * @param ackedElsewhere as described above
     * @param ackFailed as described above
     * @param notAcked as described above
     * @param ignored as described above
     * @param elsewhere as described above
     * @param opened as described above
     * @throws NullPointerException if an argument other than {@code stopped} is null
     */
    public SocketState {
        connections = List.copyOf(connections);
        opened = Map.copyOf(opened);
    }

    /**
     * Tells whether Slack delivers events to this client now.
     *
     * @return true when at least one connection has heard hello and is not closed
     */
    public boolean isLive() {
        return connections.stream().anyMatch(connection -> connection.helloSeen());
    }
}
