package dev.idempotency.slack.testkit;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What became of the events, as Slack saw it.
 *
 * @param events what people did that asks for a reply
 * @param effects what the app posted
 * @param duplicates replies beyond the first to one event
 * @param lost events that were acknowledged, and have no reply
 * @param lateAcks attempts that the app did not answer in time
 * @param unasked posts that nobody asked for: answers to bots, to itself or to edits, or in the wrong place
 * @param notDelivered events that Slack gave up, all attempts failed, and that have no reply
 * @param deliveries how many deliveries were planned
 * @param attempts how often Slack tried
 * @param givenUp deliveries whose last attempt has failed; the event may have arrived by another one
 * @param statuses attempts by the class of their status, or by what went wrong
 * @param retries attempts by the number that Slack gave them
 * @param ackMillis how long acks took
 * @param faults what went wrong in the Web API, and how often
 * @param quirks which oddities of Slack's the stream had, and how often
 * @param wrong some of what is wrong, for people
 * @param seed what the run was made from
 * @param sockets what became of the connections of Socket Mode; null over HTTP
 *
 * @since 0.1.0
 */
public record DeliveryReport(
        int events,
        int effects,
        int duplicates,
        int lost,
        int lateAcks,
        int unasked,
        int notDelivered,
        int deliveries,
        int attempts,
        int givenUp,
        Map<String, Integer> statuses,
        Map<String, Integer> retries,
        AckMillis ackMillis,
        Map<String, Integer> faults,
        Map<String, Integer> quirks,
        List<String> wrong,
        long seed,
        @Nullable SocketReport sockets) {
    /**
     * Times in milliseconds.
     *
     * @param median half of the acks took no longer
     * @param p99 of a hundred acks one took longer
     * @param longest none took longer
     */
    public record AckMillis(int median, int p99, int longest) {}

    /**
     * Tells whether each event had its one reply, in time. Over Socket Mode, also whether there always was a connection; what a dying
     * connection or an app that is said to be away has not acknowledged in time is not held against the app there.
     *
     * @return false if anything is off
     */
    @JsonIgnore
    public boolean isClean() {
        boolean isEachOnce = events == effects && duplicates + lost + unasked + notDelivered == 0;
        return isEachOnce
                && (sockets == null
                        ? lateAcks == 0
                        : sockets.lateWhileServing() + sockets.unknownAcks() == 0 && sockets.gapMillis() == 0);
    }

    /**
     * Fails a test unless the run was {@linkplain #isClean clean}, and unless anything happened in it. The message names the seed,
     * the figures and some of what was wrong.
     *
     * @throws AssertionError if anything is off, or if no event asked for a reply
     */
    public void assertClean() {
        if (isClean() && events > 0) {
            return;
        }
        var message = new StringBuilder("The app did not reply once, in time, to each message of a person. Seed ")
                .append(seed)
                .append(": ")
                .append(line())
                .append(" unasked=")
                .append(unasked)
                .append(" not-delivered=")
                .append(notDelivered)
                .append("; answers ")
                .append(statuses)
                .append(", faults of the Web API ")
                .append(faults);
        if (events == 0) {
            message.append("\n  nothing happened that asks for a reply: make more deliveries");
        }
        if (sockets != null) {
            message.append("\n  ").append(sockets.line());
        }
        wrong.forEach(line -> message.append("\n  ").append(line));
        throw new AssertionError(message.toString());
    }

    /**
     * The verdict in one line.
     *
     * @return such as {@code events=900 effects=900 duplicates=0 lost=0 late-acks=0}; over Socket Mode it ends in {@code gap-ms=0}
     */
    public String line() {
        return "events=" + events + " effects=" + effects + " duplicates=" + duplicates + " lost=" + lost
                + (sockets == null ? " late-acks=" + lateAcks : " gap-ms=" + sockets.gapMillis());
    }
}
