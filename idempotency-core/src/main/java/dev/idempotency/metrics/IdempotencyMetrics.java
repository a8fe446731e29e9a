package dev.idempotency.metrics;

import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.IdempotencyListener;
import dev.idempotency.store.IdempotencyStore;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The library's metrics, for Micrometer: give it to {@link dev.idempotency.Idempotency.Builder#listener} and bind it to a
 * registry. What each meter says is written down in {@code docs/metrics.md}. Thread-safe; one for each store.
 *
 * <p>Tags are bounded: operations by their names, never tenants or keys, and from some number of names on as
 * {@code other}. How many keys are in doubt is read from the store every now and then, on a daemon thread of its own and
 * never by who asks for the metrics; this thread ends with {@link #close()}.
 *
 * @since 0.1.0
 */
public final class IdempotencyMetrics implements IdempotencyListener, MeterBinder, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(IdempotencyMetrics.class);

    /** A counter that an event adds one to. */
    private record Counted(String meter, String description, Tags tags) {
        Counted(String meter, String description, String tag, String value) {
            this(meter, description, Tags.of(tag, value));
        }

        void in(MeterRegistry registry, String operation, double amount) {
            Counter.builder(meter)
                    .description(description)
                    .tags(tags.and("operation", operation))
                    .register(registry)
                    .increment(amount);
        }
    }

    private static final Map<IdempotencyEvent.Type, Counted> COUNTED = counted();
    private static final Map<IdempotencyEvent.Type, Counted> BY_PEOPLE = Map.of(
            IdempotencyEvent.Type.FOUND, resolution("found_by_person"),
            IdempotencyEvent.Type.CLOSED, resolution("closed_by_person"));

    private final OperationNames names = new OperationNames();
    private final List<MeterRegistry> registries = new CopyOnWriteArrayList<>();
    private final DoubtReader doubts;
    private final Readings readings;

    private IdempotencyMetrics(IdempotencyStore store, Duration every) {
        this.doubts = new DoubtReader(store, names);
        this.readings = new Readings(this::readDoubts, every);
    }

    private static Map<IdempotencyEvent.Type, Counted> counted() {
        var counted = new EnumMap<IdempotencyEvent.Type, Counted>(IdempotencyEvent.Type.class);
        counted.put(
                IdempotencyEvent.Type.REPLAYED,
                new Counted("idempotency.replays", "Recorded outcomes that were given out", Tags.empty()));
        counted.put(
                IdempotencyEvent.Type.WAITING,
                new Counted("idempotency.waits", "Runs that waited for another one of their key", Tags.empty()));
        counted.put(
                IdempotencyEvent.Type.MISMATCHED,
                new Counted("idempotency.mismatches", "Runs whose key belongs to another payload", Tags.empty()));
        counted.put(
                IdempotencyEvent.Type.LEASE_LOST,
                new Counted("idempotency.lease.losses", "Leases lost while their call was running", Tags.empty()));
        for (var doubt : Map.of(IdempotencyEvent.Type.IN_DOUBT, "ambiguous", IdempotencyEvent.Type.LAPSED, "lapsed")
                .entrySet()) {
            counted.put(
                    doubt.getKey(),
                    new Counted("idempotency.doubts", "Keys that came into doubt", "how", doubt.getValue()));
        }
        for (var how : Map.of(
                        IdempotencyEvent.Type.FOUND, "found",
                        IdempotencyEvent.Type.RESENT, "resent",
                        IdempotencyEvent.Type.REEXECUTED, "reexecuted",
                        IdempotencyEvent.Type.TAKEN_OVER, "taken_over",
                        IdempotencyEvent.Type.CLOSED, "closed",
                        IdempotencyEvent.Type.LATE_RESULT, "late_result",
                        IdempotencyEvent.Type.OVERRIDDEN, "reopened_by_person")
                .entrySet()) {
            counted.put(how.getKey(), resolution(how.getValue()));
        }
        for (IdempotencyEvent.Type type : IdempotencyEvent.Type.values()) {
            if (type.isAlarm()) {
                counted.put(type, new Counted("idempotency.alarms", "Preconditions found broken", "type", word(type)));
            }
        }
        return counted;
    }

    private static Counted resolution(String how) {
        return new Counted("idempotency.resolutions", "What was done about keys in doubt", "how", how);
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /**
     * Counts what happens, and reads every 30 seconds how many keys of a store are in doubt.
     *
     * @param store where the keys stand
     * @return to be given to {@code Idempotency.builder(store).listener(..)}, and bound to a registry
     * @throws NullPointerException if {@code store} is null
     */
    public static IdempotencyMetrics of(IdempotencyStore store) {
        return of(store, Duration.ofSeconds(30));
    }

    /**
     * Counts what happens, and reads now and then how many keys of a store are in doubt.
     *
     * @param store where the keys stand
     * @param every how long after one reading the next one begins; 1 second to 1 hour
     * @return to be given to {@code Idempotency.builder(store).listener(..)}, and bound to a registry
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if {@code every} is out of range
     */
    public static IdempotencyMetrics of(IdempotencyStore store, Duration every) {
        Objects.requireNonNull(store, "store");
        return new IdempotencyMetrics(store, every);
    }

    /**
     * Registers the meters in a registry, and begins to read the store. What happened before is not counted there.
     *
     * @param registry where to; binding to several is fine
     */
    @Override
    public void bindTo(MeterRegistry registry) {
        registries.add(Objects.requireNonNull(registry, "registry"));
        names.all().forEach(name -> prepare(registry, name));
        var unused = purged(registry);
        readings.start();
    }

    /** Ends the reading of the store. The gauges keep their last values; the counters go on. */
    @Override
    public void close() {
        readings.close();
    }

    /** One reading, which the gauges show from then on. */
    void readDoubts() {
        long from = System.nanoTime();
        boolean failed = false;
        try {
            doubts.read();
        } catch (Throwable e) {
            failed = true;
            LOG.warn("The keys in doubt could not be read; the gauges say so", e);
        }
        names.takeNew().forEach(this::prepare);
        onStoreStep("list unresolved", Duration.ofNanos(System.nanoTime() - from), failed);
    }

    /**
     * A rate is taken between two values: a counter that begins with its first event would hide that event, so all that an
     * operation can have begin with zero.
     */
    private void prepare(String operation) {
        registries.forEach(registry -> prepare(registry, operation));
    }

    private void prepare(MeterRegistry registry, String operation) {
        COUNTED.values().forEach(counted -> counted.in(registry, operation, 0));
        BY_PEOPLE.values().forEach(counted -> counted.in(registry, operation, 0));
        gauge(registry, operation, "idempotency.in.doubt", null, "Keys in doubt, at least", doubts::count);
        gauge(
                registry,
                operation,
                "idempotency.in.doubt.oldest",
                "seconds",
                "For how long the oldest of them is in doubt",
                doubts::oldestSeconds);
    }

    private void gauge(
            MeterRegistry registry,
            String operation,
            String meter,
            @Nullable String unit,
            String description,
            ToDoubleFunction<String> value) {
        Gauge.builder(meter, operation, value)
                .strongReference(true)
                .baseUnit(unit)
                .description(description)
                .tag("operation", operation)
                .register(registry);
    }

    private String operation(IdempotencyKey key) {
        String name = names.heard(key.operation());
        names.takeNew().forEach(this::prepare);
        return name;
    }

    @Override
    public void on(IdempotencyEvent event) {
        count(event, COUNTED.get(event.type()));
    }

    /**
     * Hears what people decide, and counts it as theirs.
     *
     * @return to be given to {@link dev.idempotency.Admin.Builder#listener}
     */
    public IdempotencyListener ofPeople() {
        return event -> count(event, BY_PEOPLE.getOrDefault(event.type(), COUNTED.get(event.type())));
    }

    private void count(IdempotencyEvent event, @Nullable Counted counted) {
        String operation = operation(event.key());
        if (counted != null) {
            registries.forEach(registry -> counted.in(registry, operation, 1));
        }
    }

    @Override
    public void onStoreStep(String step, Duration took, boolean failed) {
        time(
                "idempotency.store.steps",
                "Steps of the store",
                Tags.of("step", step.replace(' ', '_').replace('-', '_'), "outcome", failed ? "failed" : "done"),
                took);
    }

    @Override
    public void onPurged(int records) {
        registries.forEach(registry -> purged(registry).increment(records));
    }

    private static Counter purged(MeterRegistry registry) {
        return Counter.builder("idempotency.purged")
                .description("Records that were removed, or lost their result, after their retention")
                .register(registry);
    }

    @Override
    public void onRun(Run run, IdempotencyKey key, Outcome outcome, Duration took) {
        Tags tags = Tags.of("operation", operation(key), "outcome", word(outcome));
        if (run == Run.EXECUTE) {
            time("idempotency.executions", "Executions of requests, waits included", tags, took);
        } else if (run == Run.RECOVER) {
            time("idempotency.recoveries", "Recoveries of keys without a caller", tags, took);
        } else {
            time("idempotency.questions", "Questions to providers", tags.and("how", word(run)), took);
        }
    }

    private void time(String meter, String description, Tags tags, Duration took) {
        for (MeterRegistry registry : registries) {
            Timer.builder(meter)
                    .description(description)
                    .tags(tags)
                    .register(registry)
                    .record(took);
        }
    }
}
