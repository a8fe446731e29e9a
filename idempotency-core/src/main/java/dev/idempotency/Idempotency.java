package dev.idempotency;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyStore;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The entry: writes to somebody else's system, made once, on one store. Thread-safe; make one per store and keep it.
 *
 * <pre>{@code
 * var idempotency = Idempotency.on(store);
 *
 * var charge = idempotency.operation("charge-card", ChargeRequest.class, Charge.class)
 *     .key(ChargeRequest::orderId)
 *     .recovery(Recovery.nativeKey(Providers.STRIPE_V1))
 *     .calling((request, attempt) -> stripe.charge(request, attempt.nativeKey()));
 *
 * Charge receipt = charge.execute(request);
 * }</pre>
 *
 * @since 0.1.0
 */
public final class Idempotency implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);
    private static final IntervalFunction BACKOFF =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(10), 1.6, 0.3, Duration.ofSeconds(1));

    /**
     * Makes spans of runs, for a tracing system. Called on the threads that the runs are on. What it throws is logged and
     * changes nothing. Implementations are thread-safe.
     */
    public interface Tracing {
        /**
         * Starts a span, as a part of whatever is current in this thread.
         *
         * @param run what is run
         * @param operation the operation's name
         * @param keyDigest stands for the key: {@link IdempotencyKey#digest()}
         * @return the span
         */
        Span start(IdempotencyListener.Run run, String operation, String keyDigest);

        /** One run. Thread-safe. */
        interface Span {
            /**
             * Makes this the current span of this thread, so that spans which are started meanwhile are parts of it.
             *
             * @return ends that; closed on the same thread
             */
            Scope enter();

            /**
             * Ends the span. Called once.
             *
             * @param outcome how the run ended
             * @param attempt the number of the key's latest attempt that the run has seen; 0 if none
             */
            void end(IdempotencyListener.Outcome outcome, int attempt);
        }

        /** A span is the current one of a thread. */
        interface Scope extends AutoCloseable {
            @Override
            void close();
        }
    }

    private final IdempotencyStore store;
    private final ObjectMapper json;
    private final ObjectMapper values;
    private final ObjectMapper fingerprints;
    private final ConcurrentMap<String, List<Class<?>>> types = new ConcurrentHashMap<>();
    private final LongSupplier nanoTime;
    private final Supplier<AttemptToken> tokens;
    private final Audience audience;
    private final Workers workers;
    private final Driver driver;
    private final @Nullable NearCache near;
    private volatile boolean closed;

    private Idempotency(Builder builder) {
        store = builder.store;
        json = builder.json;
        values = builder.isJsonGiven ? json : Modules.present(json);
        fingerprints = Sets.sorting(json);
        nanoTime = builder.nanoTime;
        tokens = builder.tokens;
        audience = new Audience(builder.nanoTime, builder.listeners, builder.tracing);
        workers = new Workers(builder.executor, builder.scheduler);
        driver = new Driver(audience, store, workers);
        near = builder.near;
    }

    /**
     * Puts the library on a store, with defaults for all the rest.
     *
     * @param store where records stand
     * @return the entry
     * @throws NullPointerException if {@code store} is null
     */
    public static Idempotency on(IdempotencyStore store) {
        return builder(store).build();
    }

    /**
     * Puts the library on a store, setting by setting.
     *
     * @param store where records stand
     * @return a builder; not thread-safe
     * @throws NullPointerException if {@code store} is null
     */
    public static Builder builder(IdempotencyStore store) {
        return new Builder(store);
    }

    /**
     * Describes an operation.
     *
     * @param name what the write is called: 1 to 100 letters, digits, dots, hyphens and underscores. Part of every key, so
     *     never change it while results are kept
     * @param requestType the request
     * @param resultType the result; {@code Void.class} for none
     * @param <I> the request
     * @param <O> the result
     * @return a builder that still needs a key and a call
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if {@code name} is not one
     */
    public <I, O extends @Nullable Object> Operation.Builder<I, O> operation(
            String name, Class<I> requestType, Class<O> resultType) {
        Objects.requireNonNull(requestType, "requestType");
        Objects.requireNonNull(resultType, "resultType");
        return new Operation.Builder<>(this, name, requestType, resultType);
    }

    <I, O extends @Nullable Object> Operation<I, O> build(OperationSpec<I, O> spec, Guarantee guarantee) {
        LOG.info(
                "Operation {}: level {} ({}) on a {} store, recovery {}; explain() says on what conditions",
                spec.name(),
                guarantee.level(),
                guarantee.level().title(),
                store.storeClass(),
                spec.terms().policy());
        return new Operation<>(this, spec, ports(spec.spans()), driver, guarantee);
    }

    Ports ports(Event.Spans spans) {
        var leases = new LeaseKeeper(driver, workers, spans.lease());
        return new Ports(
                nanoTime,
                tokens,
                new StateMachine(),
                BACKOFF,
                leases::keep,
                audience::tell,
                near,
                new RecentReplays(),
                workers.goingOn(),
                Watch.NONE);
    }

    void tell(IdempotencyEvent event) {
        audience.tell(event);
    }

    Audience audience() {
        return audience;
    }

    /**
     * The codec that an operation has when it is given none: JSON of the declared type, by this instance's mapper. To be
     * wrapped in another one, as one that encrypts.
     *
     * @param type what is encoded
     * @param <T> the same
     * @return a thread-safe codec
     */
    public <T extends @Nullable Object> Codec<T> codec(Class<T> type) {
        return new JsonCodec<>(Objects.requireNonNull(type, "type"), values);
    }

    IdempotencyStore store() {
        return store;
    }

    ExecutorService executor() {
        return workers.executor();
    }

    ScheduledExecutorService scheduler() {
        return workers.timer();
    }

    Workers workers() {
        return workers;
    }

    /** Nothing new begins once this was closed. */
    void refuseClosed() {
        if (closed) {
            throw new IllegalStateException("This Idempotency was closed; nothing was written. Close it when nothing is"
                    + " executed any more, or make a new one");
        }
    }

    ObjectMapper json() {
        return json;
    }

    /** For what is read again. */
    ObjectMapper values() {
        return values;
    }

    /** For what is only compared. */
    ObjectMapper fingerprints() {
        return fingerprints;
    }

    /**
     * Two operations of one name have the same keys.
     *
     * @throws IllegalStateException if the name stands for an operation of other types
     */
    void name(String name, Class<?> requestType, Class<?> resultType) {
        List<Class<?>> now = List.of(requestType, resultType);
        List<Class<?>> before = types.putIfAbsent(name, now);
        if (before != null && !before.equals(now)) {
            throw new IllegalStateException("There is an operation '" + name + "' already, from "
                    + before.get(0).getName() + " to " + before.get(1).getName() + "; one from " + requestType.getName()
                    + " to " + resultType.getName()
                    + " would have the same keys, and could not read its results. Give one"
                    + " of them another name");
        }
    }

    /**
     * Begins nothing new from now on, and lets the threads that this instance made end as soon as nothing is left to do on
     * them. Executions that are under way end as they would, with their leases renewed, and outcomes that are still to be
     * recorded go on being recorded.
     */
    @Override
    public void close() {
        closed = true;
        workers.close();
    }

    /** Puts the library on a store, setting by setting. Not thread-safe. */
    public static final class Builder {
        private final IdempotencyStore store;
        private final List<IdempotencyListener> listeners = new ArrayList<>();
        private ObjectMapper json = JsonMapper.builder()
                .addModule(new JavaTimeModule())
                .addModule(new Jdk8Module())
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .build();
        private boolean isJsonGiven;
        private LongSupplier nanoTime = System::nanoTime;
        private Supplier<AttemptToken> tokens = AttemptToken::random;
        private @Nullable Tracing tracing;
        private @Nullable ExecutorService executor;
        private @Nullable ScheduledExecutorService scheduler;
        private @Nullable NearCache near;

        private Builder(IdempotencyStore store) {
            this.store = Objects.requireNonNull(store, "store");
        }

        /**
         * Adds a listener.
         *
         * @param listener hears everything that happens
         * @return this
         */
        public Builder listener(IdempotencyListener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /**
         * Makes spans of executions, recoveries, lookups and seals. By default there are none.
         *
         * @param tracing starts and ends them
         * @return this
         */
        public Builder tracing(Tracing tracing) {
            this.tracing = Objects.requireNonNull(tracing, "tracing");
            return this;
        }

        /**
         * Sets how requests become JSON for their fingerprints, and results for the store. By default Jackson with
         * {@code java.time} and {@code Optional}; for results also with its modules for Kotlin and for names of parameters, if they
         * are on the class path. A change that makes other JSON of the same request makes its retries mismatches.
         *
         * @param json the mapper; not changed afterwards
         * @return this
         * @throws IllegalArgumentException if the mapper writes or reads type names: results would name classes to load; or if
         *     it cannot be copied
         */
        public Builder json(ObjectMapper json) {
            Objects.requireNonNull(json, "json");
            if (json.getDeserializationConfig().getDefaultTyper(json.constructType(Object.class)) != null) {
                throw new IllegalArgumentException(
                        "json has default typing switched on; stored data would name classes");
            }
            try {
                this.json = json.copy();
                isJsonGiven = true;
            } catch (IllegalStateException e) {
                throw new IllegalArgumentException(
                        "json is a " + json.getClass().getTypeName()
                                + ", which cannot be copied; let the class override"
                                + " copy(), or give a mapper of Jackson's own",
                        e);
            }
            return this;
        }

        /**
         * Sets the monotonic clock of this process. By default {@link System#nanoTime()}.
         *
         * @param nanoTime nanoseconds that never go back
         * @return this
         */
        public Builder nanoTime(LongSupplier nanoTime) {
            this.nanoTime = Objects.requireNonNull(nanoTime, "nanoTime");
            return this;
        }

        /**
         * Sets where attempt tokens come from. By default {@link AttemptToken#random()}; anything weaker breaks the
         * guarantee.
         *
         * @param tokens a new token each time
         * @return this
         */
        public Builder tokens(Supplier<AttemptToken> tokens) {
            this.tokens = Objects.requireNonNull(tokens, "tokens");
            return this;
        }

        /**
         * Sets the threads for asynchronous executions, recoveries and renewals. By default daemon threads, as many as are
         * needed. Not shut down by {@link Idempotency#close()}. An execution that begins while the executor refuses fails,
         * and nothing is written; one that is under way goes on on a thread of the library's.
         *
         * @param executor does not keep tasks waiting for longer than a third of the shortest lease, and does not run them in
         *     the thread that hands them over
         * @return this
         */
        public Builder executor(ExecutorService executor) {
            this.executor = Objects.requireNonNull(executor, "executor");
            return this;
        }

        /**
         * Sets the timer. By default one daemon thread. Not shut down by {@link Idempotency#close()}.
         *
         * @param scheduler runs short tasks when they are due
         * @return this
         */
        public Builder scheduler(ScheduledExecutorService scheduler) {
            this.scheduler = Objects.requireNonNull(scheduler, "scheduler");
            return this;
        }

        /**
         * Answers requests that were executed before from memory, without asking the store. By default every one is asked of
         * the store.
         *
         * @param near keeps outcomes of this store, and of no other
         * @return this
         * @apiNote Experimental: may change or go in any version.
         */
        public Builder nearCache(NearCache near) {
            this.near = Objects.requireNonNull(near, "near");
            return this;
        }

        /**
         * Makes the entry.
         *
         * @return a new instance
         */
        public Idempotency build() {
            return new Idempotency(this);
        }
    }
}
