package dev.idempotency;

import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditEntry.Act;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.StoredResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What people do about keys: see those that are unresolved, decide those in doubt, open closed ones again, and let another
 * payload take over a key. Thread-safe; it needs no {@link Operation} and makes no call.
 *
 * <p>Each act names who, why and on what evidence, and is written ahead into the store's audit trail. It holds for the
 * record exactly as it was reviewed, by version: whatever happened since, it is refused with a {@link RefusedException} and
 * changes nothing. An act whose end nobody saw, because a process died or the store failed, may simply be repeated with the
 * same arguments: it is completed, found to be done, or refused, and never done twice.
 *
 * <p>Names are compared, and nothing else is known of people: who may call this, and as whom, is for the application to
 * authenticate.
 *
 * @since 0.1.0
 */
public final class Admin {
    /** How long a key that has agreed on nothing must have been in doubt, unless somebody sets it. */
    static final Duration QUIESCENCE = Duration.ofHours(24);

    private static final int TRAIL = 100;

    /**
     * What a person says to an act. All three end up in the audit trail and in the record's history: no secret, no payload.
     *
     * @param who who decides: 1 to 200 characters
     * @param why for what reason: 1 to 1,000 characters
     * @param evidence on what evidence, such as a reference to what the provider shows: 1 to 1,000 characters
     */
    public record Ruling(String who, String why, String evidence) {
        /**
         * Checks the texts. Markup is kept as it is: whoever shows it has to escape it.
         *
         * @param who as described above
         * @param why as described above
         * @param evidence as described above
         * @throws NullPointerException if a text is null
         * @throws IllegalArgumentException if a text is blank or too long, or has control characters, line separators, or
         *     characters that are invisible or turn the direction of writing; and if {@code who} has neither a letter nor a
         *     digit, or has a word with letters of several scripts
         */
        public Ruling {
            Names.person("who", who, 200);
            Names.text("why", why, 1000);
            Names.text("evidence", evidence, 1000);
        }
    }

    /**
     * Which unresolved keys to list.
     *
     * @param state {@link State#IN_FLIGHT} or {@link State#IN_DOUBT}; null for both
     * @param scope an operation's name, for all its tenants too, or name and tenant; null for all
     * @param atLeast for how long at least they have been in their state; zero for all
     * @param limit how many at most, from 1 to 1,000
     * @param after the last record of the page before; null for the first page
     */
    public record Query(
            @Nullable State state,
            @Nullable String scope,
            Duration atLeast,
            int limit,
            @Nullable IdempotencyRecord after) {
        /**
         * Checks the query.
         *
         * @param state as described above
         * @param scope as described above
         * @param atLeast as described above
         * @param limit as described above
         * @param after as described above
         * @throws NullPointerException if {@code atLeast} is null
         * @throws IllegalArgumentException if {@code state} is not an unresolved one, {@code atLeast} is negative or
         *     {@code limit} out of its range
         */
        public Query {
            if (state != null && !state.isUnresolved()) {
                throw new IllegalArgumentException("state is " + state + "; it must be IN_FLIGHT, IN_DOUBT or null");
            }
            Settings.atLeastZero("atLeast", atLeast);
            if (limit < 1 || limit > 1000) {
                throw new IllegalArgumentException("limit is " + limit + "; it must be from 1 to 1000");
            }
        }

        /**
         * All unresolved keys.
         *
         * @param limit how many at most, from 1 to 1,000
         * @return the query for the first page
         * @throws IllegalArgumentException if {@code limit} is out of its range
         */
        public static Query all(int limit) {
            return new Query(null, null, Duration.ZERO, limit, null);
        }

        /**
         * The same for the page that follows.
         *
         * @param last the last record of the page before
         * @return a new query
         * @throws NullPointerException if {@code last} is null
         */
        public Query next(IdempotencyRecord last) {
            return new Query(state, scope, atLeast, limit, Objects.requireNonNull(last, "last"));
        }
    }

