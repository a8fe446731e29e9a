package dev.idempotency.slack;

import java.time.Duration;
import java.util.Objects;

/**
 * Something that happened to a Socket Mode connection, or to one envelope on it. Carries no payload, no token and no address.
 *
 * @param type what happened
 * @param connection the number of the connection, from 1, counted over the life of the client; 0 when it concerns the client
 * @param reason why: for {@link Type#OPENING} and {@link Type#DRAINING} what the new connection is needed for, for
 *     {@link Type#LIVE} and {@link Type#CLOSED} why the connection was opened and ended, for {@link Type#STOPPED} why it
 *     stopped; {@link Reason#NONE} for everything else
 * @param took for {@link Type#LIVE} the time from asking for the connection to its {@code hello}, for {@link Type#CLOSED} how
 *     long it was live, for the acknowledgements the time since the envelope was read; zero for everything else
 * @param detail one word for people, such as Slack's error; empty when the type says all
 * @since 0.1.0
 */
public record SocketEvent(Type type, int connection, Reason reason, Duration took, String detail) {
    /** What can happen. */
    public enum Type {
        /** Slack is asked for a connection. */
        OPENING,
        /** Slack did not give a connection, or it ended before its {@code hello}. It is tried again after a backoff. */
        OPEN_FAILED,
        /** Slack has said {@code hello}: events arrive here. */
        LIVE,
        /** Another connection has taken over; this one is still read and acknowledged until it is quiet. */
        DRAINING,
        /** The connection has ended. */
        CLOSED,
        /** An envelope is safe, and its acknowledgement was handed to the network on the connection that brought it. */
        ACKED,
        /** The same, on another connection, because the one that brought it is gone. */
        ACKED_ELSEWHERE,
        /** An envelope is safe, but no connection took its acknowledgement: Slack delivers it again, and it is a duplicate. */
        ACK_FAILED,
        /** An envelope is not safe and was not acknowledged: Slack delivers it again. */
        NOT_ACKED,
        /** The function that makes a response failed or took too long: the envelope was acknowledged without one. */
        RESPONSE_FAILED,
        /** A frame that nobody understands. It was dropped, and not acknowledged. */
        IGNORED,
        /**
         * Slack counts more connections of the app than this client holds; the detail says how many. They are those of other
         * processes, or ghosts: Slack delivers to them too, and nobody reads.
         */
        COUNTED_ELSEWHERE,
        /** The client asks for no more connections until somebody repairs its settings at Slack. An alarm. */
        STOPPED
    }

    /** Why a connection was opened or ended. */
    public enum Reason {
        /** The event says all. */
        NONE,
        /** The client started. */
        START,
        /** Slack announced that it will close the connection: {@code warning}. */
        WARNING,
        /** Slack asked for another connection: {@code refresh_requested}. */
        REFRESH_REQUESTED,
        /** Slack asked for another connection, and gave a reason that is not known here, or none. */
        OTHER_DISCONNECT,
        /** The announced lifetime is nearly over. */
        LIFETIME,
        /** The other side closed the connection, or the network did. */
        LOST,
        /** A ping was not answered in time. */
        NO_PONG,
        /** There was no connection, or no {@code hello} on it, in time; or Slack did not give one. */
        NOT_OPENED,
        /** Slack has enough connections of this app: {@code too_many_websockets}. */
        TOO_MANY_WEBSOCKETS,
        /** Socket Mode was switched off for the app: {@code link_disabled}. */
        LINK_DISABLED,
        /** Slack does not accept the token: the detail has its error. */
        REFUSED,
        /** Another connection has taken its place. */
        REPLACED,
        /** The client is being closed. */
        SHUTDOWN;

        static Reason ofDisconnect(String word) {
            return switch (word) {
                case "warning" -> WARNING;
                case "refresh_requested" -> REFRESH_REQUESTED;
                case "link_disabled" -> LINK_DISABLED;
                case "too_many_websockets" -> TOO_MANY_WEBSOCKETS;
                default -> OTHER_DISCONNECT;
            };
        }
    }

    /**
     * Checks the event.
     *
     * @param type as described above
     * @param connection as described above
     * @param reason as described above
     * @param took as described above
     * @param detail as described above
     * @throws NullPointerException if an argument is null
     */
    public SocketEvent {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(reason, "reason");
        Objects.requireNonNull(took, "took");
        Objects.requireNonNull(detail, "detail");
    }
}
