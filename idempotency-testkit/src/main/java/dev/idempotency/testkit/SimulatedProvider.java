package dev.idempotency.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A provider in this process: executes each {@link Submission} at most once per native key within the key's window, as far as
 * its {@link ProviderBehavior} says, and writes every effect to its ledger. Deterministic: it starts no thread, never sleeps,
 * and takes the time from its clock only.
 *
 * <p>Order of checks, as real providers have it: sealed key, known key (another request, in progress, stored answer), decline
 * rule, effect.
 *
 * <p>Thread-safe; each method is one atomic step with respect to all others, sealing included. What it knows of native keys
 * it takes from the ledger at the start: effects and seals outlive a restart, declines, stored errors and the first use of a
 * key that has no effect do not.
 *
 * @since 0.1.0
 */
public final class SimulatedProvider {

    /** What happens to one request apart from what the provider would do by itself. */
    enum Treatment {
        NORMAL,
        DECLINE,
        REFUSE,
        FAIL_BEFORE_EFFECT,
        FAIL_AFTER_EFFECT
    }

    private record KeyUse(String reference, String payloadDigest, Reply answer, Instant answeredAt) {

        boolean isFor(Submission submission) {
            return reference.equals(submission.reference())
                    && payloadDigest.equals(Effect.digest(submission.payload()));
        }
    }

    private record Underway(Instant arrival, long order, Submission submission) {}

    private final ProviderBehavior behavior;
    private final EffectLedger ledger;
    private final InstantSource clock;
    private final Predicate<Submission> declines;
    private final Map<String, KeyUse> keys = new HashMap<>();
    /** What the window counts from, also for keys that have no answer yet. */
    private final Map<String, Instant> firstUses = new HashMap<>();

    private final PriorityQueue<Underway> underway =
            new PriorityQueue<>(Comparator.comparing(Underway::arrival).thenComparing(Underway::order));
    private long order;

    /**
     * Creates a provider that declines nothing.
     *
     * @param behavior what the provider can do
     * @param ledger where its effects go; what it holds already is known to the provider
     * @param clock the provider's clock
     * @throws NullPointerException if an argument is null
     */
    public SimulatedProvider(ProviderBehavior behavior, EffectLedger ledger, InstantSource clock) {
        this(behavior, ledger, clock, submission -> false);
    }

    /**
     * Creates a provider.
     *
     * @param behavior what the provider can do
     * @param ledger where its effects go; what it holds already is known to the provider
     * @param clock the provider's clock
     * @param declines the rule for declines: true for a submission that must have no effect; called under the provider's
     *     monitor, so it must be quick and must not call the provider
     * @throws NullPointerException if an argument is null
     */
    public SimulatedProvider(
            ProviderBehavior behavior, EffectLedger ledger, InstantSource clock, Predicate<Submission> declines) {
        this.behavior = Objects.requireNonNull(behavior, "behavior");
        this.ledger = Objects.requireNonNull(ledger, "ledger");
        this.clock = Objects.requireNonNull(clock, "clock");
        this.declines = Objects.requireNonNull(declines, "declines");
        for (var effect : ledger.effects()) {
            if (effect.nativeKey() != null) {
                var at = effect.receivedAt();
                firstUses.put(effect.nativeKey(), at);
                keys.put(
                        effect.nativeKey(),
                        new KeyUse(effect.reference(), effect.payloadDigest(), new Reply.Created(effect), at));
            }
        }
    }

    /**
     * Returns what this provider can do.
     *
     * @return the behavior given at construction
     */
    public ProviderBehavior behavior() {
        return behavior;
    }

    /**
     * Returns what this provider did. Requests that are underway and due are taken in first.
     *
     * @return the ledger given at construction
     */
    public EffectLedger ledger() {
        takeInArrivals();
        return ledger;
    }

    /**
     * Takes in a request and answers at once.
     *
     * @param submission the request
     * @return the answer
     * @throws NullPointerException if the submission is null
     * @throws java.io.UncheckedIOException if the ledger's file cannot be written; the effect may then have happened
     */
    public Reply submit(Submission submission) {
        return submit(submission, Duration.ZERO);
    }

    /**
     * Takes in a request that is answered later. The effect happens now; until the answer the native key is in progress.
     *
     * @param submission the request
     * @param answerTime how long the answer takes on the provider's clock; zero or more
     * @return the answer, which the caller has to hold back for so long
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the time is negative
     * @throws java.io.UncheckedIOException if the ledger's file cannot be written; the effect may then have happened
     */
    public Reply submit(Submission submission, Duration answerTime) {
        requireNotNegative(answerTime);
        return submit(submission, answerTime, Treatment.NORMAL);
    }

    /**
     * Takes in a request and refuses it, as one that comes too soon is refused. It has no effect and is not remembered, but a
     * window that counts from the first request with a native key counts from it.
     *
     * @param submission the request
     * @return {@link Reply.RateLimited}, or what stands in the way of the request before it can be refused
     * @throws NullPointerException if the submission is null
     */
    public Reply refuse(Submission submission) {
        return submit(submission, Duration.ZERO, Treatment.REFUSE);
    }

    synchronized Reply submit(Submission submission, Duration answerTime, Treatment treatment) {
        var now = takeInArrivals();
        return receive(submission, now, now.plus(answerTime), treatment);
    }

    /**
     * Sends a request that arrives later: the provider knows nothing of it until then. It is taken in by the first call of any
     * method after its time, with the time of its arrival, and nobody gets its answer.
     *
     * @param submission the request
     * @param delay how long it is underway on the provider's clock; zero or more
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the delay is negative
     */
    public synchronized void submitLater(Submission submission, Duration delay) {
        Objects.requireNonNull(submission, "submission");
        requireNotNegative(delay);
        underway.add(new Underway(takeInArrivals().plus(delay), order++, submission));
    }

