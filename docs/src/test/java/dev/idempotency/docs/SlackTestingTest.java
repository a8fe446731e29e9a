package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.slack.api.Slack;
import com.slack.api.SlackConfig;
import com.slack.api.bolt.App;
import com.slack.api.bolt.AppConfig;
import com.sun.net.httpserver.HttpServer;
import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.slack.EventsEndpoint;
import dev.idempotency.slack.SlackBots;
import dev.idempotency.slack.SlackConsumer;
import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.SlackMessage;
import dev.idempotency.slack.SlackMessages;
import dev.idempotency.slack.SlackWebApi;
import dev.idempotency.slack.SlackWorker;
import dev.idempotency.slack.testkit.DeliveryReport;
import dev.idempotency.slack.testkit.DeliverySettings;
import dev.idempotency.slack.testkit.SlackSimulator;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The snippets and the table of the guide on testing an app for Slack. */
final class SlackTestingTest {
    private static final Markdown PAGE = Markdown.of("docs/slack-testing.md");
    private static final String SECRET = "a secret of this test";

    /** The app that the guide calls the reader's. */
    private static final class MyApp implements AutoCloseable {
        private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create();
        private final Idempotency idempotency = Idempotency.on(store);
        private final Inbox inbox = Inbox.builder(store.inbox(), "slack").build();
        private final SlackIntake intake = SlackIntake.builder(inbox).build();
        private final ExecutorService pool = Executors.newCachedThreadPool();
        private final HttpServer server;
        private final SlackWorker worker;

        private MyApp(URI apiUrl, String token, String signingSecret) throws IOException {
            var slack = SlackWebApi.builder(token).url(apiUrl).build();
            var post = SlackMessages.operation(idempotency, slack, "reply", settings -> settings);
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(pool);
            server.createContext(
                    "/slack/events",
                    EventsEndpoint.builder(intake)
                            .signingSecrets(signingSecret)
                            .build()
                            .httpHandler());
            server.start();
            worker = SlackWorker.builder(inbox, idempotency, store.versionGuard())
                    .bots(SlackBots.all())
                    .consumer(SlackConsumer.named("greeter")
                            .on("message", "message:file_share", "message:thread_broadcast", "app_mention")
                            .handle((event, context) -> post.execute(new SlackMessage(
                                    context.key("reply"),
                                    Objects.requireNonNull(event.channel()),
                                    Objects.requireNonNullElse(event.threadTs(), event.ts()),
                                    "Noted: " + event.event().path("text").asText()))))
                    .working(work -> work.backoff(IntervalFunction.of(Duration.ofMillis(300))))
                    .start();
        }

        static MyApp start(URI apiUrl, String token, String signingSecret) throws IOException {
            return new MyApp(apiUrl, token, signingSecret);
        }

        URI eventsUrl() {
            return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/slack/events");
        }

        @Override
        public void close() {
            server.stop(0);
            worker.close();
            intake.close();
            idempotency.close();
            pool.shutdownNow();
        }
    }

    // tag::http[]
    @Test
    void app_underAStormWithLostReplies_repliesOnce() throws Exception {
        try (SlackSimulator slack = SlackSimulator.start();
                MyApp app = MyApp.start(slack.apiUrl(), SlackSimulator.BOT_TOKEN, SECRET)) {

            DeliveryReport report = slack.deliver(DeliverySettings.http(app.eventsUrl(), SECRET)
                    .deliveries(100, 100)
                    .timeScale(600) // Slack's six minutes of retries pass in less than a second
                    .faults("reply-cut=0.1,error-after=0.1"));

            report.assertClean();
        }
    }
    // end::http[]

    @SuppressWarnings("unused")
    private DeliveryReport socketMode(SlackSimulator slack) throws Exception {
        // tag::sockets[]
        slack.connections("recycle=2000,lead=2000,sudden=0.2");
        DeliveryReport report = slack.deliver(DeliverySettings.socketMode().deliveries(300, 60));
        report.assertClean();
        // end::sockets[]
        return report;
    }

    @SuppressWarnings("unused")
    private App bolt(SlackSimulator slack) {
        // tag::bolt[]
        SlackConfig toSimulator = new SlackConfig();
        toSimulator.setMethodsEndpointUrlPrefix(slack.apiUrl().toString());
        App app = new App(AppConfig.builder()
                .slack(Slack.getInstance(toSimulator))
                .singleTeamBotToken(SlackSimulator.BOT_TOKEN)
                .signingSecret(SECRET)
                .build());
        // end::bolt[]
        return app;
    }

    @Test
    void faults_ofTheTable_areThoseThatThereAre() throws Exception {
        var faults = PAGE.table("Fault", "What the app meets").stream()
                .map(row -> row.get(0))
                .toList();
        DeliverySettings settings = DeliverySettings.socketMode();

        assertThat(faults)
                .allSatisfy(fault ->
                        assertThatCode(() -> settings.faults(fault + "=0.5")).doesNotThrowAnyException());
        String source = String.join(
                "\n",
                Markdown.read(Markdown.ROOT.resolve(
                        "idempotency-slack-testkit/src/main/java/dev/idempotency/slack/testkit/PostFault.java")));
        assertThat(faults)
                .containsExactlyInAnyOrderElementsOf(Pattern.compile("(?m)^    ([A-Z_]+)[,;]$")
                        .matcher(source)
                        .results()
                        .map(match -> match.group(1)
                                .toLowerCase(java.util.Locale.ROOT)
                                .replace('_', '-'))
                        .filter(fault -> !fault.equals("none"))
                        .toList());
    }
}
