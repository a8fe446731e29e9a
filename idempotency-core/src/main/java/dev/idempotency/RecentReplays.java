package dev.idempotency;

/**
 * Whether most of an operation's latest runs have met an outcome that was there already. Those are cheaper to be found than to
 * be met by a reservation, while a first execution is one step shorter if it reserves at once. Only ever a guess, so threads may
 * overwrite each other's counts. Thread-safe.
 */
final class RecentReplays {
    private static final int MOST = 8;

    private volatile int balance;

    boolean prevail() {
        return balance >= MOST / 2;
    }

    void count(boolean replayed) {
        int before = balance;
        int after = replayed ? Math.min(MOST, before + 1) : Math.max(0, before - 1);
        if (after != before) {
            balance = after;
        }
    }
}
