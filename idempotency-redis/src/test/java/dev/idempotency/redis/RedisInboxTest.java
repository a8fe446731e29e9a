package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.InboxStore.Offered;
import dev.idempotency.testkit.process.ChildJvm;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class RedisInboxTest {
    private static final String QUEUE = "events";
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final String prefix = "test:" + UUID.randomUUID();
    private final RedisIdempotencyStore store = RedisIdempotencyStore.builder(Redises.Standalone.CLIENT)
            .prefix(prefix)
            .build();
    private final InboxStore inbox = store.inbox();

    @AfterEach
    void close() {
        store.close();
    }

    private static InboxMessage message(String value) {
        return new InboxMessage(
                new IdempotencyKey(QUEUE, value),
                ("payload " + value).getBytes(StandardCharsets.UTF_8),
                Map.of("a", "b"));
    }

    private static String value(InboxClaim claim) {
        return claim.message().key().value();
    }

    /** Seconds to live by the kind of key, -1 for for ever; what is not of messages has an end of its own name. */
    private Map<String, Long> timesToLive() {
        try (var connection = Redises.Standalone.CLIENT.connect()) {
            RedisCommands<String, String> server = connection.sync();
            var times = new HashMap<String, Long>();
            for (String key : server.keys("{" + prefix + ":*")) {
                String name = key.substring(key.indexOf('}') + 2);
                times.put(name, server.ttl(key));
            }
            return times;
        }
    }

    @Test
    void timesToLive_onlyWhatIsDoneHasOne() {
        for (String value : List.of("done", "dead", "delayed", "claimed")) {
            inbox.offer(message(value), Duration.ofMinutes(10));
            var claim = inbox.claim(QUEUE, 1, LONG).get(0);
            switch (value) {
                case "done" -> inbox.done(claim);
                case "dead" -> inbox.bury(claim, "poison");
                case "delayed" -> inbox.retry(claim, LONG, "later");
                default -> {}
            }
        }
        inbox.offer(message("waiting"), Duration.ofMillis(1));
        store.versionGuard()
                .advance(new IdempotencyKey("s", "e"), new EntityVersion(1, "", true), Duration.ofMinutes(10));

        var times = timesToLive();

        assertThat(times.remove("inbox:6:eventsdone")).isBetween(500L, 601L);
        assertThat(times.remove("version:1:se")).isBetween(500L, 601L);
        assertThat(times.keySet())
                .contains(
                        "inbox:6:eventsdead",
                        "inbox:6:eventsdelayed",
                        "inbox:6:eventsclaimed",
                        "inbox:6:eventswaiting");
        assertThat(times.values()).containsOnly(-1L);
    }

    @Test
    void done_all_leavesNoIndexBehind() {
        for (int i = 0; i < 30; i++) {
            inbox.offer(message("message-" + i), LONG);
        }
        inbox.claim(QUEUE, 10, LONG).forEach(claim -> inbox.retry(claim, Duration.ZERO, "again"));
        inbox.claim(QUEUE, 10, LONG).forEach(claim -> inbox.bury(claim, "poison"));
        inbox.deadLetters(QUEUE, null, 5)
                .forEach(letter -> inbox.replay(letter.message().key()));
        inbox.deadLetters(QUEUE, null, 5)
                .forEach(letter -> inbox.discard(letter.message().key()));
        inbox.claim(QUEUE, 100, LONG).forEach(inbox::done);

        assertThat(timesToLive().keySet()).hasSize(30).allMatch(name -> name.startsWith("inbox:"));
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
                    for (int number = 0; number < messages; number++) {
                        if (inbox.offer(message("message-" + number), LONG) == Offered.ACCEPTED) {
                            accepted.incrementAndGet();
                        }
                    }
                }));
            }
            for (int i = 0; i < 8; i++) {
                running.add(threads.submit(() -> {
                    while (ended.get() < messages && System.nanoTime() < deadline) {
                        for (InboxClaim claim : inbox.claim(QUEUE, 7, LONG)) {
                            claims.add(claim);
                            assertThat(inbox.done(claim)).isTrue();
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
        assertThat(claims.stream().map(RedisInboxTest::value).distinct()).hasSize(messages);
    }

    /** Asked once: a lease may end between two questions. */
    private boolean holdsAny() {
        var depth = inbox.depth(QUEUE);
        return depth.ready() + depth.claimed() > 0;
    }

    /** Claims and ends for ever; says what it is about to do and what it has done. */
    static final class Claimer {
        private Claimer() {}

        public static void main(String[] args) {
            var inbox = RedisIdempotencyStore.builder(RedisClient.create(args[0]))
                    .prefix(args[1])
                    .build()
                    .inbox();
            while (true) {
                for (InboxClaim claim : inbox.claim(QUEUE, 5, Duration.ofSeconds(1))) {
                    System.out.println("ending " + value(claim) + ".");
                    if (inbox.done(claim)) {
                        System.out.println("ended " + value(claim) + ".");
                    }
                }
            }
        }
    }

    @Test
    void claimer_killed_itsMessagesComeBackAndNoOthers() throws Exception {
        int messages = 300;
        for (int number = 0; number < messages; number++) {
            inbox.offer(message("message-" + number), LONG);
        }
        var ended = new HashSet<String>();
        var ending = new HashSet<String>();
        try (var child =
                ChildJvm.start(Claimer.class, Redises.Standalone.SERVER.uri().toString(), prefix)) {
            child.await(line -> line.startsWith("ended") && child.output().size() > 40, MINUTE);
            child.kill();
            for (String line : child.output()) {
                // The kill may have cut the last line.
                if (line.endsWith(".")) {
                    String value = line.substring(line.indexOf(' ') + 1, line.length() - 1);
                    (line.startsWith("ended ") ? ended : ending).add(value);
                }
            }
        }

        var left = new ArrayList<InboxClaim>();
        long deadline = System.nanoTime() + MINUTE.toNanos();
        while (holdsAny() && System.nanoTime() < deadline) {
            for (InboxClaim claim : inbox.claim(QUEUE, 50, LONG)) {
                left.add(claim);
                assertThat(inbox.done(claim)).isTrue();
            }
        }

        var values = left.stream().map(RedisInboxTest::value).toList();
        assertThat(values).doesNotHaveDuplicates().doesNotContainAnyElementsOf(ended);
        var all = new HashSet<>(values);
        all.addAll(ending);
        assertThat(all).as("claimed by the child, or left").hasSize(messages);
        assertThat(left.stream().filter(claim -> claim.attempt() == 2)).hasSizeLessThanOrEqualTo(5);
        assertThat(left).allMatch(claim -> claim.attempt() <= 2);
    }
}
