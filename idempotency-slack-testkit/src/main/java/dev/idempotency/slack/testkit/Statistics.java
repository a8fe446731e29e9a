package dev.idempotency.slack.testkit;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** Counts attempts. Thread-safe. */
final class Statistics {
    private final Map<String, Integer> statuses = new TreeMap<>();
    private final Map<String, Integer> retries = new TreeMap<>();
    private int[] ackMillis = new int[1024];
    private int acks;
    private int attempts;
    private int late;
    private int givenUp;

    synchronized void attempted(Transport.Attempt attempt, int retryNum) {
        attempts++;
        statuses.merge(attempt.status() == 0 ? attempt.end().reason() : attempt.status() / 100 + "xx", 1, Integer::sum);
        if (retryNum > 0) {
            retries.merge(Integer.toString(retryNum), 1, Integer::sum);
        }
        if (attempt.end() == Transport.End.LATE) {
            late++;
        }
        if (attempt.end() == Transport.End.ACKED) {
            if (acks == ackMillis.length) {
                ackMillis = Arrays.copyOf(ackMillis, acks * 2);
            }
            ackMillis[acks++] = (int) attempt.took().toMillis();
        }
    }

    synchronized void gaveUp() {
        givenUp++;
    }

    synchronized int attempts() {
        return attempts;
    }

    /** Attempts that the app did not answer in time. */
    synchronized int late() {
        return late;
    }

    /** Deliveries whose last attempt has failed. */
    synchronized int givenUp() {
        return givenUp;
    }

    /** Attempts by the class of their status, or by what went wrong. */
    synchronized Map<String, Integer> statuses() {
        return new TreeMap<>(statuses);
    }

    /** Attempts by their number, without the first ones. */
    synchronized Map<String, Integer> retries() {
        return new TreeMap<>(retries);
    }

    /** How long acks took: the median, the 99th of a hundred, and the longest, in milliseconds. */
    synchronized DeliveryReport.AckMillis ackMillis() {
        int[] sorted = Arrays.copyOf(ackMillis, acks);
        Arrays.sort(sorted);
        return acks == 0
                ? new DeliveryReport.AckMillis(0, 0, 0)
                : new DeliveryReport.AckMillis(sorted[acks / 2], sorted[(int) (acks * 0.99)], sorted[acks - 1]);
    }
}
