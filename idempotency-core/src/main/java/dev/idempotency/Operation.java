package dev.idempotency;

import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.TransactionalStore;
import io.github.resilience4j.retry.Retry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One kind of write to somebody else's system, protected by its key. Immutable and thread-safe; make one per kind of
 * write and keep it.
 *
 * @param <I> the request
 * @param <O> the result
 * @since 0.1.0
 */
public final class Operation<I, O extends @Nullable Object> {
    /**
     * The write itself.
     *
     * @param <I> the request
     * @param <O> the result
     */
    @FunctionalInterface
    public interface Call<I, O extends @Nullable Object> {
        /**
         * Makes the write. Whatever it throws is classified by the operation's {@link FailureClassifier}; unless that
         * proves otherwise, the write may have happened.
         *
         * @param request the request
         * @param attempt the attempt, with the native key to send
         * @return the provider's definite answer
         * @throws DeclinedException for a definite "no", which is recorded like a result
         * @throws NotExecutedException if the write certainly did not and will not happen
         * @throws Exception if it failed
         */
        O call(I request, Attempt attempt) throws Exception;
    }

    /**
     * The write itself, without a thread that waits for it.
     *
     * @param <I> the request
     * @param <O> the result
     */
    @FunctionalInterface
    public interface AsyncCall<I, O extends @Nullable Object> {
        /**
         * Starts the write.
         *
         * @param request the request
         * @param attempt the attempt, with the native key to send
         * @return completes with the provider's definite answer, or fails as {@link Call#call} does
         * @throws Exception if it could not be started; classified like any other failure
         */
        CompletionStage<O> call(I request, Attempt attempt) throws Exception;
    }

    /**
     * The write itself, in the database that the store is in.
     *
     * @param <I> the request
     * @param <O> the result
     * @param <T> the transaction
     */
    @FunctionalInterface
    public interface TransactionalCall<I, O extends @Nullable Object, T> {
        /**
         * Makes the write. Whatever it throws rolls the transaction back, and nothing was executed.
         *
         * @param request the request
         * @param attempt the attempt
         * @param transaction what to write through. It is committed with the record of the result: leave it open
         * @return the result, recorded in the same transaction
         * @throws DeclinedException for a definite "no", which is recorded like a result
         * @throws Exception if it failed; the key is free again, or the call is made again by the operation's retry
         */
        O call(I request, Attempt attempt, T transaction) throws Exception;
    }

    final Idempotency idempotency;
    final OperationSpec<I, O> spec;
    private final Ports ports;
    private final Driver driver;
    private final Guarantee guarantee;
    private final Flights<O> flights = new Flights<>();

    Operation(Idempotency idempotency, OperationSpec<I, O> spec, Ports ports, Driver driver, Guarantee guarantee) {
        this.idempotency = idempotency;
        this.spec = spec;
        this.ports = ports;
        this.driver = driver;
        this.guarantee = guarantee;
    }

    /**
     * Makes the write, unless it was made before: then gives its recorded outcome. Any number of threads and processes may
     * do so with one request at the same time; at most one call is made. Blocks while the call runs, and for at most the
     * operation's waiting time while another run of the same request is under way.
     *
     * @param request the request; not null, and the same again for every retry
     * @return the recorded result
     * @throws IllegalArgumentException if no key or fingerprint can be taken of the request; nothing was written
     * @throws DeclinedException if the provider definitely declined, now or before
     * @throws NotExecutedException if the write definitely did not happen
     * @throws InDoubtException if the write may have happened, and it is not known yet whether it did
     * @throws InFlightException if another run is still under way, or this thread was interrupted while waiting for it
     * @throws MismatchException if the key belongs to another payload
     * @throws ResultUnavailableException if the operation ran, but its result is gone or unreadable
     * @throws StoreException if the store failed before anything was sent
     */
    public O execute(I request) {
        idempotency.refuseClosed();
        IdempotencyKey key = keyOf(request);
        Fingerprint fingerprint = fingerprintOf(request);
        Watch watch = driver.watch(IdempotencyListener.Run.EXECUTE, key);
        return watch.around(() -> executed(ports.watchedBy(watch), request, key, fingerprint));
    }

