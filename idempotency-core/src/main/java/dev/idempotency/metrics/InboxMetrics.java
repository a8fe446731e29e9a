package dev.idempotency.metrics;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxEvent;
import dev.idempotency.inbox.InboxListener;
import dev.idempotency.inbox.InboxStore;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The metrics of one {@link dev.idempotency.inbox.Inbox}, for Micrometer: give it to
 * {@link dev.idempotency.inbox.Inbox.Builder#listener} and bind it to a registry. What each meter says is written down in
 * {@code docs/metrics.md}. Thread-safe.
 *
 * <p>How much is in the queue is read from the store every now and then, on a daemon thread of its own and never by who asks for
 * the metrics; this thread ends with {@link #close()}.
 *
 * @since 0.1.0
 */
public final class InboxMetrics implements InboxListener, MeterBinder, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(InboxMetrics.class);
    private static final List<InboxEvent.Type> ENDS =
            List.of(InboxEvent.Type.DONE, InboxEvent.Type.RETRIED, InboxEvent.Type.BURIED, InboxEvent.Type.LEASE_LOST);

    private final InboxStore store;
    private final String queue;
    private final Tags tags;
    private final List<MeterRegistry> registries = new CopyOnWriteArrayList<>();
    private final Readings readings;
    private volatile @Nullable InboxDepth depth;

    private InboxMetrics(InboxStore store, String queue, Duration every) {
        this.store = Objects.requireNonNull(store, "store");
        this.queue = new IdempotencyKey(queue, "-").scope();
        this.tags = Tags.of("queue", queue);
        this.readings = new Readings(this::readDepth, every);
    }

    /**
     * Counts what happens, and reads every 30 seconds how much is in the queue.
     *
     * @param store where the messages wait
     * @param queue the name of the queue
     * @return to be given to {@code Inbox.builder(store, queue).listener(..)}, and bound to a registry
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is none of a queue
     */
    public static InboxMetrics of(InboxStore store, String queue) {
        return of(store, queue, Duration.ofSeconds(30));
    }

    /**
     * Counts what happens, and reads now and then how much is in the queue.
     *
     * @param store where the messages wait
     * @param queue the name of the queue
     * @param every how long after one reading the next one begins; 1 second to 1 hour
     * @return to be given to {@code Inbox.builder(store, queue).listener(..)}, and bound to a registry
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is none of a queue, or {@code every} is out of range
     */
    public static InboxMetrics of(InboxStore store, String queue, Duration every) {
        return new InboxMetrics(store, queue, every);
    }

    /**
     * Registers the meters in a registry, and begins to read the store. What happened before is not counted there.
     *
     * @param registry where to; binding to several is fine
     */
    @Override
    public void bindTo(MeterRegistry registry) {
        // A rate is taken between two values: what begins with its first event would hide that event.
        for (String outcome : List.of("accepted", "duplicate")) {
            offers(registry, outcome);
        }
        ENDS.forEach(end -> tasks(registry, end));
        age(registry);
        for (String outcome : List.of("done", "failed")) {
            readings(registry, outcome);
        }
        messages(registry, "ready", InboxDepth::ready);
        messages(registry, "delayed", InboxDepth::delayed);
        messages(registry, "claimed", InboxDepth::claimed);
        messages(registry, "dead", InboxDepth::dead);
        Gauge.builder("idempotency.inbox.lag", this, self -> self.read(known -> seconds(known.lag())))
                .strongReference(true)
                .baseUnit("seconds")
                .description("How long ago the oldest message arrived that is neither done nor dead")
                .tags(tags)
                .register(registry);
        registries.add(registry);
        readings.start();
    }

    /** Ends the reading of the store. The gauges keep their last values; the counters go on. */
    @Override
    public void close() {
        readings.close();
    }

    /** One reading, which the gauges show from then on. */
    void readDepth() {
        InboxDepth found = null;
        try {
            found = store.depth(queue);
        } catch (Throwable e) {
            LOG.warn("The depth of queue {} could not be read; the gauges say so", queue, e);
        }
        depth = found;
        String outcome = found == null ? "failed" : "done";
        registries.forEach(registry -> readings(registry, outcome).increment());
    }

    private double read(ToDoubleFunction<InboxDepth> value) {
        InboxDepth known = depth;
        return known == null ? Double.NaN : value.applyAsDouble(known);
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    private void messages(MeterRegistry registry, String state, ToDoubleFunction<InboxDepth> value) {
        Gauge.builder("idempotency.inbox.messages", this, self -> self.read(value))
                .strongReference(true)
                .description("Messages in the queue")
                .tags(tags.and("state", state))
                .register(registry);
    }

    private Counter offers(MeterRegistry registry, String outcome) {
        return Counter.builder("idempotency.inbox.offers")
                .description("Messages that were offered")
                .tags(tags.and("outcome", outcome))
                .register(registry);
    }

    private Counter readings(MeterRegistry registry, String outcome) {
        return Counter.builder("idempotency.inbox.readings")
                .description("Readings of how much is in the queue")
                .tags(tags.and("outcome", outcome))
                .register(registry);
    }

    private Timer age(MeterRegistry registry) {
        return Timer.builder("idempotency.inbox.age")
                .description("How old messages were when they were claimed first")
                .tags(tags)
                .register(registry);
    }

    private Timer tasks(MeterRegistry registry, InboxEvent.Type end) {
        return Timer.builder("idempotency.inbox.tasks")
                .description("Tasks, by what became of their message")
                .tags(tags.and("outcome", end.name().toLowerCase(Locale.ROOT)))
                .register(registry);
    }

    @Override
    public void on(InboxEvent event) {
        if (!event.key().scope().equals(queue)) {
            return;
        }
        for (MeterRegistry registry : registries) {
            switch (event.type()) {
                case OFFERED -> offers(registry, "accepted").increment();
                case DUPLICATE -> offers(registry, "duplicate").increment();
                case CLAIMED -> {
                    // Later claims wait for their backoff.
                    if (event.attempt() == 1) {
                        age(registry).record(event.age());
                    }
                }
                case DONE, RETRIED, BURIED, LEASE_LOST ->
                    tasks(registry, event.type()).record(event.took());
            }
        }
    }
}
