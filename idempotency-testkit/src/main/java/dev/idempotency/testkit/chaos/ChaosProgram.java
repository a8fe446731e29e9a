package dev.idempotency.testkit.chaos;

import dev.idempotency.Attempt;
import dev.idempotency.Codec;
import dev.idempotency.DeclinedException;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyListener;
import dev.idempotency.InDoubtException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Quiescence;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SealAnswer;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.Submission;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A random program on a store, in real time and under {@link Chaos}: several threads in two "processes" execute a few requests
 * again and again, synchronously, asynchronously and many at once, are interrupted, cancel what they wait for, and let
 * reconcilers run; the provider loses answers, takes requests in late, or never answers. Then the faults end, and it is judged:
 * no request had two effects, everybody was told the same, what was told has happened, everything has ended, every key works
 * again, and every thread was given back.
 *
 * <p>The seed decides what is done and what goes wrong; when it happens depends on the machine, too.
 *
 * @since 0.1.0
 */
public final class ChaosProgram {
    /** How a key in doubt is resolved. */
    public enum Policy {
        /** By a person. */
        HOLD,
        /** By sending again under the provider's own key, which it knows for ever. */
        NATIVE,
        /** The same, and by looking up when the provider's window is over. */
        NATIVE_THEN_LOOKUP,
        /** By looking up. What is not found stays in doubt. */
        LOOKUP,
        /** By looking up. What is not found is called again. */
        LOOKUP_THEN_REEXECUTE,
        /** By sealing, and calling again what was sealed. */
        SEAL
    }

    /**
     * What came of one program.
     *
     * @param seed repeats it
     * @param policy how doubts were resolved
     * @param executions how often a request was executed
     * @param calls how often the provider was called
     * @param effects how many things it did
     * @param faults how often the code around the library failed
     * @param duplicates requests that had more than one effect
     * @param different requests about which two callers were told different things
     * @param lost answers that speak of no effect, and requests that no caller gets an answer to when the faults are over
     * @param hung executions, futures, reconcilers and threads that did not end
     * @param story what happened, in order: the library's events, the calls, and what callers were told
     */
    public record Report(
            long seed,
            Policy policy,
            int executions,
            int calls,
            int effects,
            long faults,
            List<String> duplicates,
            List<String> different,
            List<String> lost,
            List<String> hung,
            List<String> story) {
        /**
         * Tells whether all was well.
         *
         * @return true if there is nothing to complain of
         */
        public boolean isSound() {
            return duplicates.isEmpty() && different.isEmpty() && lost.isEmpty() && hung.isEmpty();
        }
    }

    record Order(String id, long amount) {}

    record Receipt(String effect, long amount) {}

    private enum Fate {
        ANSWERED,
        NOT_CONNECTED,
        REFUSED,
        REQUEST_LOST,
        REPLY_LOST,
        ARRIVES_LATE,
        ERROR_BEFORE,
        ERROR_AFTER,
        SILENT_BEFORE,
        SILENT_AFTER,
        CANCELLED_AFTER,
        NO_STAGE,
        UNAVAILABLE_BEFORE,
        UNAVAILABLE_AFTER
    }

    private static final Duration PAUSE = Duration.ofMillis(1500);
    /** The client gives up far sooner than it may have stood still for. */
    private static final Duration GIVES_UP = Duration.ofMillis(700);

    private static final Duration TRANSIT = Duration.ofMillis(300);
    private static final Duration WINDOW = Duration.ofSeconds(6);
    private static final Duration SILENCE = Duration.ofSeconds(4);
    private static final Duration BOUND = Duration.ofSeconds(30);
    private static final int THREADS = 3;
    private static final int STEPS = 7;
    private static final ScheduledExecutorService TIMER = timer();