    private O executed(Ports own, I request, IdempotencyKey key, Fingerprint fingerprint) {
        Answer<O> seen = near(own, request, key, fingerprint);
        if (seen != null) {
            return seen.get();
        }
        long waitUntil = waitUntil(own);
        while (true) {
            var mine = flights.flight(key, fingerprint);
            var other = fliesAlone() ? null : flights.begin(mine);
            if (other == null) {
                return fly(own, mine, request, key, fingerprint, waitUntil).get();
            }
            Answer<O> answer = await(own, other, key, waitUntil - own.nanoTime().getAsLong());
            if (answer != null) {
                return answer.get();
            }
        }
    }

    private long waitUntil(Ports own) {
        return own.nanoTime().getAsLong() + spec.waitAtMost().toNanos();
    }

    private @Nullable Answer<O> near(Ports own, I request, IdempotencyKey key, Fingerprint fingerprint) {
        return own.near() == null ? null : new Execution<>(spec, own, request, key, fingerprint).near();
    }

    /** Nobody waits, or the answer is not true for others yet: a joined transaction is committed after it was given. */
    private boolean fliesAlone() {
        return spec.waitAtMost().isZero() || spec.isJoined();
    }

    private Answer<O> fly(
            Ports own, Flights<O>.Flight mine, I request, IdempotencyKey key, Fingerprint fingerprint, long waitUntil) {
        Answer<O> answer = null;
        try {
            if (spec.asyncCall() == null) {
                mine.flownBy(Thread.currentThread());
                var execution = new Execution<>(spec, own, request, key, fingerprint, waitUntil, mine::leased);
                answer = driver.run(spec, execution, execution.start());
            } else {
                answer = joined(runAsync(own, mine, request, key, fingerprint, waitUntil), key);
            }
            return answer;
        } finally {
            mine.end(answer);
        }
    }

    /** An interrupted caller leaves; the call goes on, and its outcome is recorded. */
    private static <O extends @Nullable Object> Answer<O> joined(
            CompletableFuture<Answer<O>> running, IdempotencyKey key) {
        try {
            // Whatever becomes of the call, the loss of its lease or its time-out ends this.
            Waits.ends(running, Long.MAX_VALUE);
            return running.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Answer.failedAlone(() -> interrupted(key, e));
        } catch (CompletionException e) {
            throw thrown(e);
        }
    }

    private static RuntimeException thrown(CompletionException failure) {
        if (failure.getCause() instanceof Error error) {
            throw error;
        }
        return failure.getCause() instanceof RuntimeException cause ? cause : failure;
    }

    private static InFlightException interrupted(IdempotencyKey key, InterruptedException cause) {
        return new InFlightException(key, "Interrupted while another run was in flight", cause);
    }

    /** What another caller in this process was told, told again. */
    private static <O extends @Nullable Object> @Nullable Answer<O> shared(
            Ports own, IdempotencyKey key, @Nullable Answer<O> answer) {
        if (answer != null && answer.failure() == null) {
            tell(own, IdempotencyEvent.Type.REPLAYED, key);
        }
        return answer;
    }

    private static void tell(Ports own, IdempotencyEvent.Type type, IdempotencyKey key) {
        own.events().accept(new IdempotencyEvent(type, key, 0, 0, "in this process"));
    }

    /** Null if this caller has to try for itself. */
    private @Nullable Answer<O> await(Ports own, Flights<O>.Flight other, IdempotencyKey key, long nanos) {
        if (other.isInsideOf(Thread.currentThread())) {
            throw new InFlightException(
                    key,
                    "This thread is inside the call of the same key, and would wait for itself; give what is executed"
                            + " inside a call a key of its own",
                    null);
        }
        tell(own, IdempotencyEvent.Type.WAITING, key);
        try {
            CompletableFuture<@Nullable Answer<O>> ended = other.ended();
            if (!Waits.ends(ended, Math.max(0, nanos))) {
                throw stillInFlight(key);
            }
            return shared(own, key, ended.join());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw interrupted(key, e);
        }
    }

