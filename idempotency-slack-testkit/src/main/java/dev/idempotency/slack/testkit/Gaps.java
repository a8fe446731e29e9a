package dev.idempotency.slack.testkit;

import java.util.EnumMap;
import java.util.Map;

/** Measures how long no connection served, and whose doing that was. Thread-safe. */
final class Gaps {
    /** Why none serves. */
    enum Cause {
        /** The app has let it come to that. */
        APP,
        /** The last one went without a word, or the one that was to take its place did. */
        SUDDEN,
        /** Slack refused connections. */
        REFUSED,
        /** The app is killed or frozen. */
        AWAY
    }

    /** By cause: the sum, the count and the longest. */
    private final Map<Cause, long[]> totals = new EnumMap<>(Cause.class);

    private int live;
    private long since;
    private Cause cause = Cause.AWAY;
    private boolean isAway;

    /** One went without a word, and none has come since. */
    private boolean isBereft;

    /** One was refused, and none has come since. */
    private boolean isRefused;

    /** Until the first connection serves, the app is not there yet. */
    Gaps(long now) {
        since = now;
    }

    /** One more serves. */
    synchronized void opened(long now) {
        isBereft = false;
        isRefused = false;
        if (live++ == 0) {
            end(now);
        }
    }

    /** One less. */
    synchronized void ended(boolean isSudden, long now) {
        isBereft |= isSudden;
        if (--live == 0) {
            since = now;
            cause = isAway ? Cause.AWAY : isRefused ? Cause.REFUSED : isBereft ? Cause.SUDDEN : Cause.APP;
        }
    }

    /** A connection was refused: whoever has none has a reason. */
    synchronized void refused() {
        isRefused = true;
        if (live == 0 && cause != Cause.AWAY) {
            cause = Cause.REFUSED;
        }
    }

    /** The app is stopped or killed, or is there again: a gap that began while it was away goes on until a connection serves. */
    synchronized void away(boolean value) {
        isAway = value;
        if (value && live == 0) {
            cause = Cause.AWAY;
        }
    }

    private long[] total(Cause of) {
        return totals.computeIfAbsent(of, none -> new long[3]);
    }

    private void end(long now) {
        long[] total = total(cause);
        long lasted = now - since;
        total[0] += lasted;
        total[1]++;
        total[2] = Math.max(total[2], lasted);
    }

    synchronized int live() {
        return live;
    }

    /** The sum of what was caused so, with what lasts; nanoseconds. */
    synchronized long sum(Cause of, long now) {
        return total(of)[0] + (live == 0 && cause == of ? now - since : 0);
    }

    synchronized int count(Cause of) {
        return (int) total(of)[1] + (live == 0 && cause == of ? 1 : 0);
    }

    /** The longest that was caused so, with what lasts; nanoseconds. */
    synchronized long longest(Cause of, long now) {
        return Math.max(total(of)[2], live == 0 && cause == of ? now - since : 0);
    }
}
