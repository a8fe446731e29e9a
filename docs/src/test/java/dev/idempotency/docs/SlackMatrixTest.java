package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.slack.api.bolt.App;
import com.slack.api.bolt.AppConfig;
import com.slack.api.bolt.middleware.Middleware;
import com.slack.api.model.event.AppMentionEvent;
import com.slack.api.model.event.MessageEvent;
import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.slack.Delivered;
import dev.idempotency.slack.SlackConsumer;
import dev.idempotency.slack.SlackEvent;
import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.SlackWorker;
import dev.idempotency.slack.bolt.BoltHandler;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** How often the handlers of a message and of its {@code app_mention} run, whatever Slack tells in which order. */
final class SlackMatrixTest {
    private static final String TS = "1.000100";

    /** What is told one after the other; what stands in one list is told at once. */
    private static final Map<String, List<List<SlackEvent>>> SITUATIONS = new LinkedHashMap<>();

    static {
        SITUATIONS.put(
                "the message, then its mention", List.of(List.of(message("Ev1", "")), List.of(mention("Ev2", ""))));
        SITUATIONS.put(
                "the mention, then its message", List.of(List.of(mention("Ev2", "")), List.of(message("Ev1", ""))));
        SITUATIONS.put("both in the same moment", List.of(List.of(message("Ev1", ""), mention("Ev2", ""))));
        SITUATIONS.put("the mention alone: the app hears of no messages there", List.of(List.of(mention("Ev2", ""))));
        SITUATIONS.put("the message alone: it mentions nobody", List.of(List.of(message("Ev1", ""))));
        SITUATIONS.put(
                "each of them twice, the second time under another `event_id`",
                List.of(
                        List.of(message("Ev1", ""), mention("Ev2", "")),
                        List.of(message("Ev3", ""), mention("Ev4", ""))));
        SITUATIONS.put(
                "an edit that adds the mention",
                List.of(List.of(message("Ev1", "")), List.of(edit("Ev2")), List.of(mention("Ev3", ",'edited':{}"))));
        SITUATIONS.put(
                "an edit of a message that mentions the app: Slack tells of the mention again",
                List.of(
                        List.of(message("Ev1", ""), mention("Ev2", "")),
                        List.of(edit("Ev3")),
                        List.of(mention("Ev4", ",'edited':{}"))));
        SITUATIONS.put(
                "the unfurl of a link in it, before all",
                List.of(List.of(edit("Ev3")), List.of(message("Ev1", ""), mention("Ev2", ""))));
        SITUATIONS.put(
                "in a thread",
                List.of(List.of(message("Ev1", ",'thread_ts':'0.5'"), mention("Ev2", ",'thread_ts':'0.5'"))));
        SITUATIONS.put(
                "a reply that is also sent to the channel (`thread_broadcast`)",
                List.of(
                        List.of(message("Ev1", ",'thread_ts':'0.5','subtype':'thread_broadcast'")),
                        List.of(mention("Ev2", ",'thread_ts':'0.5'"))));
        SITUATIONS.put(
                "in a channel of Slack Connect, told for both workspaces",
                List.of(
                        List.of(told("A1", "T1", "Ev1", "message", ""), told("A1", "T1", "Ev2", "app_mention", "")),
                        List.of(told("A1", "T2", "Ev3", "message", ""), told("A1", "T2", "Ev4", "app_mention", ""))));
        SITUATIONS.put(
                "to two apps that share one inbox, under the same `event_id`",
                List.of(
                        List.of(told("A1", "T1", "Ev1", "message", ""), told("A1", "T1", "Ev2", "app_mention", "")),
                        List.of(told("A2", "T1", "Ev1", "message", ""), told("A2", "T1", "Ev2", "app_mention", ""))));
    }

    private static SlackEvent message(String id, String more) {
        return told("A1", "T1", id, "message", more);
    }

    private static SlackEvent mention(String id, String more) {
        return told("A1", "T1", id, "app_mention", more);
    }

    private static SlackEvent told(String app, String team, String id, String type, String more) {
        return parsed("{'type':'event_callback','api_app_id':'" + app + "','team_id':'" + team + "','event_id':'" + id
                + "','event':{'type':'" + type + "','channel':'C1','user':'U1','text':'hi','ts':'" + TS
                + "','event_ts':'"
                + TS + "','client_msg_id':'c-1'" + more + "}}");
    }

    private static SlackEvent edit(String id) {
        return parsed("{'type':'event_callback','api_app_id':'A1','team_id':'T1','event_id':'" + id
                + "','event':{'type':'message','subtype':'message_changed','hidden':true,'channel':'C1','ts':'2.000200',"
                + "'event_ts':'2.000200','message':{'type':'message','user':'U1','text':'hi','ts':'" + TS
                + "','client_msg_id':'c-1'}}}");
    }

    private static SlackEvent parsed(String json) {
        return SlackEvent.parse(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    /** How often the handlers ran: of a consumer, and of a Bolt app for messages and for mentions. */
    private static List<String> runs(List<List<SlackEvent>> told) {
        var own = new AtomicInteger();
        var messages = new AtomicInteger();
        var mentions = new AtomicInteger();
        var app = new App(
                AppConfig.builder()
                        .signingSecret("unused")
                        .allEventsApiAutoAckEnabled(true)
                        .build(),
                List.<Middleware>of());
        app.event(MessageEvent.class, (payload, context) -> {
            messages.incrementAndGet();
            return context.ack();
        });
        app.event(AppMentionEvent.class, (payload, context) -> {
            mentions.incrementAndGet();
            return context.ack();
        });
        var store = CaffeineIdempotencyStore.create();
        Inbox inbox = Inbox.builder(store.inbox(), "slack").build();
        try (var idempotency = Idempotency.on(store);
                var intake = SlackIntake.builder(inbox).build();
                var worker = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                        .consumer(SlackConsumer.named("own")
                                .on("message", "app_mention")
                                .handle((event, context) -> own.incrementAndGet()))
                        .consumer(SlackConsumer.named("bolt").on("*").handle(BoltHandler.of(app, idempotency)))
                        .working(work -> work.pollEvery(Duration.ofMillis(5)))
                        .start()) {
            for (List<SlackEvent> atOnce : told) {
                atOnce.forEach(event -> intake.take(event, Delivered.Transport.HTTP, 0, ""));
                settle(inbox);
            }
        }
        return List.of(own.toString(), messages.toString(), mentions.toString());
    }

    private static void settle(Inbox inbox) {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!isEmpty(inbox.depth())) {
            assertThat(System.nanoTime()).isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** Of one moment: what fails meanwhile goes from one count to another. */
    private static boolean isEmpty(InboxDepth depth) {
        return depth.ready() + depth.delayed() + depth.claimed() == 0;
    }

    @Test
    void handlers_runAsOftenAsTheTableSays() {
        List<List<String>> table = Markdown.of("docs/slack.md")
                .table("What Slack tells", "A consumer of both", "Bolt's `message`", "Bolt's `app_mention`");

        assertThat(table.stream().map(row -> row.get(0))).containsExactlyElementsOf(SITUATIONS.keySet());
        for (List<String> row : table) {
            assertThat(runs(SITUATIONS.get(row.get(0)))).as(row.get(0)).isEqualTo(row.subList(1, 4));
        }
    }
}
