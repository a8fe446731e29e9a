package dev.idempotency;

import dev.idempotency.store.WakingStore;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What the store tells one waiting run. A notice that comes between two looks is kept for the pause that follows, so that none
 * is missed from the first pause on. Thread-safe.
 */
final class WakeUp {
    private CompletableFuture<@Nullable Void> next = new CompletableFuture<>();
    private WakingStore.@Nullable Watch watch;

    static WakeUp on(WakingStore store, IdempotencyKey key) {
        var wakeUp = new WakeUp();
        try {
            wakeUp.watch = store.watch(key, wakeUp::wake);
        } catch (Throwable e) {
            // The run looks from time to time anyway.
            wakeUp.watch = null;
        }
        return wakeUp;
    }

    private void wake() {
        next().complete(null);
    }

    /** Ends with the first notice since the last look. */
    synchronized CompletableFuture<@Nullable Void> next() {
        return next;
    }

    /** What was told so far will be seen by the look that begins now. */
    synchronized void look() {
        if (next.isDone()) {
            next = new CompletableFuture<>();
        }
    }

    void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