    /**
     * What is to be known of a key before somebody decides.
     *
     * @param record what stands
     * @param now the store's time at which it stood
     * @param audit the latest entries of the key's audit trail, newest first: at most 100, {@link Admin#audit} has them all
     * @param pending the requests among them, of overrides and withdrawals, that wait for an approval and hold for the record as it stands
     * @param quiescentAt from when on the write may be said not to have happened, by the store's clock; null unless the key is
     *     in doubt
     * @param recovery what automatic recovery could still do, in a sentence for people
     */
    public record Review(
            IdempotencyRecord record,
            Instant now,
            List<AuditEntry> audit,
            List<AuditEntry> pending,
            @Nullable Instant quiescentAt,
            String recovery) {
        /**
         * Checks the review.
         *
         * @param record as described above
         * @param now as described above
         * @param audit as described above; copied
         * @param pending as described above; copied
         * @param quiescentAt as described above
         * @param recovery as described above
         * @throws NullPointerException if an argument other than {@code quiescentAt} is null
         */
        public Review {
            Objects.requireNonNull(record, "record");
            Objects.requireNonNull(now, "now");
            audit = List.copyOf(Objects.requireNonNull(audit, "audit"));
            pending = List.copyOf(Objects.requireNonNull(pending, "pending"));
            Objects.requireNonNull(recovery, "recovery");
        }

        /**
         * Tells whether the write may be said not to have happened.
         *
         * @return true when the key is in doubt and quiescent
         */
        public boolean isQuiescent() {
            return quiescentAt != null && !now.isBefore(quiescentAt);
        }
    }

    private final AuditedStore store;
    private final Acts acts;
    private final Duration quiescence;

    private Admin(Builder builder) {
        store = builder.store;
        quiescence = builder.quiescence;
        acts = new Acts(store, quiescence, builder.retention, List.copyOf(builder.listeners), builder.near);
    }

    /**
     * Puts an admin on a store, with defaults for all the rest.
     *
     * @param store where records and trail stand
     * @return the admin
     * @throws NullPointerException if {@code store} is null
     */
    public static Admin on(AuditedStore store) {
        return builder(store).build();
    }

    /**
     * Puts an admin on a store, setting by setting.
     *
     * @param store where records and trail stand
     * @return a builder; not thread-safe
     * @throws NullPointerException if {@code store} is null
     */
    public static Builder builder(AuditedStore store) {
        return new Builder(store);
    }

    /** Puts an admin on a store, setting by setting. Not thread-safe. */
    public static final class Builder {
        private final AuditedStore store;
        private final List<IdempotencyListener> listeners = new ArrayList<>();
        private Duration quiescence = QUIESCENCE;
        private Duration retention = Duration.ofDays(7);
        private @Nullable NearCache near;

        private Builder(AuditedStore store) {
            this.store = Objects.requireNonNull(store, "store");
        }

        /**
         * Sets how long a key that has agreed on no quiescence, as under {@link Recovery#hold}, must have been in doubt before
         * a person may say that its write has not happened. By default 24 hours. It must be longer than anything in flight can
         * live: {@link Quiescence} says what adds up.
         *
         * @param quiescence not negative, at most 366 days
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder quiescence(Duration quiescence) {
            this.quiescence = Settings.atLeastZero("quiescence", quiescence);
            return this;
        }

        /**
         * Sets how long at least what a person has decided is remembered. By default 7 days; longer than any caller retries. A
         * key that was reserved for longer keeps its own, and its tombstone.
         *
         * @param retention more than zero, at most 366 days
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder retention(Duration retention) {
            this.retention = Settings.between("retention", retention, Duration.ofMillis(1), Settings.LONGEST);
            return this;
        }

        /**
         * Adds a listener for what people do.
         *
         * @param listener hears it after it has happened
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder listener(IdempotencyListener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /**
         * Has outcomes dropped that a person's act ends.
         *
         * @param near what keeps them in this process, in front of the same store
         * @return this
         * @throws NullPointerException if it is null
         * @apiNote Experimental: may change or go in any version.
         */
        public Builder nearCache(NearCache near) {
            this.near = Objects.requireNonNull(near, "near");
            return this;
        }

        /**
         * Makes the admin.
         *
         * @return a new instance
         */
        public Admin build() {
            return new Admin(this);
        }
    }

    // ---- see

