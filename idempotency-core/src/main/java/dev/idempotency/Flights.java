package dev.idempotency;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The runs of one operation that are under way in this process, so that others of the same key wait for them instead of asking
 * the store. A flight ends with its run, with whatever its run throws, and with the loss of its lease: from then on its key is
 * decided by the record, as it is for other processes. Thread-safe.
 */
final class Flights<O extends @Nullable Object> {
    private final ConcurrentMap<IdempotencyKey, Flight> flights = new ConcurrentHashMap<>();

    /** One run that others may wait for. */
    final class Flight {
        private final IdempotencyKey key;
        private final Fingerprint fingerprint;
        private final CompletableFuture<@Nullable Answer<O>> end = new CompletableFuture<>();
        private volatile @Nullable Thread caller;
        private volatile @Nullable Lease lease;

        private Flight(IdempotencyKey key, Fingerprint fingerprint) {
            this.key = key;
            this.fingerprint = fingerprint;
        }

        /** Whether this thread makes the call of this flight, and would wait for itself. */
        boolean isInsideOf(Thread thread) {
            return caller == thread;
        }

        /** The run goes on in this thread, and in no other. */
        void flownBy(Thread thread) {
            caller = thread;
        }

        /** The run has acquired its key. */
        void leased(Lease acquired) {
            lease = acquired;
            acquired.onLost(() -> end(null));
        }

        /**
         * Ends the flight. May be done twice: the first end counts.
         *
         * @param answer what those who wait for it get too; null if each has to try for itself
         */
        void end(@Nullable Answer<O> answer) {
            flights.remove(key, this);
            end.complete(answer != null && answer.shared() ? answer : null);
        }

        /** Ends with what those who wait get too, or with null; never exceptionally. */
        CompletableFuture<@Nullable Answer<O>> ended() {
            Lease current = lease;
            // Leases are renewed by other threads; where none could be had, the clock alone tells.
            if (current != null && current.isOver()) {
                end(null);
            }
            return end;
        }
    }

    /**
     * Begins a flight, unless another run of the same payload is under way.
     *
     * @return the one to wait for, or else null: then {@code mine} is the key's flight, or flies beside one of another payload
     */
    @Nullable
    Flight begin(Flight mine) {
        Flight other = flights.putIfAbsent(mine.key, mine);
        return other == null || !other.fingerprint.equals(mine.fingerprint) ? null : other;
    }

    Flight flight(IdempotencyKey key, Fingerprint fingerprint) {
        return new Flight(key, fingerprint);
    }
}
