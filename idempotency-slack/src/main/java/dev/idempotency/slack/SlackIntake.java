package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts what Slack delivers into an inbox, within the time that Slack gives. Whoever is told that a delivery {@link Taken#isSafe()
 * is safe} may tell Slack so; everything else Slack is to deliver again. Thread-safe.
 *
 * <p>No more than {@code concurrency} deliveries are put into the store at once; some wait for their turn, and when there is no
 * time left, or too many wait, they are shed. With a spill buffer they go to the disk instead, and so does everything while the
 * store does not answer; from there they go to the inbox when it does.
 *
 * @since 0.1.0
 */
public final class SlackIntake implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SlackIntake.class);
    private static final Duration SLACK_WAITS = Duration.ofSeconds(3);
    private static final long DRAIN_EVERY_MILLIS = 200;
    /** What is left of the budget for the disk when the store has not answered. */
    private static final int SHARE_OF_DISK = 4;

    private final Inbox inbox;
    private final long budgetNanos;
    private final int mayWait;
    private final Semaphore free;
    private final AtomicInteger waiting = new AtomicInteger();
    private final ExecutorService offers;
    private final ExecutorService responses;
    private final Function<SlackEvent, @Nullable JsonNode> response;
    private final Listeners listeners;
    private final @Nullable SpillBuffer spill;
    private final @Nullable Thread drain;
    private final CountDownLatch closing = new CountDownLatch(1);
    /** Whether the store has failed since it last answered. With a spill buffer, it is not asked until it does. */
    private volatile boolean isStoreDown;

    private SlackIntake(Builder builder) {
        inbox = builder.inbox;
        budgetNanos = builder.budget.toNanos();
        mayWait = builder.mayWait;
        free = new Semaphore(builder.concurrency);
        response = builder.response;
        listeners = new Listeners(builder.listeners);
        spill = builder.spillDirectory == null ? null : new SpillBuffer(builder.spillDirectory, builder.spillBytes);
        var number = new AtomicInteger();
        offers = Executors.newFixedThreadPool(
                builder.concurrency, work -> daemon(work, "slack-intake-" + number.incrementAndGet()));
        responses = new ThreadPoolExecutor(
                builder.concurrency,
                builder.concurrency,
                1,
                TimeUnit.MINUTES,
                new ArrayBlockingQueue<>(builder.mayWait),
                work -> daemon(work, "slack-response-" + number.incrementAndGet()));
        drain = spill == null ? null : daemon(() -> drain(spill), "slack-drain");
        if (drain != null) {
            drain.start();
        }
    }

    private static Thread daemon(Runnable work, String name) {
        var thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
    }

    /**
     * Describes an intake.
     *
     * @param inbox where deliveries go. Its retention should be 3 hours at least, which is how late Slack may repeat itself, or
     *     26 with Delayed Events
     * @return a builder with the default settings
     * @throws NullPointerException if {@code inbox} is null
     */
    public static Builder builder(Inbox inbox) {
        return new Builder(inbox);
    }

    /** Settings of an intake. Not thread-safe. */
    public static final class Builder {
        private final Inbox inbox;
        private Duration budget = Duration.ofMillis(2_500);
        private int concurrency = 16;
        private int mayWait = 1_000;
        private @Nullable Path spillDirectory;
        private long spillBytes;
        private Function<SlackEvent, @Nullable JsonNode> response = event -> null;
        private final List<SlackListener> listeners = new ArrayList<>();

        private Builder(Inbox inbox) {
            this.inbox = Objects.requireNonNull(inbox, "inbox");
        }

        /**
         * Sets how long a delivery may take from its arrival to its answer, 2.5 seconds by default.
         *
         * @param value more than zero, less than Slack's 3 seconds
         * @return this
         * @throws IllegalArgumentException if it is not
         */
        public Builder budget(Duration value) {
            if (value.isNegative() || value.isZero() || value.compareTo(SLACK_WAITS) >= 0) {
                throw new IllegalArgumentException(
                        "budget is " + value + "; it must be more than zero and less than " + SLACK_WAITS);
            }
            budget = value;
            return this;
        }

        /**
         * Sets how many deliveries are put into the store at once, 16 by default: no more than it has connections for.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if {@code value} is below 1
         */
        public Builder concurrency(int value) {
            concurrency = Bounds.atLeastOne("concurrency", value);
            return this;
        }

        /**
         * Sets how many deliveries may wait for their turn, 1,000 by default. More are shed at once.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if {@code value} is below 1
         */
        public Builder mayWait(int value) {
            mayWait = Bounds.atLeastOne("mayWait", value);
            return this;
        }

        /**
         * Keeps deliveries on the disk while the store does not answer. Without it, Slack keeps them: it is told 503, tries again
         * three times in six minutes, and switches the app off when too many fail.
         *
         * @param directory this process' own; made if it is not there. What is left in it by another process is taken over
         * @param maxBytes how much it may hold; what does not fit is answered as without it
         * @return this
         * @throws NullPointerException if {@code directory} is null
         * @throws IllegalArgumentException if {@code maxBytes} is below 1
         */
        public Builder spill(Path directory, long maxBytes) {
            spillDirectory = Objects.requireNonNull(directory, "directory");
            spillBytes = Bounds.atLeastOne("maxBytes", maxBytes);
            return this;
        }

        /**
         * Answers interactions and slash commands with more than an acknowledgement. Is asked after the delivery is safe, before or
         * while its event is handled, and for repeated deliveries too; so it must not change anything, unless it does so by an
         * operation. As many are made at once as deliveries are put into the store. When one is not there within the budget, or
         * fails, the answer is a bare acknowledgement; one that has begun runs to its end all the same.
         *
         * @param value what to answer; null, or JSON's null, for nothing more
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder responding(Function<SlackEvent, @Nullable JsonNode> value) {
            response = Objects.requireNonNull(value, "value");
            return this;
        }

        /**
         * Adds somebody who hears of each delivery.
         *
         * @param listener who
         * @return this
         * @throws NullPointerException if {@code listener} is null
         */
        public Builder listener(SlackListener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /**
         * Makes the intake.
         *
         * @return an intake, to be closed
         * @throws java.io.UncheckedIOException if the spill buffer's directory cannot be used
         * @throws IllegalStateException if another process uses that directory
         */
        public SlackIntake build() {
            return new SlackIntake(this);
        }
    }

    /**
     * Puts something that Slack has delivered into the inbox. Never takes longer than the budget, and never fails with what the
     * store fails with.
     *
     * @param event what was delivered
     * @param transport by which way
     * @param retry the number of the retry, as Slack counts; 0 for none
     * @param retryReason why Slack says that it retries; empty when it does not say
     * @return what became of it
     */
    public Taken take(SlackEvent event, Delivered.Transport transport, int retry, String retryReason) {
        return take(event, transport, retry, retryReason, deadline());
    }

    /** What is signed by Slack and nobody can read: a worker will bury it. */
    Taken takeMalformed(byte[] bytes, Delivered.Transport transport, int retry, String retryReason, long deadline) {
        return take(SlackKeys.unreadable(bytes), bytes, attributes(transport, retry, retryReason), deadline);
    }

    Taken take(SlackEvent event, Delivered.Transport transport, int retry, String retryReason, long deadline) {
        var attributes = attributes(transport, retry, retryReason);
        attributes.put("type", shortened(event.type()));
        if (event.subtype() != null) {
            attributes.put("subtype", shortened(event.subtype()));
        }
        return take(SlackKeys.delivery(event), event.bytes(), attributes, deadline);
    }

    /** When the answer must be out, on the monotonic clock. */
    long deadline() {
        return System.nanoTime() + budgetNanos;
    }

    Listeners listeners() {
        return listeners;
    }

    /**
     * What to answer besides "acknowledged"; null for nothing, and when none is there in time or its making failed, which is told.
     * On a thread of its own: what hangs or fails there must not keep the acknowledgement back.
     */
    @Nullable
    JsonNode response(SlackEvent event, long deadline, Consumer<String> failed) {
        if (event.kind() != SlackEvent.Kind.INTERACTIVE && event.kind() != SlackEvent.Kind.SLASH_COMMAND) {
            return null;
        }
        var making = new FutureTask<@Nullable JsonNode>(() -> response.apply(event));
        try {
            responses.execute(making);
            JsonNode made = making.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            return made == null || made.isNull() || made.isMissingNode() ? null : WellFormed.json(made);
        } catch (ExecutionException e) {
            LOG.warn("{} is acknowledged without a response, because making one failed", event, e.getCause());
            failed.accept(String.valueOf(e.getCause()).split(":", 2)[0]);
        } catch (TimeoutException e) {
            // One that runs goes on to its end, one that waits for a thread is not begun.
            making.cancel(false);
            LOG.warn("{} is acknowledged without a response, because none was there in time", event);
            failed.accept("too late");
        } catch (RejectedExecutionException e) {
            LOG.warn("{} is acknowledged without a response, because too many are being made", event);
            failed.accept("too many");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return null;
    }

    private static Map<String, String> attributes(Delivered.Transport transport, int retry, String retryReason) {
        Map<String, String> attributes = new HashMap<>();
        attributes.put("transport", transport.name());
        attributes.put("retry", Integer.toString(retry));
        if (!retryReason.isEmpty()) {
            attributes.put("retry_reason", shortened(retryReason));
        }
        return attributes;
    }

    /** As an attribute may be. */
    private static String shortened(String text) {
        String plain = text.replaceAll("[^ -~]", "?");
        return plain.length() <= 100 ? plain : plain.substring(0, 100);
    }

    private Taken take(String key, byte[] payload, Map<String, String> attributes, long deadline) {
        SpillBuffer buffer = spill;
        if (buffer == null) {
            return offer(key, payload, attributes, deadline);
        }
        Taken taken =
                isStoreDown ? Taken.FAILED : offer(key, payload, attributes, deadline - budgetNanos / SHARE_OF_DISK);
        if (taken.isSafe()) {
            return taken;
        }
        var entry = new SpillBuffer.Entry(key, payload, attributes);
        return buffer.add(entry, deadline - System.nanoTime()) ? Taken.SPILLED : taken;
    }

    private Taken offer(String key, byte[] payload, Map<String, String> attributes, long deadline) {
        // A body that was slow to come says nothing about the store.
        if (deadline - System.nanoTime() <= 0 || !admitted(deadline)) {
            return Taken.SHED;
        }
        CompletableFuture<InboxStore.Offered> offered;
        try {
            // On a thread of its own: a store that hangs must not keep the answer back.
            offered = CompletableFuture.supplyAsync(() -> inbox.offer(key, payload, attributes), offers);
        } catch (RejectedExecutionException e) {
            free.release();
            return Taken.SHED;
        }
        var unused = offered.whenComplete((answer, failure) -> free.release());
        try {
            var answer = offered.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            isStoreDown = false;
            return answer == InboxStore.Offered.ACCEPTED ? Taken.ACCEPTED : Taken.DUPLICATE;
        } catch (ExecutionException e) {
            failed(e.getCause());
        } catch (TimeoutException e) {
            failed(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Taken.SHED;
        }
        return Taken.FAILED;
    }

    /** An outage is one line in the log, and not one for each delivery. */
    private void failed(@Nullable Throwable how) {
        if (isStoreDown) {
            LOG.debug("The inbox did not take a delivery either", how);
        } else {
            LOG.warn("The inbox does not take deliveries", how);
        }
        isStoreDown = true;
    }

    private boolean admitted(long deadline) {
        if (free.tryAcquire()) {
            return true;
        }
        try {
            return waiting.incrementAndGet() <= mayWait
                    && free.tryAcquire(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            waiting.decrementAndGet();
        }
    }

    /**
     * How much waits on the disk.
     *
     * @return bytes; 0 without a spill buffer
     */
    public long spilledBytes() {
        return spill == null ? 0 : spill.size();
    }

    private void drain(SpillBuffer from) {
        try {
            while (!closing.await(DRAIN_EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
                try {
                    from.drain(this::drained);
                    isStoreDown = false;
                } catch (RuntimeException e) {
                    LOG.debug("The inbox takes nothing from the spill buffer yet", e);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void drained(SpillBuffer.Entry entry) {
        if (closing.getCount() == 0) {
            throw new CancellationException("closed");
        }
        inbox.offer(entry.key(), entry.payload(), entry.attributes());
        // At once: more may come to the disk than one thread takes away from it.
        isStoreDown = false;
    }

    /**
     * Ends. What is being put into the store may take three seconds more, what comes from now on is shed. What is in the spill
     * buffer stays there for the next process.
     */
    @Override
    public void close() {
        closing.countDown();
        offers.shutdown();
        responses.shutdown();
        try {
            if (!offers.awaitTermination(SLACK_WAITS.toNanos(), TimeUnit.NANOSECONDS)) {
                offers.shutdownNow();
            }
            if (!responses.awaitTermination(SLACK_WAITS.toNanos(), TimeUnit.NANOSECONDS)) {
                responses.shutdownNow();
            }
            if (drain != null) {
                drain.interrupt();
                drain.join(SLACK_WAITS.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (spill != null) {
            spill.close();
        }
    }
}