    /**
     * Lists keys in flight or in doubt, longest in their state first. Reads on until it has a full page: a narrow query over
     * many unresolved keys is not cheap.
     *
     * @param query which ones
     * @return a page; less than the query's limit when it is the last
     * @throws NullPointerException if {@code query} is null
     * @throws StoreException if the store failed
     */
    public List<IdempotencyRecord> unresolved(Query query) {
        return new UnresolvedPage(store, query).read();
    }

    /**
     * Shows all that is known of a key. Changes nothing.
     *
     * @param key which key
     * @return the review; null when no record stands. The trail outlives the record, so {@link #audit} may have entries all
     *     the same
     * @throws NullPointerException if {@code key} is null
     * @throws StoreException if the store failed
     */
    public @Nullable Review review(IdempotencyKey key) {
        var snapshot = store.find(Objects.requireNonNull(key, "key"));
        IdempotencyRecord standing = snapshot.record();
        if (standing == null) {
            return null;
        }
        List<AuditEntry> trail = store.audit(key, null, TRAIL);
        return new Review(
                standing,
                snapshot.now(),
                trail,
                Acts.pending(trail, standing),
                standing.state() == State.IN_DOUBT ? StateMachine.quiescentAt(standing, quiescence) : null,
                outlook(standing, snapshot.now()));
    }

    /**
     * Reads the audit trail, newest first. It is kept when records are purged.
     *
     * @param key which key; null for all
     * @param before the last entry of the page before; null for the first page
     * @param limit how many at most, from 1
     * @return a page; less than {@code limit} only when it is the last
     * @throws IllegalArgumentException if {@code limit} is below 1
     * @throws StoreException if the store failed
     */
    public List<AuditEntry> audit(@Nullable IdempotencyKey key, @Nullable AuditEntry before, int limit) {
        return store.audit(key, before, limit);
    }

    // ---- decide a key in doubt

    /**
     * Records that the write of a key in doubt has happened. Needs no waiting: that it is there cannot change any more. A key
     * in flight whose lease is over counts as in doubt.
     *
     * @param key which key
     * @param version the version of the record that was reviewed
     * @param result what came of it, encoded as the operation's codec does, or a decline; null when that is not known: every
     *     caller then gets a {@link ResultUnavailableException}
     * @param ruling who, why, on what evidence
     * @return the completed record
     * @throws RefusedException if the record has changed since, or the key is not in doubt; also if the act is repeated with
     *     another result, because that is another act
     * @throws IllegalArgumentException if {@code result} is a decline whose reason is blank or longer than
     *     {@value DeclinedException#MAX_REASON} characters
     * @throws NullPointerException if {@code key} or {@code ruling} is null
     * @throws StoreException if the store failed; repeating the act is safe
     */
    public IdempotencyRecord resolveExecuted(
            IdempotencyKey key, long version, @Nullable StoredResult result, Ruling ruling) {
        String outcome = Acts.outcome(result);
        return acts.act(Act.EXECUTED, key, version, ruling, outcome, acts.executed(result, outcome));
    }

    /**
     * Records that the write of a key in doubt has not happened. Refused until the key is quiescent: before that, what is in
     * flight may still take effect. A key in flight whose lease is over comes into doubt by this, and has to wait from then
     * on.
     *
     * @param key which key
     * @param version the version of the record that was reviewed
     * @param ruling who, why, on what evidence
     * @return the closed record
     * @throws RefusedException if the record has changed since, or the key is not in doubt, or not for long enough
     * @throws NullPointerException if {@code key} or {@code ruling} is null
     * @throws StoreException if the store failed; repeating the act is safe
     */
    public IdempotencyRecord resolveNotExecuted(IdempotencyKey key, long version, Ruling ruling) {
        return acts.act(Act.NOT_EXECUTED, key, version, ruling, "", acts.notExecuted());
    }

    /**
     * As {@link #resolveNotExecuted}, and opens the key again in the same step: the next execution of the same payload makes
     * the call, in a new generation and with a new native key. Makes no call by itself.
     *
     * @param key which key
     * @param version the version of the record that was reviewed
     * @param ruling who, why, on what evidence
     * @return the open record
     * @throws RefusedException if the record has changed since, or the key is not in doubt, or not for long enough
     * @throws NullPointerException if {@code key} or {@code ruling} is null
     * @throws StoreException if the store failed; repeating the act is safe
     */
    public IdempotencyRecord reExecute(IdempotencyKey key, long version, Ruling ruling) {
        return acts.act(Act.REEXECUTE, key, version, ruling, "", acts.reExecuted());
    }