    private InFlightException stillInFlight(IdempotencyKey key) {
        return new InFlightException(
                key, "Another run is still in flight after " + Durations.text(spec.waitAtMost()), null);
    }

    /**
     * As {@link #execute}, without blocking: the store is asked on threads of the library, and an operation built with
     * {@link Builder#callingAsync} holds no thread while its call runs. Cancelling the future does not stop the call.
     *
     * @param request the request; not null, the same again for every retry, and not changed before the future has ended
     * @return completes with the recorded result, or exceptionally with what {@link #execute} throws
     * @throws IllegalArgumentException if no key or fingerprint can be taken of the request; nothing was written
     * @throws IllegalStateException if the call was to join a transaction of this thread: it would run on another one;
     *     nothing was written
     */
    public CompletableFuture<O> executeAsync(I request) {
        idempotency.refuseClosed();
        refuseJoined();
        IdempotencyKey key = keyOf(request);
        Fingerprint fingerprint = fingerprintOf(request);
        Watch watch = driver.watch(IdempotencyListener.Run.EXECUTE, key);
        Ports own = ports.watchedBy(watch);
        CompletableFuture<Answer<O>> answer;
        try {
            Answer<O> seen = near(own, request, key, fingerprint);
            answer = seen == null
                    ? flyAsync(own, request, key, fingerprint, waitUntil(own))
                    : CompletableFuture.completedFuture(seen);
        } catch (Throwable e) {
            answer = CompletableFuture.failedFuture(e);
        }
        return answer.thenApply(Answer::get).whenComplete((result, failure) -> watch.ended(failure));
    }

    /**
     * Makes many writes, each as {@link #executeAsync} does, and returns at once. A store that takes steps without a thread for
     * each ({@link dev.idempotency.store.AsyncStore}) gets those of many requests together, in few round trips.
     *
     * @param requests any number; those with the same key are one write
     * @param atOnce how many at most are under way at the same time, calls included; from 1
     * @return for each request, in their order, what becomes of it: completes as {@link #executeAsync} does; exceptionally with
     *     {@code IllegalArgumentException} if no key or fingerprint can be taken of it
     * @throws IllegalArgumentException if {@code atOnce} is below 1; nothing was written
     * @throws IllegalStateException as {@link #executeAsync} says
     * @throws NullPointerException if {@code requests} or one of them is null; nothing was written
     */
    public List<CompletableFuture<O>> executeAll(Collection<? extends I> requests, int atOnce) {
        refuseJoined();
        return new Batch<I, O>(List.copyOf(requests), atOnce, this::executeAsync).start();
    }

    private void refuseJoined() {
        if (spec.isJoined()) {
            throw new IllegalStateException(
                    "A joined transaction belongs to this thread; use execute(..) to call in it");
        }
    }

    private CompletableFuture<Answer<O>> flyAsync(
            Ports own, I request, IdempotencyKey key, Fingerprint fingerprint, long waitUntil) {
        var mine = flights.flight(key, fingerprint);
        var other = spec.waitAtMost().isZero() ? null : flights.begin(mine);
        if (other == null) {
            return runAsync(own, mine, request, key, fingerprint, waitUntil)
                    .whenComplete((answer, failure) -> mine.end(answer));
        }
        tell(own, IdempotencyEvent.Type.WAITING, key);
        long left = Math.max(0, waitUntil - own.nanoTime().getAsLong());
        var timedOut = Answer.<O>failedAlone(() -> stillInFlight(key));
        // What follows is the waiting caller's code, and must not run on the thread of the run that it waited for.
        return other.ended()
                .thenApplyAsync(answer -> shared(own, key, answer), driver.threads())
                .completeOnTimeout(timedOut, left, TimeUnit.NANOSECONDS)
                .thenCompose(answer -> {
                    if (timedOut.equals(answer)) {
                        // Nor on the one thread of this process on which the time-outs of all futures end.
                        return CompletableFuture.supplyAsync(() -> timedOut, driver.threadsSoon());
                    }
                    return answer != null
                            ? CompletableFuture.completedFuture(answer)
                            : flyAsync(own, request, key, fingerprint, waitUntil);
                });
    }

