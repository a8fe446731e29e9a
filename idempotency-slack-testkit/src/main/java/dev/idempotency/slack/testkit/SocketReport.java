package dev.idempotency.slack.testkit;

import java.util.Map;

/**
 * What Slack saw of the connections of Socket Mode.
 *
 * @param live how many connections serve now: hello was said, and they answer
 * @param gapMillis how long none served, while Slack refused none and the app was not away; with what sudden deaths caused,
 *     unless the last connection may die
 * @param gaps how often
 * @param longestGapMillis the longest of them
 * @param suddenMillis how long none served after one had gone without a word and before another came
 * @param longestSuddenMillis the longest of them
 * @param refusedMillis how long none served while Slack refused connections
 * @param awayMillis how long none served while the app was away
 * @param opened how many connections there were
 * @param refused how often apps.connections.open refused
 * @param envelopes how many envelopes were sent
 * @param ackedInTime how many of them were acknowledged in time
 * @param ackedLate how many of them too late
 * @param lateWhileServing how many were not acknowledged in time, although the connection that brought them went on serving and the
 *     app was not said to be away
 * @param ackedElsewhere how many by another connection than the one that brought them
 * @param unknownAcks acknowledgements of what was never sent
 * @param ends how connections ended, by kind
 *
 * @since 0.1.0
 */
public record SocketReport(
        int live,
        long gapMillis,
        int gaps,
        long longestGapMillis,
        long suddenMillis,
        long longestSuddenMillis,
        long refusedMillis,
        long awayMillis,
        int opened,
        int refused,
        int envelopes,
        int ackedInTime,
        int ackedLate,
        int lateWhileServing,
        int ackedElsewhere,
        int unknownAcks,
        Map<String, Integer> ends) {
    /**
     * The figures in one line.
     *
     * @return such as {@code connections=40 refused=3 envelopes=4000 acked=3990 late=10 late-while-serving=0 elsewhere=4 gap-ms=0 gaps=0}
     */
    public String line() {
        return "connections=" + opened + " refused=" + refused + " envelopes=" + envelopes + " acked=" + ackedInTime
                + " late=" + ackedLate + " late-while-serving=" + lateWhileServing + " elsewhere=" + ackedElsewhere
                + " gaps=" + gaps + " longest-gap-ms="
                + longestGapMillis + " sudden-ms=" + suddenMillis + " longest-sudden-ms=" + longestSuddenMillis
                + " refused-ms=" + refusedMillis + " away-ms=" + awayMillis + " ends=" + ends;
    }
}
