package dev.idempotency;

import dev.idempotency.Idempotency.Tracing;
import dev.idempotency.IdempotencyListener.Outcome;
import dev.idempotency.IdempotencyListener.Run;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Everybody who listens or traces. What they throw is logged and changes nothing. */
final class Audience {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    private final LongSupplier nanoTime;
    private final List<IdempotencyListener> listeners;
    private final @Nullable Tracing tracing;

    Audience(LongSupplier nanoTime, List<IdempotencyListener> listeners, @Nullable Tracing tracing) {
        this.nanoTime = nanoTime;
        this.listeners = List.copyOf(listeners);
        this.tracing = tracing;
    }

    void tell(IdempotencyEvent event) {
        if (event.type().isAlarm()) {
            LOG.error("{} for {}: {}", event.type(), event.key(), event.detail());
        }
        Doubts.log(event);
        each(event.type().name(), listener -> listener.on(event));
    }

    boolean isListening() {
        return !listeners.isEmpty();
    }

    long nanoTime() {
        return nanoTime.getAsLong();
    }

    private Duration since(long from) {
        return Duration.ofNanos(Math.max(0, nanoTime() - from));
    }

    void tellStep(String step, long from, boolean failed) {
        Duration took = since(from);
        each(step, listener -> listener.onStoreStep(step, took, failed));
    }

    void tellPurged(int records) {
        each("purge", listener -> listener.onPurged(records));
    }

    void tellRun(Run run, IdempotencyKey key, Outcome outcome, long from) {
        Duration took = since(from);
        each(run.name(), listener -> listener.onRun(run, key, outcome, took));
    }

    private void each(String what, Consumer<IdempotencyListener> call) {
        for (IdempotencyListener listener : listeners) {
            quietly(what, () -> call.accept(listener));
        }
    }

    /** Runs somebody else's code. Whatever it throws, an Error or a checked exception too, is logged and ends nothing. */
    static void quietly(String what, Runnable call) {
        try {
            call.run();
        } catch (Throwable e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            try {
                LOG.warn("A listener or tracing failed on {}; nothing else changes", what, e);
            } catch (Throwable unloggable) {
                // What was thrown may be of a class that cannot be printed.
            }
        }
    }

    /** Begins to watch a run. */
    Watch watch(Run run, IdempotencyKey key) {
        if (listeners.isEmpty() && tracing == null) {
            return Watch.NONE;
        }
        var watch = new Watch(this, run, key);
        if (tracing != null) {
            quietly(run.name(), () -> watch.spanned(tracing.start(run, key.operation(), key.digest())));
        }
        return watch;
    }
}