    /** Whatever is thrown on the way ends the future, and with it the flight. */
    private CompletableFuture<Answer<O>> runAsync(
            Ports own, Flights<O>.Flight mine, I request, IdempotencyKey key, Fingerprint fingerprint, long waitUntil) {
        try {
            var execution = new Execution<>(spec, own, request, key, fingerprint, waitUntil, mine::leased);
            return started(execution, execution::start);
        } catch (Throwable e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** A call that has run into its time-out keeps nobody waiting; should its answer still come, it is recorded. */
    private CompletableFuture<Answer<O>> started(Execution<I, O> execution, Supplier<Step<Answer<O>>> first) {
        var end = new CompletableFuture<Answer<O>>();
        execution.onOverdue(answer -> {
            try {
                // What follows is the caller's code, and must not run where leases are renewed; nor may it wait for a
                // thread
                // that such a call keeps.
                driver.threadsSoon().execute(() -> end.complete(answer));
            } catch (Throwable e) {
                end.complete(answer);
            }
        });
        driver.start(spec, execution, first.get(), end);
        return end;
    }

    /**
     * Resolves a key without a caller, as far as its recovery goes.
     *
     * @throws IllegalStateException if the request cannot be read, or is not the one that the key was reserved for
     */
    CompletableFuture<Answer<O>> recover(IdempotencyRecord standing) {
        Watch watch = driver.watch(IdempotencyListener.Run.RECOVER, standing.key());
        try {
            I request = keptRequest(standing);
            var execution = Execution.withoutCaller(
                    spec, ports.watchedBy(watch), request, standing.key(), fingerprintOf(request));
            return started(execution, execution::recover).whenComplete(watch::ended);
        } catch (Throwable e) {
            watch.ended(e);
            throw e;
        }
    }

    private I keptRequest(IdempotencyRecord standing) {
        StoredRequest kept = standing.request();
        Codec<I> codec = spec.requests();
        if (kept == null || codec == null || !kept.codec().equals(codec.id())) {
            throw new IllegalStateException(
                    kept == null ? "no request was kept" : "the request was kept by another codec, " + kept.codec());
        }
        I request;
        boolean same;
        try {
            request = codec.decode(kept.bytes());
            same = keyOf(request).equals(standing.key())
                    && fingerprintOf(request).equals(standing.fingerprint());
        } catch (Throwable e) {
            throw new IllegalStateException(
                    "the kept request cannot be read: " + e.getClass().getName(), e);
        }
        if (!same) {
            throw new IllegalStateException("the kept request is not the one that the key was reserved for");
        }
        return request;
    }

    /**
     * The key of a request.
     *
     * @param request the request
     * @return the key under which it is executed
     * @throws NullPointerException if {@code request} is null
     * @throws IllegalArgumentException if a part of its key is null, a part of its key is blank or too long, if it is of a type whose text need not be the
     *     same in every process, or if it is not the same when it is taken twice
     */
    public IdempotencyKey keyOf(I request) {
        return spec.key().apply(Objects.requireNonNull(request, "request"));
    }

    /**
     * The fingerprint of a request.
     *
     * @param request the request
     * @return what its payload says, in short
     * @throws IllegalArgumentException if the request has no canonical form, or if its fingerprint is not the same when it is
     *     taken twice
     */
    public Fingerprint fingerprintOf(I request) {
        return spec.fingerprint().apply(Objects.requireNonNull(request, "request"));
    }

    /**
     * What this operation guarantees on its store, and on what conditions.
     *
     * @return the guarantee
     */
    public Guarantee explain() {
        return guarantee;
    }

    /**
     * Describes an operation, setting by setting. Every setting but the key and the call has a default that is safe without
     * any knowledge of the provider. Not thread-safe.
     *
     * @param <I> the request
     * @param <O> the result
     */
    public static final class Builder<I, O extends @Nullable Object> {
        private static final Duration SHORTEST_LEASE = Duration.ofMillis(10);

        private final Idempotency idempotency;
        private final String name;
        private final Class<?> requestType;
        private final Class<?> resultType;

        private @Nullable List<Function<? super I, ?>> key;
        private @Nullable Function<? super I, String> tenant;
        private @Nullable Function<? super I, ? extends @Nullable Object> payload;
        private @Nullable Recovery<I, O> recovery;
        private FailureClassifier failures = FailureClassifier.conservative();
        private @Nullable Codec<O> codec;
        private @Nullable Codec<I> requests;
        private int largestResult = 8 << 20;
        private Duration lease = Duration.ofSeconds(30);
        private Duration callTimeout = Duration.ofMinutes(10);
        private Duration recoveryTimeout = Duration.ofSeconds(30);
        private Duration waitAtMost = Duration.ofSeconds(10);
        private Duration retention = Duration.ofDays(7);
        private Duration tombstone = Duration.ZERO;
        private @Nullable Duration retryHorizon;
        private @Nullable Retry retry;
        private @Nullable String duplicatesAccepted;

        Builder(Idempotency idempotency, String name, Class<?> requestType, Class<?> resultType) {
            Settings.text("name", name, 100);
            if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
                throw new IllegalArgumentException(
                        "name is '" + name + "'; it must be letters, digits, dots, hyphens and underscores");
            }
            this.idempotency = idempotency;
            this.name = name;
            this.requestType = requestType;
            this.resultType = resultType;
        }

        /**
         * Sets the key: what makes two requests the same write. A function of the request alone, and of fields that a retry
         * repeats; never of the time or of something drawn at random.
         *
         * <p>The part is made text with {@code toString()}, so it must be of a type whose text is the same in every process:
         * text, a whole number or {@code BigDecimal}, a Boolean, a character, an enum, a UUID, a URI, a currency, a date or time
         * of {@code java.time}, or a record or a list of these, which must not be empty. Anything else is refused when the key
         * is taken, before anything is written. So is a part that differs when it is taken twice, as it is now and then.
         *
         * @param part a field of the request, not null and not blank, at most 8,192 characters as text
         * @return this
         * @throws IllegalStateException if the key was set already
         */
        public Builder<I, O> key(Function<? super I, ?> part) {
            return keyed(List.of(Objects.requireNonNull(part, "part")));
        }

        /**
         * Sets a key of several parts. Parts are framed by their lengths: {@code ("a", "b:c")} and {@code ("a:b", "c")} are
         * two keys.
         *
         * @param first a field of the request, as in {@link #key(Function)}
         * @param second another
         * @param more any others
         * @return this
         * @throws IllegalStateException if the key was set already
         */
        @SafeVarargs
        public final Builder<I, O> key(
                Function<? super I, ?> first, Function<? super I, ?> second, Function<? super I, ?>... more) {
            Objects.requireNonNull(first, "first");
            Objects.requireNonNull(second, "second");
            var parts = new ArrayList<Function<? super I, ?>>(List.of(first, second));
            for (int i = 0; i < more.length; i++) {
                parts.add(Objects.requireNonNull(more[i], "more[" + i + "]"));
            }
            return keyed(parts);
        }

        private Builder<I, O> keyed(List<Function<? super I, ?>> parts) {
            if (key != null) {
                throw new IllegalStateException("key was already set");
            }
            key = parts;
            return this;
        }

        /**
         * Keeps the keys of one tenant apart from those of another.
         *
         * @param tenant a field of the request, not null and not blank, at most 99 characters
         * @return this
         */
        public Builder<I, O> tenant(Function<? super I, String> tenant) {
            this.tenant = Objects.requireNonNull(tenant, "tenant");
            return this;
        }

        /**
         * Says what of the request must be the same under one key. By default all of it, as JSON; a request type with fields
         * that its JSON leaves out is then refused. The elements of a set count in no order.
         *
         * @param payload makes a JSON-like value (a record, a map, text) of the fields that count
         * @return this
         */
        public Builder<I, O> fingerprint(Function<? super I, ? extends @Nullable Object> payload) {
            this.payload = Objects.requireNonNull(payload, "payload");
            return this;
        }

        /**
         * Sets what ends a doubt. By default {@link Recovery#hold()}.
         *
         * @param recovery the policy
         * @return this
         */
        public Builder<I, O> recovery(Recovery<I, O> recovery) {
            this.recovery = Objects.requireNonNull(recovery, "recovery");
            return this;
        }

        /**
         * Sets what failures of the call mean. By default every one is ambiguous.
         *
         * @param failures the classifier
         * @return this
         */
        public Builder<I, O> failures(FailureClassifier failures) {
            this.failures = Objects.requireNonNull(failures, "failures");
            return this;
        }

        /**
         * Sets how results are stored. By default as JSON of the result type.
         *
         * @param codec the codec
         * @return this
         */
        public Builder<I, O> codec(Codec<O> codec) {
            this.codec = Objects.requireNonNull(codec, "codec");
            return this;
        }

        /**
         * Sets how many bytes an encoded result may have. Of a larger one it is recorded that the write was made, and every caller
         * gets a {@link ResultUnavailableException}: a store that cannot take a result could not record the write. By default
         * 8,388,608.
         *
         * @param bytes 1 or more; more than the default only as far as the store and its time limits allow
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder<I, O> largestResult(int bytes) {
            if (bytes < 1) {
                throw new IllegalArgumentException("largestResult is " + bytes + "; it must be at least 1");
            }
            largestResult = bytes;
            return this;
        }

        /**
         * Keeps each request with its key while the key is unresolved, as JSON of the request type, so that a
         * {@link Reconciler} can resolve it when no caller comes back. By default no request is kept.
         *
         * @return this
         */
        public Builder<I, O> keepRequests() {
            return keepRequests(new JsonCodec<>(requestType, idempotency.values()));
        }

        /**
         * As {@link #keepRequests()}, with a codec of your own, such as one that encrypts.
         *
         * @param codec the codec; what it decodes has the key and the fingerprint of what it encoded
         * @return this
         */
        public Builder<I, O> keepRequests(Codec<I> codec) {
            this.requests = Objects.requireNonNull(codec, "codec");
            return this;
        }

        /**
         * Sets how long an attempt may be silent before others take it for dead. It is renewed at a third. By default 30
         * seconds. Too short a lease brings needless doubts, never a duplicate.
         *
         * @param lease 10 milliseconds to 1 day
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder<I, O> lease(Duration lease) {
            this.lease = Settings.between("lease", lease, SHORTEST_LEASE, Duration.ofDays(1));
            return this;
        }

        /**
         * Sets how long a call is taken to be alive: then its lease is no longer renewed, {@link Attempt#onLost} signals, and
         * the key comes into doubt. By default 10 minutes.
         *
         * @param callTimeout 10 milliseconds to 30 days
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder<I, O> callTimeout(Duration callTimeout) {
            this.callTimeout = Settings.between("callTimeout", callTimeout, SHORTEST_LEASE, Duration.ofDays(30));
            return this;
        }

        /**
         * Sets how long a lookup or seal may take before it is interrupted and taken for failed. By default 30 seconds.
         *
         * @param recoveryTimeout 1 millisecond to 1 day
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder<I, O> recoveryTimeout(Duration recoveryTimeout) {
            this.recoveryTimeout =
                    Settings.between("recoveryTimeout", recoveryTimeout, Duration.ofMillis(1), Duration.ofDays(1));
            return this;
        }

        /**
         * Sets how long an execution waits for another run of the same request. By default 10 seconds.
         *
         * @param waitAtMost 0 (refuse at once) to 1 day
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder<I, O> waitAtMost(Duration waitAtMost) {
            this.waitAtMost = Settings.between("waitAtMost", waitAtMost, Duration.ZERO, Duration.ofDays(1));
            return this;
        }

        /**
         * Sets how long an outcome is kept. By default 7 days. After it, the same request is a new one.
         *
         * @param retention 1 second to 366 days; longer than any caller may still retry
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder<I, O> retention(Duration retention) {
            this.retention = Settings.between("retention", retention, Duration.ofSeconds(1), Settings.LONGEST);
            return this;
        }

        /**
         * Keeps the key without its result for some time after the retention, so that "expired" differs from "never seen":
         * executing it again gives a {@link ResultUnavailableException} and no call. By default zero.
         *
         * @param tombstone 0 to 366 days
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder<I, O> tombstone(Duration tombstone) {
            this.tombstone = Settings.atLeastZero("tombstone", tombstone);
            return this;
        }

        /**
         * Declares how long after the first run callers may still retry. An operation whose retention is not longer is
         * refused.
         *
         * @param retryHorizon 0 to 366 days
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder<I, O> retryHorizon(Duration retryHorizon) {
            this.retryHorizon = Settings.atLeastZero("retryHorizon", retryHorizon);
            return this;
        }

        /**
         * Retries inside one execution, under one reservation and one native key: a call that certainly did nothing, and,
         * after a call that may have done something, the recovery, which calls again only where the policy allows it. The
         * first recovery comes for free and is not counted. By default no retry. Wrapping {@link #execute} in a retry of
         * your own is safe too.
         *
         * @param retry how often and when; its events and metrics see each attempt
         * @return this
         */
        public Builder<I, O> retry(Retry retry) {
            this.retry = Objects.requireNonNull(retry, "retry");
            return this;
        }

        /**
         * Lets an operation be built although its settings cannot rule out duplicates.
         *
         * @param reason why duplicates do no harm here
         * @return this
         * @throws IllegalArgumentException if {@code reason} is blank or longer than 1,000 characters
         */
        public Builder<I, O> acceptDuplicates(String reason) {
            duplicatesAccepted = Settings.text("reason", reason, 1000);
            return this;
        }

        /**
         * What an operation with these settings guarantees.
         *
         * @return the guarantee, level X included
         */
        public Guarantee explain() {
            return explain(chosen());
        }

        private Recovery<I, O> chosen() {
            return recovery == null ? Recovery.hold() : recovery;
        }

        private Guarantee explain(Recovery<I, O> recovery) {
            var terms = recovery.terms();
            return GuaranteeCalculator.compute(
                    idempotency.store().storeClass(),
                    terms.policy(),
                    terms.whenMissing(),
                    recovery.quiescence(),
                    recovery.profile(),
                    retention,
                    tombstone,
                    retryHorizon);
        }

        /**
         * Builds the operation around its call.
         *
         * @param call makes the write
         * @return the operation
         * @throws IllegalArgumentException if results of the declared type, or requests that are to be kept, cannot be stored and
         *     read again, or if the JSON of the request type leaves fields out and no {@link #fingerprint} is set
         * @throws IllegalStateException if no key was set, if the settings cannot rule out duplicates (level X), or if there is
         *     an operation of this name with other types; the message says which and why
         */
        public Operation<I, O> calling(Call<I, O> call) {
            return build(chosen(), Objects.requireNonNull(call, "call"), null, null);
        }

        /**
         * Builds the operation around an asynchronous call.
         *
         * @param call starts the write
         * @return the operation
         * @throws IllegalArgumentException if results of the declared type, or requests that are to be kept, cannot be stored and
         *     read again, or if the JSON of the request type leaves fields out and no {@link #fingerprint} is set
         * @throws IllegalStateException if no key was set, if the settings cannot rule out duplicates (level X), or if there is
         *     an operation of this name with other types; the message says which and why
         */
        public Operation<I, O> callingAsync(AsyncCall<I, O> call) {
            return build(chosen(), null, Objects.requireNonNull(call, "call"), null);
        }

        /**
         * Builds the operation around a call whose whole effect is in the store's own database. Effect and record are then
         * committed in one transaction: level A. An attempt that lapses is taken over at once, and one that was taken over
         * cannot be committed.
         *
         * @param store the store that this library is on
         * @param call makes the write, through the transaction that it is given
         * @param <T> the store's transaction
         * @return the operation
         * @throws IllegalArgumentException if {@code store} is another one, or as {@link #calling} says
         * @throws IllegalStateException if a recovery was set (there is nothing left to recover), or as {@link #calling} says
         */
        public <T> Operation<I, O> callingInTransactionOf(
                TransactionalStore<T> store, TransactionalCall<I, O, T> call) {
            Objects.requireNonNull(store, "store");
            Objects.requireNonNull(call, "call");
            if (store != idempotency.store()) {
                throw new IllegalArgumentException("store is not the one that operation '" + name
                        + "' keeps its records in; effect and record must be in one database");
            }
            if (recovery != null) {
                throw new IllegalStateException(
                        "Operation '" + name + "' has a recovery, but is called in a transaction of"
                                + " its store, where nothing is left to recover; leave recovery(..) out");
            }
            return build(Recovery.sameTransaction(), null, null, new SameTransaction<>(store, call));
        }

        private Operation<I, O> build(
                Recovery<I, O> recovery,
                @Nullable Call<I, O> call,
                @Nullable AsyncCall<I, O> asyncCall,
                @Nullable SameTransaction<I, O, ?> sameTransaction) {
            if (key == null) {
                throw new IllegalStateException("Operation '" + name + "' has no key; set it with key(..)");
            }
            Guarantee guarantee = explain(recovery);
            if (guarantee.level() == Guarantee.Level.X && duplicatesAccepted == null) {
                throw new IllegalStateException(
                        "Operation '" + name + "' could make duplicates: " + String.join("; ", guarantee.violations()));
            }
            return idempotency.build(
                    spec(new KeyParts<I>(name, tenant, key), recovery, call, asyncCall, sameTransaction), guarantee);
        }

        private OperationSpec<I, O> spec(
                Function<I, IdempotencyKey> keyFunction,
                Recovery<I, O> recovery,
                @Nullable Call<I, O> call,
                @Nullable AsyncCall<I, O> asyncCall,
                @Nullable SameTransaction<I, O, ?> sameTransaction) {
            Codec<O> results = codec == null ? new JsonCodec<>(resultType, idempotency.values()) : codec;
            Settings.text("codec id", results.id(), 64);
            if (results.id().equals(Outcomes.TOO_LARGE)) {
                throw new IllegalArgumentException(
                        "codec id '" + Outcomes.TOO_LARGE + "' stands for results that are not kept");
            }
            results.check();
            if (requests != null) {
                Settings.text("codec id", requests.id(), 64);
                requests.check();
            }
            var fields = payload;
            var json = idempotency.fingerprints();
            Function<I, Fingerprint> fingerprint = fields == null
                    ? new WholeRequest<>(requestType, json)
                    : request -> Canonical.fingerprint(fields.apply(request), json);
            idempotency.name(name, requestType, resultType);
            var terms = recovery.terms();
            Duration guard = GuaranteeCalculator.resendWithin(
                    idempotency.store().storeClass(), recovery.profile(), retryHorizon);
            return new OperationSpec<>(
                    name,
                    new SteadyFunction<I, IdempotencyKey>(
                            "the key of operation '" + name + "'", keyFunction, IdempotencyKey::digest),
                    new SteadyFunction<I, Fingerprint>(
                            "the fingerprint of operation '" + name + "'", fingerprint, Fingerprint::digest),
                    recovery,
                    new RecoveryTerms(terms.policy(), terms.whenMissing(), terms.quiescence(), guard),
                    new NativeKeyUse(name),
                    failures,
                    new Outcomes<>(name, resultType, results, largestResult),
                    requests,
                    new Event.Spans(lease, retention, tombstone),
                    callTimeout,
                    recoveryTimeout,
                    waitAtMost,
                    retry,
                    call,
                    asyncCall,
                    sameTransaction);
        }
    }
}