    /**
     * Returns the effects of one reference that a lookup can see by now.
     *
     * @param reference the caller's name for the thing
     * @return the effects in the order they happened; empty may mean that the lookup lag has not passed
     * @throws NullPointerException if the reference is null
     * @throws IllegalStateException if the behavior has no lookup
     */
    public synchronized List<Effect> lookup(String reference) {
        Objects.requireNonNull(reference, "reference");
        var now = takeInArrivals();
        return visible(ledger.effectsOf(reference), now);
    }

    /**
     * Returns the effects under one native key that a lookup can see by now, also after the key's window.
     *
     * @param nativeKey the native key
     * @return the effects in the order they happened; empty may mean that the lookup lag has not passed
     * @throws NullPointerException if the key is null
     * @throws IllegalStateException if the behavior has no lookup
     */
    public synchronized List<Effect> lookupByKey(String nativeKey) {
        Objects.requireNonNull(nativeKey, "nativeKey");
        var now = takeInArrivals();
        return visible(ledger.effectsUnder(nativeKey), now);
    }

    /**
     * Finds the effect under a native key, or makes sure that there will never be one. Not subject to the lookup lag, nor to
     * the key's window.
     *
     * @param nativeKey the native key
     * @return the first effect under the key, or that the key is sealed
     * @throws NullPointerException if the key is null
     * @throws IllegalStateException if the behavior has no seal
     * @throws java.io.UncheckedIOException if the ledger's file cannot be written; the key may then be sealed
     */
    public synchronized SealAnswer seal(String nativeKey) {
        Objects.requireNonNull(nativeKey, "nativeKey");
        if (!behavior.seal()) {
            throw new IllegalStateException("this provider cannot seal");
        }
        takeInArrivals();
        var effects = ledger.effectsUnder(nativeKey);
        if (!effects.isEmpty()) {
            return new SealAnswer.Found(effects.get(0));
        }
        ledger.appendSeal(nativeKey);
        return new SealAnswer.Sealed();
    }

    /** Takes in what has arrived by now, in the order of arrival, and returns the time. */
    private synchronized Instant takeInArrivals() {
        var now = clock.instant();
        for (var next = underway.peek(); next != null && !next.arrival().isAfter(now); next = underway.peek()) {
            underway.remove();
            receive(next.submission(), next.arrival(), next.arrival(), Treatment.NORMAL);
        }
        return now;
    }

    private Reply receive(Submission submission, Instant now, Instant answeredAt, Treatment treatment) {
        var key = submission.nativeKey();
        if (key != null && ledger.isSealed(key)) {
            return new Reply.SealedRefused();
        }
        if (key == null || !behavior.nativeKey()) {
            return treatment == Treatment.REFUSE
                    ? new Reply.RateLimited()
                    : answered(outcome(submission, now, treatment), treatment);
        }
        var use = remembered(key, now);
        if (treatment == Treatment.REFUSE) {
            return new Reply.RateLimited();
        }
        if (use != null) {
            return answered(known(use, submission, now), treatment);
        }
        var outcome = outcome(submission, now, treatment);
        var answer = answered(outcome, treatment);
        var stored = behavior.storesErrors() ? answer : outcome;
        if (behavior.storesErrors() || !(stored instanceof Reply.Error5xx)) {
            keys.put(key, new KeyUse(submission.reference(), Effect.digest(submission.payload()), stored, answeredAt));
            if (behavior.windowFromAnswer()) {
                firstUses.put(key, now);
            }
        }
        return answer;
    }

    private Reply known(KeyUse use, Submission submission, Instant now) {
        if (!use.isFor(submission)) {
            return new Reply.KeyReused();
        }
        if (behavior.inProgress409() && now.isBefore(use.answeredAt())) {
            return new Reply.InProgress();
        }
        return use.answer() instanceof Reply.Created created ? new Reply.Replayed(created.effect()) : use.answer();
    }

    private Reply outcome(Submission submission, Instant now, Treatment treatment) {
        if (treatment == Treatment.FAIL_BEFORE_EFFECT) {
            return new Reply.Error5xx(500);
        }
        if (treatment == Treatment.DECLINE || declines.test(submission)) {
            return new Reply.Declined("declined by the provider");
        }
        var effect = new Effect(
                String.format(Locale.ROOT, "effect-%06d", ledger.count() + 1),
                submission.nativeKey(),
                submission.reference(),
                submission.payload(),
                now,
                submission.requestId());
        ledger.append(effect);
        return new Reply.Created(effect);
    }

    private static Reply answered(Reply outcome, Treatment treatment) {
        return switch (treatment) {
            case NORMAL, DECLINE, REFUSE -> outcome;
            case FAIL_BEFORE_EFFECT, FAIL_AFTER_EFFECT -> new Reply.Error5xx(500);
        };
    }

    private @Nullable KeyUse remembered(String key, Instant now) {
        var window = behavior.window();
        var firstUse = firstUses.get(key);
        if (firstUse == null || (window != null && !now.isBefore(firstUse.plus(window)))) {
            keys.remove(key);
            firstUses.put(key, now);
        }
        return keys.get(key);
    }

    private List<Effect> visible(List<Effect> effects, Instant now) {
        if (!behavior.lookup()) {
            throw new IllegalStateException("this provider has no lookup");
        }
        return effects.stream()
                .filter(effect ->
                        !effect.receivedAt().plus(behavior.lookupLag()).isAfter(now))
                .toList();
    }

    private static void requireNotNegative(Duration time) {
        if (time.isNegative()) {
            throw new IllegalArgumentException("time must not be negative: " + time);
        }
    }
}
