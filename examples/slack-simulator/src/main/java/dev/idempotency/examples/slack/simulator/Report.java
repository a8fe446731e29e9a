package dev.idempotency.examples.slack.simulator;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import java.util.Map;

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
 */
public record Report(
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
        List<String> wrong) {
    /**
     * Times in milliseconds.
     *
     * @param median half of the acks took no longer
     * @param p99 of a hundred acks one took longer
     * @param longest none took longer
     */
    public record AckMillis(int median, int p99, int longest) {}

    /**
     * Tells whether each event had its one reply, in time.
     *
     * @return false if anything is off
     */
    @JsonIgnore
    public boolean isClean() {
        return events == effects && duplicates + lost + lateAcks + unasked + notDelivered == 0;
    }

    /**
     * The verdict in one line.
     *
     * @return such as {@code events=900 effects=900 duplicates=0 lost=0 late-acks=0}
     */
    public String line() {
        return "events=" + events + " effects=" + effects + " duplicates=" + duplicates + " lost=" + lost
                + " late-acks=" + lateAcks;
    }

    /**
     * The verdict about Socket Mode in one line.
     *
     * @param connections what became of them
     * @return such as {@code events=900 effects=900 duplicates=0 lost=0 gap-ms=0}
     */
    public String line(SocketReport connections) {
        return "events=" + events + " effects=" + effects + " duplicates=" + duplicates + " lost=" + lost + " gap-ms="
                + connections.gapMillis();
    }

    /**
     * Tells whether each event had its one reply, and there always was a connection. What a dying connection or a dead app had
     * not acknowledged was late, and came again.
     *
     * @param connections what became of them
     * @return false if anything is off
     */
    public boolean isClean(SocketReport connections) {
        return events == effects
                && duplicates + lost + unasked + notDelivered == 0
                && connections.gapMillis() == 0
                && connections.unknownAcks() == 0;
    }
}
