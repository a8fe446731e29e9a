package dev.idempotency.testkit;

import dev.idempotency.testkit.SimulatedProvider.Treatment;
import java.time.Duration;
import java.util.Objects;

/**
 * A {@link SimulatedProvider} behind a network that fails by a {@link FaultPlan}. Thread-safe; holds no state but the plan's
 * counters.
 *
 * @since 0.1.0
 */
public final class UnreliableProvider {

    private final SimulatedProvider provider;
    private final FaultPlan plan;
    private final Duration slow;
    private final Duration delay;

    /**
     * Creates a provider that fails by plan.
     *
     * @param provider the provider itself
     * @param plan what goes wrong
     * @param slow how long after the request the answer of {@link Fault#SLOW_PAST_TIMEOUT} comes; zero or more
     * @param delay how long after the request the one of {@link Fault#DELAYED_EFFECT} arrives; zero or more
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a time is negative
     */
    public UnreliableProvider(SimulatedProvider provider, FaultPlan plan, Duration slow, Duration delay) {
        this.provider = Objects.requireNonNull(provider, "provider");
        this.plan = Objects.requireNonNull(plan, "plan");
        this.slow = slow;
        this.delay = delay;
        if (slow.isNegative() || delay.isNegative()) {
            throw new IllegalArgumentException("times must not be negative: slow " + slow + ", delay " + delay);
        }
    }

    /**
     * Returns the provider behind the network, to look at its ledger.
     *
     * @return the provider given at construction
     */
    public SimulatedProvider provider() {
        return provider;
    }

    /**
     * Returns the plan.
     *
     * @return the plan given at construction
     */
    public FaultPlan plan() {
        return plan;
    }

    Duration delay() {
        return delay;
    }

    /**
     * Sends a request. This counts as one try of its reference.
     *
     * @param submission the request
     * @return what the client sees of it
     * @throws NullPointerException if the submission is null
     * @throws java.io.UncheckedIOException if the ledger's file cannot be written; the effect may then have happened
     */
    public Observation submit(Submission submission) {
        return switch (plan.next(submission.reference())) {
            case NONE -> new Observation.Answered(provider.submit(submission));
            case REPLY_LOST_AFTER_EFFECT, RESET_AFTER_EFFECT -> {
                provider.submit(submission);
                yield new Observation.Dropped();
            }
            case RESET_BEFORE_EFFECT -> new Observation.Dropped();
            case DELAYED_EFFECT -> {
                provider.submitLater(submission, delay);
                yield new Observation.Dropped();
            }
            case SLOW_PAST_TIMEOUT -> new Observation.Late(provider.submit(submission, slow), slow);
            case ERROR_500_AFTER_EFFECT -> answered(submission, Treatment.FAIL_AFTER_EFFECT);
            case ERROR_500_BEFORE_EFFECT -> answered(submission, Treatment.FAIL_BEFORE_EFFECT);
            case DECLINED_402 -> answered(submission, Treatment.DECLINE);
            case REFUSED_429 -> new Observation.Answered(provider.refuse(submission));
        };
    }

    private Observation answered(Submission submission, Treatment treatment) {
        return new Observation.Answered(provider.submit(submission, Duration.ZERO, treatment));
    }
}
