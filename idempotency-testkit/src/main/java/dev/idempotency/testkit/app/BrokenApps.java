package dev.idempotency.testkit.app;

import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.HttpFailures;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.ForwardingStore;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SealAnswer;
import java.io.IOException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Small applications that charge orders: four that are right, and one for each way to be wrong. What tests an application must
 * pass the former and name the {@link #mistake()} of the latter.
 *
 * @since 0.1.0
 */
public enum BrokenApps {
    /** Right: re-sends under a native key. */
    SOUND_NATIVE_KEY(null, Policy.NATIVE),
    /** Right: looks up, waits, and calls again. */
    SOUND_LOOKUP(null, Policy.LOOKUP),
    /** Right: seals. */
    SOUND_SEAL(null, Policy.SEAL),
    /** Right: holds. */
    SOUND_HOLD(null, Policy.HOLD),

    /** Draws its key. */
    DRAWS_ITS_KEY(Mistake.RANDOM_KEY, Policy.NATIVE),
    /** Has the time of the request in its key. */
    HAS_THE_TIME_IN_ITS_KEY(Mistake.VOLATILE_KEY, Policy.NATIVE),
    /** Takes the currency for the key. */
    KEYS_BY_CURRENCY(Mistake.COARSE_KEY, Policy.NATIVE),
    /** Writes a set of items in no particular order. */
    WRITES_UNORDERED_JSON(Mistake.UNSTABLE_PAYLOAD, Policy.NATIVE),
    /** Calls a timeout definite. */
    CALLS_TIMEOUTS_DEFINITE(Mistake.AMBIGUOUS_CALLED_DEFINITE, Policy.NATIVE),
    /** Tells callers that a 500 is a decline. */
    CALLS_ERRORS_DECLINES(Mistake.AMBIGUOUS_CALLED_DEFINITE, Policy.NATIVE),
    /** Has an HTTP client that repeats a request whose answer does not come. */
    HAS_A_CLIENT_THAT_REPEATS(Mistake.CLIENT_REPEATS, Policy.NATIVE),
    /** Calls the provider itself when the library's store fails. */
    FAILS_OPEN(Mistake.FAILS_OPEN, Policy.NATIVE),
    /** Sends a new native key with each call. */
    SENDS_ITS_OWN_NATIVE_KEY(Mistake.OWN_NATIVE_KEY, Policy.NATIVE),
    /** Takes the window for twice as long as it is. */
    BELIEVES_IN_A_LONGER_WINDOW(Mistake.WINDOW_TOO_LONG, Policy.NATIVE),
    /** Believes that nothing is under way for longer than a second. */
    WAITS_TOO_SHORTLY(Mistake.QUIESCENCE_TOO_SHORT, Policy.LOOKUP),
    /** Looks up by something that the call did not send. */
    LOOKS_UP_ANOTHER_REFERENCE(Mistake.LOOKUP_MISSES, Policy.LOOKUP),
    /** Takes a lookup that failed for "nothing there". */
    TAKES_A_FAILED_LOOKUP_FOR_MISSING(Mistake.LOOKUP_ERROR_IS_MISSING, Policy.LOOKUP),
    /** Looks up by the amount. */
    LOOKS_UP_BY_AMOUNT(Mistake.ANSWER_OF_ANOTHER, Policy.LOOKUP),
    /** Makes up a receipt when the outcome is not known. */
    MAKES_UP_ANSWERS(Mistake.ANSWER_WITHOUT_EFFECT, Policy.HOLD),
    /** Has a store that hides that it could not write. */
    SWALLOWS_STORE_FAILURES(Mistake.RECORD_FAILURE_SWALLOWED, Policy.NATIVE),
    /** Forgets records after an hour. */
    FORGETS_TOO_EARLY(Mistake.RETENTION_TOO_SHORT, Policy.HOLD);

    /**
     * An order to charge.
     *
     * @param id which order
     * @param amount in cents
     * @param items what for; a set
     * @param at when the caller asked, anew with each retry
     */
    public record Order(String id, long amount, List<String> items, Instant at) {
        /**
         * Copies.
         *
         * @param id as described above
         * @param amount as described above
         * @param items as described above
         * @param at as described above
         */
        public Order {
            items = List.copyOf(items);
        }
    }

    /**
     * What the caller gets.
     *
     * @param id the provider's id of the charge
     */
    public record Receipt(String id) {}

    private enum Policy {
        NATIVE,
        LOOKUP,
        SEAL,
        HOLD
    }

    private static final Duration WINDOW = Duration.ofHours(24);
    private static final Duration LAG = Duration.ofSeconds(2);
    private static final Duration TRANSIT = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofSeconds(10);

    private final @Nullable Mistake mistake;
    private final Policy policy;

    BrokenApps(@Nullable Mistake mistake, Policy policy) {
        this.mistake = mistake;
        this.policy = policy;
    }

    /**
     * What it does wrong.
     *
     * @return the mistake that a test must name; null for an application that is right
     */
    public @Nullable Mistake mistake() {
        return mistake;
    }

    /**
     * The application.
     *
     * @return charges orders at a provider that does what the application's recovery needs
     */
    public App<Order, Receipt> app() {
        return new Payments();
    }

    private final class Payments implements App<Order, Receipt> {
        private boolean is(BrokenApps one) {
            return BrokenApps.this == one;
        }

        @Override
        public Operation<Order, Receipt> start(AppProcess process) {
            Idempotency idempotency = is(SWALLOWS_STORE_FAILURES)
                    ? process.idempotency(new Swallowing(process.store())).build()
                    : process.idempotency().build();
            return idempotency
                    .operation("charge", Order.class, Receipt.class)
                    .key(this::key)
                    .fingerprint(this::payload)
                    .recovery(recovery(process.provider()))
                    .failures(failures())
                    .retention(is(FORGETS_TOO_EARLY) ? Duration.ofHours(1) : Duration.ofDays(7))
                    .calling((order, attempt) ->
                            receipt(charge(process.provider(), order, nativeKey(attempt.nativeKey()))));
        }

        private Object key(Order order) {
            return switch (BrokenApps.this) {
                case DRAWS_ITS_KEY -> UUID.randomUUID();
                case HAS_THE_TIME_IN_ITS_KEY -> order.id() + "@" + order.at();
                case KEYS_BY_CURRENCY -> "EUR";
                default -> order.id();
            };
        }

        private Object payload(Order order) {
            return Map.of(
                    "id",
                    order.id(),
                    "amount",
                    order.amount(),
                    "items",
                    is(WRITES_UNORDERED_JSON)
                            ? order.items()
                            : order.items().stream().sorted().toList());
        }

        private FailureClassifier failures() {
            FailureClassifier http = HttpFailures.classifier().notExecuted(429);
            return is(CALLS_TIMEOUTS_DEFINITE) ? http.on(HttpTimeoutException.class, FailureClass.NOT_EXECUTED) : http;
        }

        private String nativeKey(String ofTheAttempt) {
            return is(SENDS_ITS_OWN_NATIVE_KEY) ? UUID.randomUUID().toString() : ofTheAttempt;
        }

        private Reply charge(ProviderWire provider, Order order, String nativeKey) throws IOException {
            String payload = order.amount() + " EUR";
            if (!is(HAS_A_CLIENT_THAT_REPEATS)) {
                return provider.send(nativeKey, order.id(), payload);
            }
            try {
                return provider.send(nativeKey, order.id(), payload);
            } catch (IOException e) {
                return provider.send(nativeKey, order.id(), payload);
            }
        }

        private Receipt receipt(Reply reply) throws DeclinedException {
            if (reply instanceof Reply.Created created) {
                return new Receipt(created.effect().effectId());
            }
            if (reply instanceof Reply.Replayed replayed) {
                return new Receipt(replayed.effect().effectId());
            }
            if (reply instanceof Reply.Declined declined) {
                throw new DeclinedException(declined.reason());
            }
            if (reply instanceof Reply.RateLimited) {
                throw new HttpFailures.StatusException(429);
            }
            if (is(CALLS_ERRORS_DECLINES)) {
                throw new DeclinedException("the provider has an error");
            }
            throw new HttpFailures.StatusException(500);
        }

        private Recovery<Order, Receipt> recovery(ProviderWire provider) {
            return switch (policy) {
                case HOLD -> Recovery.hold();
                case NATIVE ->
                    Recovery.nativeKey(ProviderProfile.of(
                                    "simulated",
                                    "the test kit",
                                    ProviderProfile.KeyFormat.uuid(),
                                    is(BELIEVES_IN_A_LONGER_WINDOW) ? WINDOW.multipliedBy(2) : WINDOW)
                            .withBounds(PAUSE, TRANSIT));
                case SEAL ->
                    Recovery.seal(
                            (order, attempt) -> provider.seal(attempt.nativeKey()) instanceof SealAnswer.Found found
                                    ? Finding.found(new Receipt(found.effect().effectId()))
                                    : Finding.missing());
                case LOOKUP ->
                    Recovery.lookupThenReexecute(
                            (order, attempt) -> found(provider, order),
                            is(WAITS_TOO_SHORTLY)
                                    ? Quiescence.of(Duration.ofSeconds(1), Duration.ZERO)
                                            .withPause(Duration.ZERO)
                                    : Quiescence.of(TRANSIT, LAG).withPause(PAUSE));
            };
        }

        private Finding<Receipt> found(ProviderWire provider, Order order) throws IOException {
            List<Effect> effects;
            try {
                effects = switch (BrokenApps.this) {
                    case LOOKS_UP_ANOTHER_REFERENCE -> provider.lookup("order " + order.id());
                    case LOOKS_UP_BY_AMOUNT ->
                        provider.search(effect -> effect.payload().equals(order.amount() + " EUR"));
                    default -> provider.lookup(order.id());
                };
            } catch (IOException e) {
                if (is(TAKES_A_FAILED_LOOKUP_FOR_MISSING)) {
                    return Finding.missing();
                }
                throw e;
            }
            return effects.isEmpty()
                    ? Finding.missing()
                    : Finding.found(new Receipt(effects.get(0).effectId()));
        }

        @Override
        public Receipt execute(Operation<Order, Receipt> operation, AppProcess process, Order order) {
            try {
                return operation.execute(order);
            } catch (StoreException e) {
                if (!is(FAILS_OPEN)) {
                    throw e;
                }
                try {
                    return receipt(
                            charge(process.provider(), order, UUID.randomUUID().toString()));
                } catch (IOException | DeclinedException failed) {
                    throw new IllegalStateException(failed);
                }
            } catch (dev.idempotency.InDoubtException e) {
                if (!is(MAKES_UP_ANSWERS)) {
                    throw e;
                }
                return new Receipt("pending");
            }
        }

        @Override
        public Order again(Order order) {
            var items = new ArrayList<>(order.items());
            Collections.reverse(items);
            return new Order(order.id(), order.amount(), items, order.at().plusSeconds(1));
        }

        @Override
        public boolean isAbout(Receipt answer, Effect effect) {
            return answer.id().equals(effect.effectId());
        }

        @Override
        public ProviderBehavior provider() {
            return switch (policy) {
                case NATIVE -> ProviderBehavior.none().withNativeKey(WINDOW);
                case LOOKUP -> ProviderBehavior.none().withLookup(LAG);
                case SEAL -> ProviderBehavior.none().withSeal();
                case HOLD -> ProviderBehavior.none();
            };
        }

        @Override
        public Duration longestTransit() {
            return TRANSIT;
        }

        @Override
        public Duration longestPause() {
            return PAUSE;
        }
    }

    /** "The database is flaky today, let us not fail for that." */
    private static final class Swallowing extends ForwardingStore {
        Swallowing(IdempotencyStore store) {
            super(store);
        }

        @Override
        public Snapshot replace(IdempotencyRecord expected, Write write) {
            try {
                return super.replace(expected, write);
            } catch (StoreException e) {
                Instant now = find(expected.key()).now();
                return new Snapshot(true, write.at(now), now);
            }
        }
    }
}