    private final IdempotencyStore store;
    private final Duration bound;
    private final long seed;
    private final SplittableRandom random;
    private final String name;
    private final Policy policy;
    private final boolean async;
    private final Chaos chaos;
    private final EffectLedger ledger = EffectLedger.inMemory();
    private final SimulatedProvider provider;
    private final List<Order> orders = new ArrayList<>();
    private final List<Instance> processes = new ArrayList<>();
    private final CountDownLatch over = new CountDownLatch(1);
    private final AtomicInteger executions = new AtomicInteger();
    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicLong drawn = new AtomicLong();
    private final Map<Order, Set<String>> answers = new ConcurrentHashMap<>();
    private final Queue<Pending> futures = new ConcurrentLinkedQueue<>();
    private final List<String> lost = new ArrayList<>();
    private final List<String> hung = new ArrayList<>();
    private final Queue<String> story = new ConcurrentLinkedQueue<>();
    private final long begun = System.nanoTime();
    private volatile boolean calm;

    private record Pending(String what, CompletableFuture<?> future) {}

    private final class Instance {
        final String name;
        final @Nullable ScheduledExecutorService scheduler;
        final Idempotency idempotency;
        final Operation<Order, Receipt> operation;
        final Reconciler reconciler;

        Instance(String name, boolean own) {
            this.name = name;
            var builder = Idempotency.builder(chaos.around("store", IdempotencyStore.class, store))
                    .listener(event -> tell(name + ": " + event.type() + " "
                            + event.key().value() + " attempt " + event.attempt() + " " + event.detail()))
                    .listener(chaos.around("listener", IdempotencyListener.class, event -> {}));
            if (random.nextBoolean()) {
                builder.tracing(chaos.around("tracing", Idempotency.Tracing.class, new Untraced()));
            }
            var threads = drawn(List.of(Chaos.Threads.values()), random);
            tell(name + " runs on " + (own ? "an executor with threads " + threads : "the library's own threads"));
            scheduler = own ? chaos.scheduler() : null;
            if (own) {
                builder.executor(chaos.executor(threads)).scheduler(Objects.requireNonNull(scheduler));
            }
            idempotency = builder.build();
            operation = operation(idempotency);
            reconciler = Reconciler.on(idempotency)
                    .operations(operation)
                    .every(Duration.ofMillis(300))
                    .retryWithin(Duration.ofSeconds(2))
                    .parallelism(2)
                    .stopWithin(Duration.ofSeconds(5))
                    .build();
        }
    }

    private static final class Untraced implements Idempotency.Tracing {
        @Override
        public Span start(IdempotencyListener.Run run, String operation, String keyDigest) {
            return new Span() {
                @Override
                public Scope enter() {
                    return () -> {};
                }

                @Override
                public void end(IdempotencyListener.Outcome outcome, int attempt) {}
            };
        }
    }

    ChaosProgram(IdempotencyStore store, long seed, @Nullable Policy wanted, Duration bound) {
        this.store = store;
        this.bound = bound;
        this.seed = seed;
        random = new SplittableRandom(seed);
        var drawnPolicy = drawn(List.of(Policy.values()), random);
        policy = wanted == null ? drawnPolicy : wanted;
        async = random.nextBoolean();
        chaos = Chaos.seeded(seed, random.nextInt(4) == 0 ? 0.2 : 0.03);
        chaos.tell(this::tell);
        provider = new SimulatedProvider(
                behavior(),
                ledger,
                InstantSource.system(),
                submission -> submission.reference().endsWith("declined"));
        // Reconcilers of other programs on the store must leave these keys alone.
        String prefix = "p" + UUID.randomUUID();
        name = "chaos-" + prefix;
        for (int i = 0; i < 3; i++) {
            orders.add(new Order("order-" + i + (random.nextInt(6) == 0 ? "-declined" : ""), 100 + i));
        }
    }

    private static <T> T drawn(List<T> all, SplittableRandom random) {
        return all.get(random.nextInt(all.size()));
    }

    private static ScheduledExecutorService timer() {
        var timer = new ScheduledThreadPoolExecutor(1, ChaosExecutor.daemons("chaos-interrupts"));
        timer.setRemoveOnCancelPolicy(true);
        return timer;
    }

    /**
     * Runs a program with any policy. Takes some seconds, mostly of waiting: run many at the same time.
     *
     * @param store where records stand; may be shared with other programs
     * @param seed decides the program
     * @return what came of it
     * @throws InterruptedException if this thread is interrupted
     */
    public static Report run(IdempotencyStore store, long seed) throws InterruptedException {
        return new ChaosProgram(store, seed, null, BOUND).run();
    }

