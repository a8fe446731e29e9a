package dev.idempotency.store;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Everything that is known about one key. Immutable.
 *
 * @param key which operation
 * @param generation 1, and one more with every override
 * @param fingerprint what the payload must be; null on an {@link State#OPEN} record that any payload may take
 * @param state where the key stands
 * @param version one more with every write of this record
 * @param token the latest attempt
 * @param attempt the number of the latest attempt in this generation, from 1
 * @param nativeKey what the provider gets as its own idempotency key
 * @param terms how a doubt may be resolved
 * @param result the recorded outcome; null unless the state is {@link State#COMPLETED} and the result has not expired
 * @param request what is to be written, for recovery without a caller; null unless the operation keeps requests and the
 *     key is {@link State#isUnresolved unresolved}
 * @param evidence the history, oldest first
 * @param times the store's times
 * @since 0.1.0
 */
public record IdempotencyRecord(
        IdempotencyKey key,
        int generation,
        @Nullable Fingerprint fingerprint,
        State state,
        long version,
        AttemptToken token,
        int attempt,
        String nativeKey,
        RecoveryTerms terms,
        @Nullable StoredResult result,
        @Nullable StoredRequest request,
        List<Evidence> evidence,
        Times times) {

    /**
     * The times of a record, all taken from the store's clock.
     *
     * @param createdAt when the key was first reserved
     * @param firstSentAt the earliest moment at which the native key can have been sent; only a new native key changes it
     * @param stateSince when the record came into its state
     * @param leaseUntil when the lease ends: of the attempt in flight, or, in doubt, of the worker that is recovering it;
     *     null in any other state, and in doubt while no worker has claimed it
     * @param expiresAt when a terminal record's result ends
     * @param forgetAt when the record itself may be removed; later than {@code expiresAt} when a tombstone is kept
     */
    public record Times(
            Instant createdAt,
            Instant firstSentAt,
            Instant stateSince,
            @Nullable Instant leaseUntil,
            Instant expiresAt,
            Instant forgetAt) {

        /** The times of a record that no store has written yet. */
        public static final Times UNSET =
                new Times(Instant.EPOCH, Instant.EPOCH, Instant.EPOCH, null, Instant.EPOCH, Instant.EPOCH);

        /**
         * Checks the times.
         *
         * @param createdAt as described above
         * @param firstSentAt as described above
         * @param stateSince as described above
         * @param leaseUntil as described above
         * @param expiresAt as described above
         * @param forgetAt as described above
         * @throws NullPointerException if one other than {@code leaseUntil} is null
         */
        public Times {
            Objects.requireNonNull(createdAt, "createdAt");
            Objects.requireNonNull(firstSentAt, "firstSentAt");
            Objects.requireNonNull(stateSince, "stateSince");
            Objects.requireNonNull(expiresAt, "expiresAt");
            Objects.requireNonNull(forgetAt, "forgetAt");
        }
    }

    /**
     * Checks the record.
     *
     * @param key as described above
     * @param generation as described above
     * @param fingerprint as described above
     * @param state as described above
     * @param version as described above
     * @param token as described above
     * @param attempt as described above
     * @param nativeKey as described above
     * @param terms as described above
     * @param result as described above
     * @param request as described above
     * @param evidence as described above
     * @param times as described above
     * @throws NullPointerException if an argument other than {@code fingerprint}, {@code result} or {@code request} is null
     * @throws IllegalArgumentException if {@code generation}, {@code version} or {@code attempt} is below 1
     */
    public IdempotencyRecord {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(state, "state");
        Objects.requireNonNull(token, "token");
        Objects.requireNonNull(nativeKey, "nativeKey");
        Objects.requireNonNull(terms, "terms");
        Objects.requireNonNull(times, "times");
        evidence = List.copyOf(Objects.requireNonNull(evidence, "evidence"));
        if (generation < 1 || version < 1 || attempt < 1) {
            throw new IllegalArgumentException("generation, version and attempt must be at least 1");
        }
    }

    /**
     * Tells whether {@code other} is the very write that this is: same key, attempt token and version. The one
     * comparison that {@link IdempotencyStore#replace} makes.
     *
     * @param other the record to compare with; null is never the same
     * @return true when no write lies between the two
     */
    public boolean isSameWriteAs(@Nullable IdempotencyRecord other) {
        return other != null && version == other.version && token.equals(other.token) && key.equals(other.key);
    }

    /**
     * Tells whether the attempt's lease is over.
     *
     * @param now the store's time
     * @return true when the record is in flight and its lease has run out
     */
    public boolean isLapsed(Instant now) {
        return state == State.IN_FLIGHT && times.leaseUntil() != null && !now.isBefore(times.leaseUntil());
    }

    /**
     * Tells whether the result may no longer be given out.
     *
     * @param now the store's time
     * @return true when the record is not unresolved and its retention is over
     */
    public boolean isExpired(Instant now) {
        return !state.isUnresolved() && !now.isBefore(times.expiresAt());
    }

    /**
     * Tells whether the record may be removed.
     *
     * @param now the store's time
     * @return true when the record is not unresolved and neither result nor tombstone is kept any longer
     */
    public boolean isForgettable(Instant now) {
        return !state.isUnresolved() && !now.isBefore(times.forgetAt());
    }

    /**
     * Starts a record that differs in some fields.
     *
     * @return a builder that holds this record's values; not thread-safe
     */
    public Builder with() {
        return new Builder(this);
    }

    /** Names key, state and version; never payload, result or native key. */
    @Override
    public String toString() {
        return "IdempotencyRecord[" + key + ", " + state + ", generation " + generation + ", attempt " + attempt
                + ", version " + version + "]";
    }

    /** Builds a record that differs from another in some fields. Not thread-safe. */
    public static final class Builder {
        private final IdempotencyKey key;
        private int generation;
        private @Nullable Fingerprint fingerprint;
        private State state;
        private long version;
        private AttemptToken token;
        private int attempt;
        private String nativeKey;
        private RecoveryTerms terms;
        private @Nullable StoredResult result;
        private @Nullable StoredRequest request;
        private List<Evidence> evidence;
        private Times times;

        Builder(IdempotencyRecord from) {
            key = from.key;
            generation = from.generation;
            fingerprint = from.fingerprint;
            state = from.state;
            version = from.version;
            token = from.token;
            attempt = from.attempt;
            nativeKey = from.nativeKey;
            terms = from.terms;
            result = from.result;
            request = from.request;
            evidence = from.evidence;
            times = from.times;
        }

        /**
         * Sets the generation.
         *
         * @param value from 1
         * @return this
         */
        public Builder generation(int value) {
            generation = value;
            return this;
        }

        /**
         * Sets the fingerprint.
         *
         * @param value null for "any payload"
         * @return this
         */
        public Builder fingerprint(@Nullable Fingerprint value) {
            fingerprint = value;
            return this;
        }

        /**
         * Sets the state.
         *
         * @param value the new state
         * @return this
         */
        public Builder state(State value) {
            state = value;
            return this;
        }

        /**
         * Sets the version.
         *
         * @param value from 1
         * @return this
         */
        public Builder version(long value) {
            version = value;
            return this;
        }

        /**
         * Sets the attempt token.
         *
         * @param value the new attempt's token
         * @return this
         */
        public Builder token(AttemptToken value) {
            token = value;
            return this;
        }

        /**
         * Sets the number of the attempt.
         *
         * @param value from 1
         * @return this
         */
        public Builder attempt(int value) {
            attempt = value;
            return this;
        }

        /**
         * Sets the native key.
         *
         * @param value what the provider gets
         * @return this
         */
        public Builder nativeKey(String value) {
            nativeKey = value;
            return this;
        }

        /**
         * Sets the recovery terms.
         *
         * @param value the terms
         * @return this
         */
        public Builder terms(RecoveryTerms value) {
            terms = value;
            return this;
        }

        /**
         * Sets the recorded outcome.
         *
         * @param value null for none
         * @return this
         */
        public Builder result(@Nullable StoredResult value) {
            result = value;
            return this;
        }

        /**
         * Sets the kept request.
         *
         * @param value null for none
         * @return this
         */
        public Builder request(@Nullable StoredRequest value) {
            request = value;
            return this;
        }

        /**
         * Sets the whole history.
         *
         * @param value oldest first
         * @return this
         */
        public Builder evidence(List<Evidence> value) {
            evidence = value;
            return this;
        }

        /**
         * Sets the times.
         *
         * @param value the store's times
         * @return this
         */
        public Builder times(Times value) {
            times = value;
            return this;
        }

        /**
         * Makes the record.
         *
         * @return a new record
         * @throws NullPointerException if a field that must not be null is
         * @throws IllegalArgumentException if a number is below 1
         */
        public IdempotencyRecord build() {
            return new IdempotencyRecord(
                    key,
                    generation,
                    fingerprint,
                    state,
                    version,
                    token,
                    attempt,
                    nativeKey,
                    terms,
                    result,
                    request,
                    evidence,
                    times);
        }
    }
}
