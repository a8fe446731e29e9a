package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.metrics.InboxMetrics;
import dev.idempotency.slack.SlackBackfill;
import dev.idempotency.slack.SlackConsumer;
import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.SlackMetrics;
import dev.idempotency.slack.SlackWebApi;
import dev.idempotency.slack.SlackWorker;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;

final class SlackMetricsSnippets {
    private SlackMetricsSnippets() {}

    static void measured(CaffeineIdempotencyStore store, Idempotency idempotency, MeterRegistry registry) {
        String token = "xoxb-none";
        SlackConsumer greeter = SlackConsumer.named("greeter").on("message").handle((event, context) -> {});
        // tag::bind[]
        var inboxMetrics = InboxMetrics.of(store.inbox(), "slack");
        var slackMetrics = SlackMetrics.create();

        Inbox inbox =
                Inbox.builder(store.inbox(), "slack").listener(inboxMetrics).build();
        SlackIntake intake = SlackIntake.builder(inbox).listener(slackMetrics).build();
        SlackWebApi api = SlackWebApi.builder(token).listener(slackMetrics).build();
        SlackWorker worker = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                .consumer(greeter)
                .listener(slackMetrics)
                .start();

        inboxMetrics.bindTo(registry);
        slackMetrics.bindTo(registry);
        slackMetrics.bind(intake); // how much is in its spill buffer; bind(client) for Socket Mode
        // end::bind[]
        SlackBackfill.builder(inbox, api, "A0", "T0").build();
        worker.close();
        intake.close();
        inboxMetrics.close();
    }

    static SlackBackfill.Filled filled(
            Inbox inbox, SlackWebApi api, String appId, String teamId, String botUser, String channel, String lastTs)
            throws InterruptedException {
        // tag::backfill[]
        var backfill = SlackBackfill.builder(inbox, api, appId, teamId)
                .botUser(botUser) // mentions of it come back as app_mention, too
                .olderThreads(Duration.ofDays(2)) // replies in threads that began before the gap
                .remembered(Duration.ofHours(26)) // the retention that the workers have
                .build();

        SlackBackfill.Filled filled = backfill.fill(channel, lastTs);
        // end::backfill[]
        return filled;
    }
}