    // ---- open a key again

    /**
     * Opens a closed key again for its own payload: the next execution makes the call, in a new generation and with a new
     * native key.
     *
     * @param key which key
     * @param version the version of the record that was reviewed
     * @param ruling who, why, on what evidence
     * @return the open record
     * @throws RefusedException if the record has changed since, or the key is not closed
     * @throws NullPointerException if {@code key} or {@code ruling} is null
     * @throws StoreException if the store failed; repeating the act is safe
     */
    public IdempotencyRecord reopen(IdempotencyKey key, long version, Ruling ruling) {
        return acts.act(Act.REOPEN, key, version, ruling, "", acts.reopened());
    }

    /**
     * Asks that another payload takes over a key that is completed or closed. Writes only to the audit trail: a second person
     * has to {@link #approveOverride approve} it. Void as soon as anything happens to the record.
     *
     * @param key which key, as {@link Operation#keyOf} says
     * @param version the version of the record that was reviewed
     * @param fingerprint the new payload, as {@link Operation#fingerprintOf} or {@link MismatchException#offered} says
     * @param ruling who, why, on what evidence
     * @return the request, whose id is to be approved; the one there is, if the same person asks the same again
     * @throws RefusedException if there is no record, it has changed since, is neither completed nor closed, or has this
     *     payload already
     * @throws IllegalArgumentException if the fingerprint is none that a request can have: {@value Fingerprint#JCS_SHA256} with
     *     64 lower-case hexadecimal digits
     * @throws NullPointerException if an argument is null
     * @throws StoreException if the store failed; repeating the act is safe
     */
    public AuditEntry requestOverride(IdempotencyKey key, long version, Fingerprint fingerprint, Ruling ruling) {
        return acts.request(key, version, fingerprint, ruling);
    }

    /**
     * Approves an override. The key is then open for the new payload alone, in a new generation: the next execution of a
     * request with that payload makes a call, with a new native key.
     *
     * @param key which key
     * @param requestId the id of the request
     * @param ruling who approves, why, on what evidence; not who asked: case, blanks, accents and letters of another script that
     *     look the same make no other person
     * @return the open record
     * @throws RefusedException if there is no such request, or it was approved or refused already, or somebody else has begun
     *     to approve it; if the same person asked; or if the record is not exactly the one that the request was about
     * @throws NullPointerException if an argument is null
     * @throws StoreException if the store failed; repeating the act is safe
     */
    public IdempotencyRecord approveOverride(IdempotencyKey key, String requestId, Ruling ruling) {
        return acts.approve(Act.OVERRIDE, key, requestId, ruling);
    }

    /**
     * Refuses an override, or takes one's own request back. Writes only to the audit trail. An approval that is being applied
     * at the same moment may come first all the same; the trail then has both, and the record's history says what holds.
     *
     * @param key which key
     * @param requestId the id of the request
     * @param ruling who refuses, why, on what evidence
     * @return the refusal
     * @throws RefusedException if there is no such request, or it was approved or refused already
     * @throws NullPointerException if an argument is null
     * @throws StoreException if the store failed; repeating the act is safe
     */
    public AuditEntry refuseOverride(IdempotencyKey key, String requestId, Ruling ruling) {
        return acts.refuse(Act.OVERRIDE, key, requestId, ruling);
    }

    /**
     * Asks to take back what has opened a key again: an override approved for a payload that nobody has, or a reopening that is
     * not wanted any more. What the key had come to before counts again, for the payload that it had then. Writes only to the
     * audit trail: a second person has to {@link #approveWithdrawal approve} it. Void as soon as anything happens to the
     * record.
     *
     * @param key which key
     * @param version the version of the record that was reviewed
     * @param ruling who, why, on what evidence
     * @return the request, whose id is to be approved, with the fingerprint of the payload whose outcome counts again; the one
     *     there is, if the same person asks the same again
     * @throws RefusedException if there is no record, or it has changed since; if nobody has opened it, or an attempt was made
     *     since then; or if history or trail do not say any more what stood before
     * @throws NullPointerException if an argument is null
     * @throws StoreException if the store failed; repeating the act is safe
     */
    public AuditEntry requestWithdrawal(IdempotencyKey key, long version, Ruling ruling) {
        return acts.requestWithdrawal(key, version, ruling);
    }

