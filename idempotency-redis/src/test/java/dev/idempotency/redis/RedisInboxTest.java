package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.testkit.inbox.ClaimersCases;
import dev.idempotency.testkit.process.ChildJvm;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
final class RedisInboxTest extends ClaimersCases {
    private final String prefix = "test:" + UUID.randomUUID();
    private final RedisIdempotencyStore store = RedisIdempotencyStore.builder(Redises.Standalone.CLIENT)
            .prefix(prefix)
            .build();
    private final InboxStore inbox = store.inbox();

    @AfterEach
    void close() {
        store.close();
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

    /** A process that claims. */
    static final class Claimer {
        private Claimer() {}

        public static void main(String[] args) {
            claimForEver(RedisIdempotencyStore.builder(RedisClient.create(args[0]))
                    .prefix(args[1])
                    .build()
                    .inbox());
        }
    }

    @Override
    protected InboxStore inbox() {
        return inbox;
    }

    @Override
    protected ChildJvm startClaimer() throws Exception {
        return ChildJvm.start(Claimer.class, Redises.Standalone.SERVER.uri().toString(), prefix);
    }
}
