package dev.idempotency.testkit.chaos;

import dev.idempotency.Idempotency;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.StoreException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes the code around the library fail: executors that refuse tasks or cannot make a thread, and an {@link Error} or a
 * {@link RuntimeException} from whatever the library calls. Each place has a name; which of its visits fail, and how, follows
 * from the seed, the name and the number of the visit alone.
 *
 * <p>Quiet until {@link #begin()}, so that what is built on it can be built, and again from {@link #calm()} on, so that a test
 * can ask whether everything works again. Thread-safe.
 *
 * @since 0.1.0
 */
public final class Chaos implements AutoCloseable {
    /** What threads an executor has. */
    public enum Threads {
        /** As many as are needed. */
        AS_NEEDED,
        /** One for all tasks, which wait for each other. */
        ONE,
        /** Two, and the submitting thread runs what they have no time for. */
        CALLER_RUNS
    }

    /** Of a database, what is asked of the server: the other methods only read or set what the driver knows. */
    private static final Set<String> SQL_CALLS =
            Set.of("getConnection", "prepareStatement", "execute", "executeQuery", "executeUpdate", "commit", "next");

    private record Fault(boolean before, Throwable failure) {}

    private final long seed;
    private final double rate;
    private final ConcurrentMap<String, AtomicInteger> visits = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, LongAdder> thrown = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Queue<Throwable>> planned = new ConcurrentHashMap<>();
    private final List<ChaosExecutor> executors = new CopyOnWriteArrayList<>();
    private final List<ChaosScheduler> schedulers = new CopyOnWriteArrayList<>();
    private volatile Consumer<String> told = line -> {};
    private volatile boolean raging;

    private Chaos(long seed, double rate) {
        this.seed = seed;
        this.rate = rate;
    }

    /**
     * Faults at random, besides those that are planned.
     *
     * @param seed the same seed makes the same visits fail
     * @param rate which part of all visits fails: from 0 to 1
     * @return a new one, still quiet
     * @throws IllegalArgumentException if the rate is no part
     */
    public static Chaos seeded(long seed, double rate) {
        if (!(rate >= 0 && rate <= 1)) {
            throw new IllegalArgumentException("rate is " + rate + "; it must be from 0 to 1");
        }
        return new Chaos(seed, rate);
    }

    /**
     * Only faults that are planned with {@link #fail}.
     *
     * @return a new one
     */
    public static Chaos planned() {
        return new Chaos(0, 0);
    }

    /**
     * What repeats the faults.
     *
     * @return the seed
     */
    public long seed() {
        return seed;
    }

    /** Starts the faults that come at random. */
    public void begin() {
        raging = true;
    }

    /** Ends all faults, planned ones too. Threads that they had refused can be made again. */
    public void calm() {
        raging = false;
        planned.clear();
    }

    /**
     * Lets the next visits of a place fail, whether or not random faults have begun.
     *
     * @param place the name that was given to {@link #around}, a dot, and the method; or {@code executor.execute} and
     *     {@code scheduler.schedule}
     * @param failures what the visits throw, one after the other: unchecked ones, or what the method declares
     * @throws NullPointerException if an argument is null
     */
    public void fail(String place, Throwable... failures) {
        Queue<Throwable> next =
                planned.computeIfAbsent(Objects.requireNonNull(place, "place"), name -> new ConcurrentLinkedQueue<>());
        next.addAll(Arrays.asList(failures));
    }

    /**
     * What the JVM says at the limit of its threads.
     *
     * @return a new error
     */
    public static OutOfMemoryError noThread() {
        return new OutOfMemoryError(
                "unable to create native thread: possibly out of memory or process/resource limits reached");
    }

    /**
     * How often each place has failed so far. A test that proves something shows that this is not empty.
     *
     * @return the number of faults by place; a snapshot
     */
    public Map<String, Long> thrown() {
        var counts = new TreeMap<String, Long>();
        thrown.forEach((place, count) -> counts.put(place, count.sum()));
        return counts;
    }

    // ---- threads

    /**
     * An executor, which sometimes refuses a task or cannot make a thread for it. Its place is {@code executor.execute}.
     *
     * @param threads what threads it has
     * @return a new one; ended by {@link #close()}
     * @throws NullPointerException if {@code threads} is null
     */
    public ExecutorService executor(Threads threads) {
        var executor = new ChaosExecutor(Objects.requireNonNull(threads, "threads"), this::visitThreads);
        executors.add(executor);
        return executor;
    }

    /**
     * A timer with one thread, which sometimes refuses a task or cannot make its thread. Its place is {@code scheduler.schedule}.
     *
     * @return a new one; ended by {@link #close()}
     */
    public ScheduledExecutorService scheduler() {
        var scheduler = new ChaosScheduler(this::visitThreads);
        schedulers.add(scheduler);
        return scheduler;
    }

    private void visitThreads(String place) {
        Fault fault = next(
                place,
                random -> random.nextBoolean()
                        ? noThread()
                        : new RejectedExecutionException("no task is taken at the moment"));
        if (fault != null) {
            throw unchecked(fault.failure());
        }
    }

    /**
     * How many tasks run or wait on the threads that were handed out.
     *
     * @return 0 when all of them are free
     */
    public int busy() {
        return executors.stream().mapToInt(ChaosExecutor::busy).sum()
                + schedulers.stream().mapToInt(ChaosScheduler::busy).sum();
    }

    /**
     * Waits until no task runs or waits on the threads that were handed out.
     *
     * @param atMost how long
     * @return false if there is still one
     */
    public boolean awaitIdle(Duration atMost) {
        long end = System.nanoTime() + atMost.toNanos();
        while (busy() > 0) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            LockSupport.parkNanos(1_000_000);
        }
        return true;
    }

    /** Ends the threads that were handed out. */
    @Override
    public void close() {
        calm();
        executors.forEach(ExecutorService::shutdownNow);
        schedulers.forEach(ExecutorService::shutdownNow);
    }

    // ---- foreign code

    /**
     * Foreign code that sometimes throws an {@link Error} or a {@link RuntimeException} before it has done its work, or behind it.
     * What it returns is wrapped too where it is foreign code too (the spans of a tracing, the connections of a data source). A stage that it returns may fail instead, or be cancelled.
     *
     * @param name names the place: with a dot and the name of the method
     * @param type the interface
     * @param foreign what does the work
     * @param <T> the interface, with its type arguments; never a class
     * @return another one, which also has the other interfaces of {@code foreign}: a store that takes asynchronous steps still does
     * @throws NullPointerException if an argument is null
     */
    @SuppressWarnings("unchecked") // of the interface, whatever its type arguments are
    public <T> T around(String name, Class<? super T> type, T foreign) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(foreign, "foreign");
        return (T) wrapped(name, type, foreign);
    }

    private Object wrapped(String name, Class<?> type, Object foreign) {
        var interfaces = new LinkedHashSet<Class<?>>();
        interfaces.add(type);
        for (Class<?> c = foreign.getClass(); c != null; c = c.getSuperclass()) {
            for (Class<?> one : c.getInterfaces()) {
                if (Modifier.isPublic(one.getModifiers()) && !one.isSealed()) {
                    interfaces.add(one);
                }
            }
        }
        ClassLoader loader = type.getClassLoader() == null ? Chaos.class.getClassLoader() : type.getClassLoader();
        interfaces.removeIf(one -> !isSeenBy(loader, one));
        InvocationHandler handler = (proxy, method, arguments) -> visit(name, foreign, method, arguments);
        return Proxy.newProxyInstance(loader, interfaces.toArray(Class<?>[]::new), handler);
    }

    private static boolean isSeenBy(ClassLoader loader, Class<?> type) {
        try {
            return Class.forName(type.getName(), false, loader) == type;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the caller gets it
    private @Nullable Object visit(String name, Object foreign, Method method, Object @Nullable [] arguments)
            throws Throwable {
        if (method.getDeclaringClass() == Object.class) {
            return invoke(foreign, method, arguments);
        }
        Class<?> returned = method.getReturnType();
        boolean isStage = CompletionStage.class.isAssignableFrom(returned);
        Fault fault = fails(method) ? next(name + "." + method.getName(), random -> failure(method, random)) : null;
        // What was opened and not handed over could not be closed by anybody.
        if (fault != null && (fault.before() || AutoCloseable.class.isAssignableFrom(returned))) {
            if (isStage && fault.failure() instanceof RuntimeException) {
                return CompletableFuture.failedFuture(fault.failure());
            }
            throw fault.failure();
        }
        Object result = invoke(foreign, method, arguments);
        if (fault != null) {
            if (isStage && result != null) {
                return ((CompletionStage<?>) result).thenApply(ignored -> {
                    throw unchecked(fault.failure());
                });
            }
            throw fault.failure();
        }
        return result != null && isWrapped(returned) ? wrapped(name, returned, result) : result;
    }

    private static boolean fails(Method method) {
        if (isSql(method.getDeclaringClass())) {
            return SQL_CALLS.contains(method.getName());
        }
        return method.getDeclaringClass() != AutoCloseable.class;
    }

    private static boolean isWrapped(Class<?> returned) {
        return returned == Idempotency.Tracing.Span.class
                || returned == Idempotency.Tracing.Scope.class
                || (returned.isInterface() && isSql(returned));
    }

    private static boolean isSql(Class<?> type) {
        return type.getPackageName().equals("java.sql") || type.getPackageName().equals("javax.sql");
    }

    private static @Nullable Object invoke(Object foreign, Method method, Object @Nullable [] arguments)
            throws Throwable {
        try {
            method.setAccessible(true);
            return method.invoke(foreign, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }

    private static Throwable failure(Method method, SplittableRandom random) {
        return switch (random.nextInt(7)) {
            case 0 -> new LinkageError("chaos");
            case 1 -> new StackOverflowError("chaos");
            case 2 -> new AssertionError("chaos");
            case 3 -> new OutOfMemoryError("Java heap space, says chaos");
            case 4 -> new IllegalStateException("chaos");
            default -> usual(method.getDeclaringClass());
        };
    }

    private static Throwable usual(Class<?> type) {
        if (IdempotencyStore.class.isAssignableFrom(type)) {
            return new StoreException("chaos: perhaps written", true, null);
        }
        return isSql(type)
                ? new SQLException("chaos: the connection is gone", "08006")
                : new IllegalStateException("chaos");
    }

    // ---- which visits fail

    private interface Choice {
        Throwable of(SplittableRandom random);
    }

    private @Nullable Fault next(String place, Choice choice) {
        Queue<Throwable> first = planned.get(place);
        Throwable failure = first == null ? null : first.poll();
        if (failure != null) {
            count(place, true, failure);
            return new Fault(true, failure);
        }
        if (!raging) {
            return null;
        }
        int visit = visits.computeIfAbsent(place, name -> new AtomicInteger()).incrementAndGet();
        var random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + place.hashCode() * 31L + visit);
        if (random.nextDouble() >= rate) {
            return null;
        }
        boolean before = random.nextBoolean();
        Throwable chosen = choice.of(random);
        count(place, before, chosen);
        return new Fault(before, chosen);
    }

    /** Who is told of each fault, as it happens. */
    void tell(Consumer<String> listener) {
        told = listener;
    }

    private void count(String place, boolean before, Throwable failure) {
        told.accept((before ? "before " : "after ") + place + ": " + failure);
        thrown.computeIfAbsent(place, name -> new LongAdder()).increment();
    }

    @SuppressWarnings("unchecked")
    private static <X extends Throwable> RuntimeException unchecked(Throwable failure) throws X {
        throw (X) failure;
    }
}