    /**
     * Approves a withdrawal. The key is then completed or closed as it was before it was opened; its generation stays, so that
     * no native key is ever used for two payloads.
     *
     * @param key which key
     * @param requestId the id of the request
     * @param ruling who approves, why, on what evidence; not who asked, as for {@link #approveOverride}
     * @return the completed or closed record
     * @throws RefusedException if there is no such request, or it was approved or refused already, or somebody else has begun
     *     to approve it; if the same person asked; or if the record is not exactly the one that the request was about
     * @throws NullPointerException if an argument is null
     * @throws StoreException if the store failed; repeating the act is safe
     */
    public IdempotencyRecord approveWithdrawal(IdempotencyKey key, String requestId, Ruling ruling) {
        return acts.approve(Act.WITHDRAW, key, requestId, ruling);
    }

    /**
     * Refuses a withdrawal, or takes one's own request back, as {@link #refuseOverride} does with an override.
     *
     * @param key which key
     * @param requestId the id of the request
     * @param ruling who refuses, why, on what evidence
     * @return the refusal
     * @throws RefusedException if there is no such request, or it was approved or refused already
     * @throws NullPointerException if an argument is null
     * @throws StoreException if the store failed; repeating the act is safe
     */
    public AuditEntry refuseWithdrawal(IdempotencyKey key, String requestId, Ruling ruling) {
        return acts.refuse(Act.WITHDRAW, key, requestId, ruling);
    }

    // ---- what is left without a person

    private static String outlook(IdempotencyRecord record, Instant now) {
        return switch (record.state()) {
            case OPEN -> "Nothing is in doubt; the next execution makes the call.";
            case COMPLETED -> "Nothing is in doubt; the recorded outcome is replayed.";
            case CLOSED -> "Nothing is in doubt; \"not executed\" is replayed.";
            case IN_FLIGHT ->
                record.isLapsed(now)
                        ? "The lease is over: the next execution brings the key into doubt. " + agreed(record, now)
                        : "The attempt in flight may still end it.";
            case IN_DOUBT -> agreed(record, now);
        };
    }

    private static String agreed(IdempotencyRecord record, Instant now) {
        RecoveryTerms terms = record.terms();
        String late = "A late answer of the attempt would complete it. ";
        return late
                + switch (terms.policy()) {
                    case HOLD -> "Nothing else was agreed on: a person decides.";
                    case LOOKUP -> "The next execution asks the provider" + missing(terms) + ".";
                    case SEAL -> "The next execution has the provider seal the attempt" + missing(terms) + ".";
                    case NATIVE -> resend(record, now, "; after that a person decides.", "a person decides.");
                    case NATIVE_THEN_LOOKUP ->
                        resend(
                                record,
                                now,
                                "; after that it asks the provider" + missing(terms) + ".",
                                "the next execution asks the provider" + missing(terms) + ".");
                    case SAME_TRANSACTION ->
                        "The next execution makes the call again: what was not committed did nothing.";
                };
    }

    private static String resend(IdempotencyRecord record, Instant now, String after, String over) {
        Duration window = record.terms().resendWithin();
        Instant end = window == null ? now : record.times().firstSentAt().plus(window);
        return now.isBefore(end)
                ? "The next execution sends the same native key again, until " + end + after
                : "The provider's window is over: " + over;
    }

    private static String missing(RecoveryTerms terms) {
        String when = terms.quiescence() == null ? "" : " once the key has been in doubt for " + terms.quiescence();
        return switch (terms.whenMissing()) {
            case HOLD -> ", and records what it has; if it has nothing, a person decides";
            case REEXECUTE -> ", and records what it has; if it has nothing, calls again" + when;
            case CLOSE -> ", and records what it has; if it has nothing, closes the key" + when;
        };
    }
}
