package dev.idempotency.testkit.app;

import dev.idempotency.Attempt;
import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.HttpFailures;
import dev.idempotency.ProviderProfile;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SealAnswer;
import dev.idempotency.testkit.app.BrokenApps.Receipt;
import java.io.IOException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Adapters that charge orders: one that is right, and others that are wrong in one way each. The request is the order's id; all
 * orders have one amount. A test of adapters must pass the first and refuse the others, by the clause of {@code
 * ProviderAdapterContract} that each one breaks.
 *
 * @since 0.1.0
 */
public enum BrokenAdapters {
    /** Right. */
    SOUND(null),
    /** Makes up a receipt of its own. */
    MAKES_UP_ITS_RECEIPT("P1"),
    /** Sends a new native key with each call. */
    SENDS_ITS_OWN_NATIVE_KEY("P2"),
    /** Has a profile whose window is twice as long as the provider's. */
    BELIEVES_IN_A_LONGER_WINDOW("P3"),
    /** Calls a timeout definite. */
    CALLS_TIMEOUTS_DEFINITE("P4"),
    /** Tells callers that an error of the provider is a decline. */
    CALLS_ERRORS_DECLINES("P4"),
    /** Has a client that repeats a request whose answer does not come. */
    REPEATS("P5"),
    /** Takes a decline for a success. */
    TAKES_DECLINES_FOR_SUCCESS("P6"),
    /** Takes "in progress" for "declined". */
    TAKES_IN_PROGRESS_FOR_DECLINED("P7"),
    /** Looks up something that the call did not send. */
    LOOKS_UP_ANOTHER_REFERENCE("P8"),
    /** Looks up by the amount. */
    LOOKS_UP_BY_AMOUNT("P9"),
    /** Takes a lookup that failed for "nothing there". */
    TAKES_A_FAILED_LOOKUP_FOR_MISSING("P10"),
    /** Looks up instead of sealing. */
    LOOKS_UP_INSTEAD_OF_SEALING("P11");

    private static final Duration WINDOW = Duration.ofHours(24);

    private final @Nullable String clause;

    BrokenAdapters(@Nullable String clause) {
        this.clause = clause;
    }

    /**
     * The clause that it breaks.
     *
     * @return such as {@code P4}; null for the one that is right
     */
    public @Nullable String clause() {
        return clause;
    }

    /**
     * What the provider of these adapters does.
     *
     * @return native keys for a day, lookup with a lag of two seconds, seal, "in progress"
     */
    public static ProviderBehavior behavior() {
        return ProviderBehavior.none()
                .withNativeKey(WINDOW)
                .withLookup(Duration.ofSeconds(2))
                .withSeal()
                .withInProgress409();
    }

    private boolean is(BrokenAdapters one) {
        return this == one;
    }

    /**
     * The profile that goes with the adapter.
     *
     * @return of the simulated provider
     */
    public ProviderProfile profile() {
        return ProviderProfile.of(
                "simulated",
                "the test kit",
                ProviderProfile.KeyFormat.uuid(),
                is(BELIEVES_IN_A_LONGER_WINDOW) ? WINDOW.multipliedBy(2) : WINDOW);
    }

    /**
     * The classifier that goes with the adapter.
     *
     * @return for its failures
     */
    public FailureClassifier failures() {
        FailureClassifier http = HttpFailures.classifier().notExecuted(429);
        return is(CALLS_TIMEOUTS_DEFINITE) ? http.on(HttpTimeoutException.class, FailureClass.NOT_EXECUTED) : http;
    }

    /**
     * The adapter.
     *
     * @param provider the way to the provider
     * @return a new adapter
     */
    public ProviderAdapter<String, Receipt> on(ProviderWire provider) {
        return new ProviderAdapter<>() {
            @Override
            public Receipt call(String order, Attempt attempt) throws Exception {
                String key = is(SENDS_ITS_OWN_NATIVE_KEY) ? UUID.randomUUID().toString() : attempt.nativeKey();
                return receipt(send(provider, order, key));
            }

            @Override
            public Finding<Receipt> lookup(String order, Attempt attempt) throws Exception {
                try {
                    return finding(looked(provider, order));
                } catch (IOException e) {
                    if (is(TAKES_A_FAILED_LOOKUP_FOR_MISSING)) {
                        return Finding.missing();
                    }
                    throw e;
                }
            }

            @Override
            public Finding<Receipt> seal(String order, Attempt attempt) throws Exception {
                if (is(LOOKS_UP_INSTEAD_OF_SEALING)) {
                    return finding(provider.search(effect -> attempt.nativeKey().equals(effect.nativeKey())));
                }
                return provider.seal(attempt.nativeKey()) instanceof SealAnswer.Found found
                        ? Finding.found(new Receipt(found.effect().effectId()))
                        : Finding.missing();
            }
        };
    }

    private Reply send(ProviderWire provider, String order, String key) throws IOException {
        try {
            return provider.send(key, order, "10 EUR");
        } catch (IOException e) {
            if (is(REPEATS)) {
                return provider.send(key, order, "10 EUR");
            }
            throw e;
        }
    }

    private Receipt receipt(Reply reply) throws DeclinedException {
        if (reply instanceof Reply.Created created) {
            return new Receipt(
                    is(MAKES_UP_ITS_RECEIPT) ? "receipt" : created.effect().effectId());
        }
        if (reply instanceof Reply.Replayed replayed) {
            return new Receipt(replayed.effect().effectId());
        }
        if (reply instanceof Reply.Declined declined) {
            if (is(TAKES_DECLINES_FOR_SUCCESS)) {
                return new Receipt("declined");
            }
            throw new DeclinedException(declined.reason());
        }
        if (reply instanceof Reply.RateLimited) {
            throw new HttpFailures.StatusException(429);
        }
        boolean inProgress = reply instanceof Reply.InProgress;
        if (inProgress ? is(TAKES_IN_PROGRESS_FOR_DECLINED) : is(CALLS_ERRORS_DECLINES)) {
            throw new DeclinedException("the provider said " + reply);
        }
        throw new HttpFailures.StatusException(inProgress ? 409 : 500);
    }

    private List<Effect> looked(ProviderWire provider, String order) throws IOException {
        return switch (this) {
            case LOOKS_UP_ANOTHER_REFERENCE -> provider.lookup("order " + order);
            case LOOKS_UP_BY_AMOUNT ->
                provider.search(effect -> effect.payload().equals("10 EUR"));
            default -> provider.lookup(order);
        };
    }

    private static Finding<Receipt> finding(List<Effect> effects) {
        return effects.isEmpty()
                ? Finding.missing()
                : Finding.found(new Receipt(effects.get(0).effectId()));
    }
}