    /**
     * Runs a program with one policy.
     *
     * @param store where records stand; may be shared with other programs
     * @param seed decides the program
     * @param policy how doubts are resolved
     * @return what came of it
     * @throws InterruptedException if this thread is interrupted
     */
    public static Report run(IdempotencyStore store, long seed, Policy policy) throws InterruptedException {
        return new ChaosProgram(store, seed, Objects.requireNonNull(policy, "policy"), BOUND).run();
    }

    // ---- what is run

    private ProviderBehavior behavior() {
        return switch (policy) {
            case HOLD -> ProviderBehavior.none();
            case NATIVE -> ProviderBehavior.none().withNativeKey();
            case NATIVE_THEN_LOOKUP ->
                ProviderBehavior.none().withNativeKey(WINDOW).withLookup(Duration.ZERO);
            case LOOKUP, LOOKUP_THEN_REEXECUTE -> ProviderBehavior.none().withLookup(Duration.ZERO);
            case SEAL -> ProviderBehavior.none().withNativeKey().withSeal();
        };
    }

    private Recovery<Order, Receipt> recovery() {
        Recovery.Lookup<Order, Receipt> lookup = this::find;
        Recovery.Seal<Order, Receipt> seal = this::seal;
        lookup = chaos.around("lookup", Recovery.Lookup.class, lookup);
        seal = chaos.around("seal", Recovery.Seal.class, seal);
        Quiescence quiet = Quiescence.of(TRANSIT, Duration.ZERO)
                .withPause(PAUSE)
                .withClockError(Duration.ofMillis(100))
                .withPeriod(Duration.ofMillis(2000));
        ProviderProfile profile = ProviderProfile.of(
                        "chaos",
                        "this class",
                        ProviderProfile.KeyFormat.uuid(),
                        policy == Policy.NATIVE ? ProviderProfile.ENDLESS : WINDOW)
                .withBounds(PAUSE, TRANSIT);
        return switch (policy) {
            case HOLD -> Recovery.hold();
            case NATIVE -> Recovery.nativeKey(profile);
            case NATIVE_THEN_LOOKUP -> Recovery.nativeKeyThenLookup(profile, lookup, quiet);
            case LOOKUP -> Recovery.lookup(lookup);
            case LOOKUP_THEN_REEXECUTE -> Recovery.lookupThenReexecute(lookup, quiet);
            case SEAL -> Recovery.seal(seal);
        };
    }

    private Operation<Order, Receipt> operation(Idempotency idempotency) {
        Function<Order, String> id = Order::id;
        Predicate<Throwable> retried = ConnectException.class::isInstance;
        var builder = idempotency
                .operation(name, Order.class, Receipt.class)
                .key(chaos.around("key", Function.class, id))
                .recovery(recovery())
                .failures(chaos.around(
                        "classifier",
                        FailureClassifier.class,
                        failure ->
                                failure instanceof ConnectException ? FailureClass.NOT_SENT : FailureClass.AMBIGUOUS))
                .codec(chaos.around("codec", Codec.class, idempotency.codec(Receipt.class)))
                .keepRequests(chaos.around("requests", Codec.class, idempotency.codec(Order.class)))
                .retry(Retry.of(
                        "chaos",
                        RetryConfig.custom()
                                .maxAttempts(3)
                                .waitDuration(Duration.ofMillis(50))
                                .retryOnException(chaos.around("retry", Predicate.class, retried))
                                .build()))
                .lease(Duration.ofMillis(500))
                .callTimeout(Duration.ofMillis(1200))
                .recoveryTimeout(Duration.ofMillis(500))
                .waitAtMost(Duration.ofMillis(random.nextBoolean() ? 0 : 600));
        return async ? builder.callingAsync(this::callAsync) : builder.calling(this::call);
    }

    // ---- the provider, and the way to it

    private Fate fate() {
        if (calm) {
            return Fate.ANSWERED;
        }
        var dice = new SplittableRandom(seed * 31 + drawn.incrementAndGet());
        return dice.nextInt(3) == 0 ? Fate.ANSWERED : drawn(List.of(Fate.values()), dice);
    }

