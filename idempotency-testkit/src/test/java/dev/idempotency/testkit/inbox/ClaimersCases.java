package dev.idempotency.testkit.inbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.InboxStore.Offered;
import dev.idempotency.testkit.process.ChildJvm;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** An inbox that several threads and processes claim from, one of which is killed: tests to inherit. */
public abstract class ClaimersCases {
    /** The queue of these tests. */
    protected static final String QUEUE = "events";
    /** Longer than a test. */
    protected static final Duration LONG = Duration.ofMinutes(5);

    private static final Duration MINUTE = Duration.ofMinutes(1);

    /** For subclasses. */
    protected ClaimersCases() {}

    /** The inbox; the same for every call in one test. */
    protected abstract InboxStore inbox();

    /** A process that {@link #claimForEver claims for ever} from the same inbox. */
    protected abstract ChildJvm startClaimer() throws Exception;

    /** A message of the queue. */
    protected static InboxMessage message(String value) {
        return new InboxMessage(
                new IdempotencyKey(QUEUE, value),
                ("payload " + value).getBytes(StandardCharsets.UTF_8),
                Map.of("of", value));
    }

    private static String value(InboxClaim claim) {
        return claim.message().key().value();
    }

    /** Claims and ends; says what it is about to do and what it has done. */
    protected static void claimForEver(InboxStore inbox) {
        while (true) {
            for (InboxClaim claim : inbox.claim(QUEUE, 5, Duration.ofSeconds(1))) {
                System.out.println("ending " + value(claim) + ".");
                if (inbox.done(claim)) {
                    System.out.println("ended " + value(claim) + ".");
                }
            }
        }
    }

    @Test
    void claim_byEightThreadsWhileOthersOffer_eachMessageOnce() throws Exception {
        int messages = 400;
        Queue<InboxClaim> claims = new ConcurrentLinkedQueue<>();
        var accepted = new AtomicInteger();
        var ended = new AtomicInteger();
        long deadline = System.nanoTime() + MINUTE.toNanos();
        var threads = Executors.newFixedThreadPool(10);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                running.add(threads.submit(() -> {
                    // Both offer everything: half of it is a duplicate.
                    for (int number = 0; number < messages; number++) {
                        if (inbox().offer(message("message-" + number), LONG) == Offered.ACCEPTED) {
                            accepted.incrementAndGet();
                        }
                    }
                }));
            }
            for (int i = 0; i < 8; i++) {
                running.add(threads.submit(() -> {
                    while (ended.get() < messages && System.nanoTime() < deadline) {
                        for (InboxClaim claim : inbox().claim(QUEUE, 7, LONG)) {
                            claims.add(claim);
                            assertThat(inbox().done(claim)).isTrue();
                            ended.incrementAndGet();
                        }
                    }
                }));
            }
            for (Future<?> each : running) {
                each.get(2, TimeUnit.MINUTES);
            }
        } finally {
            threads.shutdownNow();
        }

        assertThat(accepted).hasValue(messages);
        assertThat(claims).hasSize(messages).allMatch(claim -> claim.attempt() == 1);
        assertThat(claims.stream().map(ClaimersCases::value).distinct()).hasSize(messages);
        assertThat(inbox().depth(QUEUE).ready()).isZero();
    }

    /** Asked once: a lease may end between two questions. */
    private boolean holdsAny() {
        var depth = inbox().depth(QUEUE);
        return depth.ready() + depth.claimed() > 0;
    }

    @Test
    void claimer_killed_itsMessagesComeBackAndNoOthers() throws Exception {
        int messages = 300;
        for (int number = 0; number < messages; number++) {
            inbox().offer(message("message-" + number), LONG);
        }
        var ended = new HashSet<String>();
        var ending = new HashSet<String>();
        try (var child = startClaimer()) {
            child.await(line -> line.startsWith("ended") && child.output().size() > 40, MINUTE);
            child.kill();
            for (String line : child.output()) {
                // The kill may have cut the last line.
                if (line.startsWith("end") && line.endsWith(".")) {
                    String value = line.substring(line.indexOf(' ') + 1, line.length() - 1);
                    (line.startsWith("ended ") ? ended : ending).add(value);
                }
            }
        }

        var left = new ArrayList<InboxClaim>();
        long deadline = System.nanoTime() + MINUTE.toNanos();
        while (holdsAny() && System.nanoTime() < deadline) {
            for (InboxClaim claim : inbox().claim(QUEUE, 50, LONG)) {
                left.add(claim);
                assertThat(inbox().done(claim)).isTrue();
            }
        }

        var values = left.stream().map(ClaimersCases::value).toList();
        assertThat(values).doesNotHaveDuplicates().doesNotContainAnyElementsOf(ended);
        var all = new HashSet<>(values);
        all.addAll(ending);
        assertThat(all).as("claimed by the child, or left").hasSize(messages);
        // The five of its last claim at most, each with one attempt more.
        assertThat(left.stream().filter(claim -> claim.attempt() == 2)).hasSizeLessThanOrEqualTo(5);
        assertThat(left).allMatch(claim -> claim.attempt() <= 2);
    }
}
