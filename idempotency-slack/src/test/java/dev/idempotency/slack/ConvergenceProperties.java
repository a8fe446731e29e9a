package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.ProviderProfile;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.slack.Handled.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Messages of a thread, their edits and deletions, told in any order and more than once, end in one state. */
final class ConvergenceProperties {
    private static final String[] IDS = {"1.000100", "2.000200", "3.000300"};

    /** What somebody does to a message: its text from now on; empty for its deletion. */
    record Act(int message, String text) {}

    @Provide
    Arbitrary<List<Act>> acts() {
        Arbitrary<Act> act = Combinators.combine(
                        Arbitraries.integers().between(0, IDS.length - 1), Arbitraries.of("a", "b", "c", ""))
                .as(Act::new);
        return act.list().ofMinSize(1).ofMaxSize(7);
    }

    /** The events in the order in which they happened, and what remains at the end. */
    private static List<SlackEvent> told(List<Act> acts, Map<String, String> remains) {
        List<SlackEvent> events = new ArrayList<>();
        for (int i = 0; i < IDS.length; i++) {
            events.add(Told.message("EvM" + i, IDS[i]).with("text", "first").parsed());
            remains.put(IDS[i], "first");
        }
        int moment = 10;
        for (Act act : acts) {
            String ts = IDS[act.message];
            // Slack gives each act its own moment; a deletion may fall into that of the edit before it all the same.
            String eventTs = (act.text.isEmpty() ? moment - 1 : moment) + ".000000";
            String id = String.format("Ev%03d", moment++);
            if (!remains.containsKey(ts)) {
                continue;
            }
            if (act.text.isEmpty()) {
                remains.remove(ts);
                events.add(Told.deletion(id, ts, eventTs).parsed());
            } else {
                remains.put(ts, act.text);
                events.add(Told.edit(id, ts, eventTs, act.text).parsed());
            }
        }
        return events;
    }

    /** A copy of the thread that applies what it is given, as it comes. */
    private static Map<String, String> copy(List<SlackEvent> events, VersionGuard guard) {
        Map<String, String> copy = new TreeMap<>();
        var store = CaffeineIdempotencyStore.create();
        try (var idempotency = Idempotency.on(store)) {
            var settings = new SlackWorker.Settings(
                    Duration.ofHours(3),
                    Duration.ofSeconds(30),
                    ProviderProfile.of("itself", "a test", ProviderProfile.KeyFormat.uuid(), Duration.ofDays(7)),
                    true,
                    null);
            var consumer = SlackConsumer.named("copy")
                    .on("message:*")
                    .newestOnly()
                    .handle((event, context) -> apply(copy, event));
            var consuming = new Consuming(consumer, idempotency, guard, settings);
            var identities = new Identities(idempotency, settings);
            for (SlackEvent event : events) {
                assertThat(consuming.handle(event, identities)).isIn(Outcome.HANDLED, Outcome.DUPLICATE, Outcome.STALE);
            }
        }
        return copy;
    }

    private static void apply(Map<String, String> copy, SlackEvent event) {
        String subtype = event.subtype();
        if (subtype == null) {
            copy.put(event.ts(), event.event().path("text").asText());
        } else if (subtype.equals("message_changed")) {
            var message = event.event().path("message");
            copy.put(message.path("ts").asText(), message.path("text").asText());
        } else {
            copy.remove(event.event().path("deleted_ts").asText());
        }
    }

    @Property(tries = 300)
    void thread_toldInAnyOrderAndTwice_endsAsItHappened(@ForAll("acts") List<Act> acts, @ForAll long order) {
        Map<String, String> remains = new HashMap<>();
        List<SlackEvent> events = told(acts, remains);
        List<SlackEvent> shuffled = new ArrayList<>(events);
        shuffled.addAll(events);
        Collections.shuffle(shuffled, new Random(order));

        assertThat(copy(shuffled, CaffeineIdempotencyStore.create().versionGuard()))
                .isEqualTo(remains);
    }

    @Example
    void thread_withoutTheGuard_endsOtherwise() {
        Map<String, String> remains = new HashMap<>();
        List<SlackEvent> events = new ArrayList<>(told(List.of(new Act(0, "a"), new Act(0, "")), remains));
        Collections.reverse(events);

        assertThat(copy(events, everythingIsNewer())).isNotEqualTo(remains);
    }

    private static VersionGuard everythingIsNewer() {
        return new VersionGuard() {
            @Override
            public Verdict advance(IdempotencyKey entity, EntityVersion version, Duration retention) {
                return Verdict.NEWER;
            }

            @Override
            public Verdict compare(IdempotencyKey entity, EntityVersion version) {
                return Verdict.NEWER;
            }

            @Override
            public int purge(int limit) {
                return 0;
            }
        };
    }
}