    private void tell(String line) {
        story.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun) + " ms  " + line);
    }

    private Receipt call(Order order, Attempt attempt) throws Exception {
        calls.incrementAndGet();
        Fate fate = fate();
        tell("call of " + order.id() + " attempt " + attempt.number() + " under " + attempt.nativeKey() + ": " + fate);
        switch (fate) {
            case SILENT_BEFORE -> {
                silence();
                throw new SocketException("the connection is gone");
            }
            case SILENT_AFTER -> {
                Receipt receipt = send(order, attempt);
                silence();
                return receipt;
            }
            case CANCELLED_AFTER -> {
                send(order, attempt);
                throw new CancellationException("the client was cancelled");
            }
            case NO_STAGE -> throw new IOException("no answer");
            default -> {
                return called(fate, order, attempt);
            }
        }
    }

    private CompletionStage<Receipt> callAsync(Order order, Attempt attempt) throws Exception {
        calls.incrementAndGet();
        Fate fate = fate();
        tell("call of " + order.id() + " attempt " + attempt.number() + " under " + attempt.nativeKey() + ": " + fate);
        var never = new CompletableFuture<Receipt>();
        switch (fate) {
            case SILENT_BEFORE -> {
                return never;
            }
            case SILENT_AFTER -> {
                send(order, attempt);
                return never;
            }
            case CANCELLED_AFTER -> {
                send(order, attempt);
                never.cancel(true);
                return never;
            }
            case NO_STAGE -> {
                return nothing();
            }
            default -> {
                Receipt receipt = called(fate, order, attempt);
                var later = new CompletableFuture<Receipt>();
                var unused = TIMER.schedule(
                        () -> {
                            var ignored = later.completeAsync(() -> receipt);
                        },
                        5,
                        TimeUnit.MILLISECONDS);
                return later;
            }
        }
    }

    /** What the compiler does not allow, and code in other languages does. */
    @SuppressWarnings("NullAway")
    private static CompletionStage<Receipt> nothing() {
        @Nullable CompletionStage<Receipt> none = null;
        return none;
    }

    private Receipt called(Fate fate, Order order, Attempt attempt) throws Exception {
        switch (fate) {
            case NOT_CONNECTED -> throw new ConnectException("Connection refused");
            case REFUSED -> throw new NotExecutedException("the provider is overloaded", null);
            case REQUEST_LOST, UNAVAILABLE_BEFORE -> throw new SocketException("Connection reset");
            case ERROR_BEFORE -> throw new LinkageError("chaos in the call");
            case ARRIVES_LATE -> {
                attempt.checkMaySend();
                provider.submitLater(submission(order, attempt), TRANSIT);
                throw new HttpTimeoutException("request timed out");
            }
            case REPLY_LOST, UNAVAILABLE_AFTER -> {
                send(order, attempt);
                throw new SocketException("Connection reset");
            }
            case ERROR_AFTER -> {
                send(order, attempt);
                throw new StackOverflowError("chaos in the call");
            }
            default -> {
                return send(order, attempt);
            }
        }
    }

    /** Deaf to interrupts, as much code is. */
    private void silence() {
        long end = System.nanoTime() + SILENCE.toNanos();
        while (!calm && System.nanoTime() - end < 0) {
            try {
                over.await(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                // Not now.
            }
        }
    }

    private static Submission submission(Order order, Attempt attempt) {
        return new Submission(
                UUID.randomUUID().toString(), attempt.nativeKey(), order.id(), Long.toString(order.amount()));
    }

    private Receipt send(Order order, Attempt attempt) throws IOException {
        long asked = System.nanoTime();
        attempt.checkMaySend();
        Submission submission = submission(order, attempt);
        Reply reply;
        synchronized (ledger) {
            if (System.nanoTime() - asked > GIVES_UP.toNanos()) {
                throw new SocketException("the client gave up before it had sent anything");
            }
            reply = provider.submit(submission);
        }
        tell("provider about " + order.id() + " attempt " + attempt.number() + " under " + attempt.nativeKey() + ": "
                + reply);
        if (reply instanceof Reply.Created created) {
            return receipt(created.effect());
        }
        if (reply instanceof Reply.Replayed replayed) {
            return receipt(replayed.effect());
        }
        if (reply instanceof Reply.Declined declined) {
            throw new DeclinedException(declined.reason());
        }
        throw new IOException("the provider said " + reply);
    }

    private Receipt receipt(Effect effect) {
        return new Receipt(effect.effectId(), amount(effect.reference()));
    }

    private long amount(String reference) {
        return orders.stream()
                .filter(order -> order.id().equals(reference))
                .findFirst()
                .orElseThrow()
                .amount();
    }

    private Finding<Receipt> find(Order order, Attempt attempt) {
        List<Effect> effects = provider.lookup(order.id());
        tell("lookup of " + order.id() + " shows " + effects.size());
        return effects.stream()
                .findFirst()
                .map(effect -> Finding.found(receipt(effect)))
                .orElse(Finding.missing());
    }

    private Finding<Receipt> seal(Order order, Attempt attempt) {
        SealAnswer answer = provider.seal(attempt.nativeKey());
        return answer instanceof SealAnswer.Found found ? Finding.found(receipt(found.effect())) : Finding.missing();
    }

    // ---- the program

    Report run() throws InterruptedException {
        try {
            processes.add(new Instance("one", true));
            processes.add(new Instance("two", random.nextBoolean()));
            boolean shutsDown = random.nextInt(4) == 0;
            var threads = new ArrayList<Thread>();
            for (int i = 0; i < THREADS; i++) {
                var own = random.split();
                var thread = new Thread(null, () -> act(own), "chaos-caller", 512 * 1024);
                thread.setDaemon(true);
                threads.add(thread);
            }
            chaos.begin();
            threads.forEach(Thread::start);
            if (shutsDown) {
                threads.get(0).join(random.nextInt(600));
                // What it has taken it still does; from now on it refuses.
                Objects.requireNonNull(processes.get(0).scheduler).shutdown();
                tell("the scheduler of process one is shut down");
            }
            long end = System.nanoTime()
                    + Duration.ofSeconds(3 + random.nextInt(4)).toNanos();
            for (Thread thread : threads) {
                thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())));
            }
            calm = true;
            chaos.calm();
            tell("the faults are over");
            over.countDown();
            if (shutsDown) {
                // That process is lost, as its owner wanted it; what it was asked for must have ended nevertheless.
                processes.set(0, new Instance("one again", true));
            }
            end(threads);
            settle();
            return report();
        } finally {
            processes.forEach(process -> {
                process.reconciler.close();
                process.idempotency.close();
            });
            chaos.close();
        }
    }

    private void end(List<Thread> threads) throws InterruptedException {
        long end = System.nanoTime() + bound.toNanos();
        for (Thread thread : threads) {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())));
            if (thread.isAlive()) {
                hung.add("a caller, at " + where(thread));
            }
        }
        for (Pending pending : futures) {
            if (!isDone(pending.future(), end - System.nanoTime())) {
                hung.add(pending.what());
            }
        }
    }

    private static boolean isDone(CompletableFuture<?> future, long nanos) throws InterruptedException {
        try {
            future.get(Math.max(1, nanos), TimeUnit.NANOSECONDS);
        } catch (ExecutionException | CancellationException e) {
            return true;
        } catch (TimeoutException e) {
            return false;
        }
        return true;
    }

    private static String where(Thread thread) {
        return List.of(thread.getStackTrace()).stream()
                .filter(frame -> frame.getClassName().startsWith("dev.idempotency"))
                .limit(4)
                .map(frame -> frame.getFileName() + ":" + frame.getLineNumber())
                .toList()
                .toString();
    }

    private void act(SplittableRandom own) {
        for (int i = 0; i < STEPS && !calm; i++) {
            Instance process = processes.get(own.nextInt(2));
            Order order = orders.get(own.nextInt(orders.size()));
            var self = Thread.currentThread();
            var interrupt = own.nextInt(5) == 0
                    ? TIMER.schedule(self::interrupt, own.nextInt(400), TimeUnit.MILLISECONDS)
                    : null;
            try {
                step(own, process, order);
            } catch (Throwable t) {
                // What the caller is told does not matter here, as long as he is told something.
            }
            if (interrupt != null) {
                interrupt.cancel(false);
            }
            var unused = Thread.interrupted();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(own.nextInt(150)));
        }
    }

    private void step(SplittableRandom own, Instance process, Order order) {
        switch (own.nextInt(8)) {
            case 0, 1, 2 -> {
                executions.incrementAndGet();
                told(order, process.operation.execute(order));
            }
            case 3, 4 -> {
                executions.incrementAndGet();
                listen("executeAsync", process, order, process.operation.executeAsync(order));
            }
            case 5 -> {
                executions.incrementAndGet();
                var future = process.operation.executeAsync(order);
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(own.nextInt(50)));
                future.cancel(true);
            }
            case 6 -> {
                executions.addAndGet(orders.size());
                var outcomes = process.operation.executeAll(orders, 1 + own.nextInt(3));
                for (int i = 0; i < orders.size(); i++) {
                    listen("executeAll", process, orders.get(i), outcomes.get(i));
                }
            }
            default -> process.reconciler.sweep();
        }
    }

    private void listen(String how, Instance process, Order order, CompletableFuture<Receipt> future) {
        futures.add(new Pending(
                "the future of " + how + " of " + order.id() + " in process " + process.name + ", begun before "
                        + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun) + " ms",
                future));
        var unused = future.thenAccept(receipt -> told(order, receipt));
    }

    private void told(Order order, Receipt receipt) {
        tell("a caller is told " + receipt + " for " + order.id());
        answers.computeIfAbsent(order, one -> ConcurrentHashMap.newKeySet())
                .add(receipt.effect() + " over " + receipt.amount());
    }

    // ---- the faults are over

    private void settle() throws InterruptedException {
        for (Instance process : processes) {
            bounded("a sweep of process " + process.name, () -> process.reconciler.sweep());
            for (Order order : orders) {
                bounded("an execution in process " + process.name, () -> settle(process, order));
            }
        }
        if (!chaos.awaitIdle(bound)) {
            hung.add(chaos.busy() + " tasks on the threads of the executors");
        }
    }

    private void bounded(String what, Runnable work) throws InterruptedException {
        var thread = new Thread(null, work, "chaos-settles", 512 * 1024);
        thread.setDaemon(true);
        thread.start();
        thread.join(bound.toMillis() * 3 / 2);
        if (thread.isAlive()) {
            hung.add(what + ", at " + where(thread));
            thread.interrupt();
        }
    }

    private void settle(Instance process, Order order) {
        long end = System.nanoTime() + bound.toNanos();
        Throwable last = null;
        while (System.nanoTime() - end < 0) {
            try {
                executions.incrementAndGet();
                told(order, process.operation.execute(order));
                return;
            } catch (DeclinedException e) {
                told(order, new Receipt("declined", 0));
                return;
            } catch (InDoubtException e) {
                if (policy == Policy.HOLD || policy == Policy.LOOKUP) {
                    return;
                }
                last = e;
            } catch (Throwable e) {
                last = e;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        }
        synchronized (lost) {
            lost.add(order.id() + " has no answer in process " + process.name + ", at last " + chain(last));
        }
    }

    private static String chain(@Nullable Throwable failure) {
        var text = new StringBuilder();
        for (Throwable one = failure; one != null && text.length() < 1000; one = one.getCause()) {
            text.append(text.length() == 0 ? "" : " <- ").append(one);
        }
        return text.toString();
    }

    private Report report() {
        var duplicates = new ArrayList<String>();
        var different = new ArrayList<String>();
        for (Order order : orders) {
            List<Effect> effects = provider.ledger().effectsOf(order.id());
            if (effects.size() > 1) {
                duplicates.add(order.id() + ": " + effects);
            }
            Set<String> told = answers.getOrDefault(order, Set.of());
            if (told.size() > 1) {
                different.add(order.id() + ": " + told);
            }
            for (String answer : told) {
                if (!answer.startsWith("declined")
                        && effects.stream()
                                .noneMatch(effect -> answer.equals(effect.effectId() + " over " + order.amount()))) {
                    lost.add(order.id() + " was answered with " + answer + ", and has " + effects);
                }
            }
        }
        return new Report(
                seed,
                policy,
                executions.get(),
                calls.get(),
                ledger.count(),
                chaos.thrown().values().stream().mapToLong(Long::longValue).sum(),
                List.copyOf(duplicates),
                List.copyOf(different),
                List.copyOf(lost),
                List.copyOf(hung),
                List.copyOf(story));
    }
}
