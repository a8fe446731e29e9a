package dev.idempotency.slack.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whole runs against apps whose mistakes are known. */
final class SlackSimulatorTest {
    private static final long SEED = 20261122;
    private static final String SECRET = "the test's secret";

    private final SlackSimulator simulator = SlackSimulator.start(0);
    private final SimulatorClient client = new SimulatorClient(simulator.uri());

    SlackSimulatorTest() throws IOException {}

    @AfterEach
    void stop() {
        simulator.close();
    }

    private RunSettings settings(URI app) {
        return RunSettings.of(app, SECRET)
                .withDeliveries(300, 3000)
                .withSeed(SEED)
                .withTimeScale(600)
                .withFaults("none");
    }

    private DeliveryReport run(TestApp.Kind kind) throws Exception {
        try (var app = new TestApp(kind, simulator.uri())) {
            return run(settings(app.uri()), kind != TestApp.Kind.FORGETFUL);
        }
    }

    private DeliveryReport run(RunSettings settings, boolean awaitsReplies) throws Exception {
        assertThat(simulator.begin(settings)).isTrue();
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        DeliveryStatus status = client.status();
        while (!status.isTold() || (awaitsReplies && status.missing() > 0)) {
            assertThat(System.nanoTime()).as("seed %d: %s", SEED, status).isLessThan(end);
            LockSupport.parkNanos(10_000_000);
            status = client.status();
        }
        return client.report();
    }

    @Test
    void run_appThatRepliesOnce_isClean() throws Exception {
        DeliveryReport report = run(TestApp.Kind.RIGHT);

        assertThat(report.wrong()).as("seed %d", SEED).isEmpty();
        assertThat(report.isClean()).as(report.line()).isTrue();
        assertThat(report.line()).matches("events=(\\d+) effects=\\1 duplicates=0 lost=0 late-acks=0");
        assertThat(report.deliveries()).isBetween(300, 350);
        assertThat(report.quirks())
                .containsKeys(
                        "message and app_mention",
                        "two ts, one client_msg_id",
                        "under other event ids",
                        "delivered again although acknowledged",
                        "first heard of as a retry",
                        "told late",
                        "edited",
                        "deleted",
                        "a bot's message");
    }

    @Test
    void run_naiveApp_isFoundToReplyTwice() throws Exception {
        DeliveryReport report = run(TestApp.Kind.NAIVE);

        assertThat(report.duplicates()).isGreaterThan(30);
        assertThat(report.isClean()).isFalse();
    }

    @Test
    void run_appThatRepliesToEverybody_isFoundToTalkToItself() throws Exception {
        DeliveryReport report = run(TestApp.Kind.TALKATIVE);

        assertThat(report.wrong()).anyMatch(line -> line.startsWith("a reply to itself"));
        assertThat(report.unasked()).isGreaterThan(30);
    }

    @Test
    void run_appThatForgets_isFoundToLose() throws Exception {
        DeliveryReport report = run(TestApp.Kind.FORGETFUL);

        assertThat(report.effects()).isZero();
        assertThat(report.lost()).isEqualTo(report.events()).isGreaterThan(60);
        assertThat(report.isClean()).isFalse();
    }

    @Test
    void run_slowApp_isFoundToAckLate() throws Exception {
        try (var app = new TestApp(TestApp.Kind.SLOW, simulator.uri())) {
            RunSettings usual = settings(app.uri()).withDeliveries(40, 2000);
            RunSettings impatient = usual.withDeadline(100);

            DeliveryReport report = run(impatient, true);

            assertThat(report.lateAcks()).isGreaterThan(40);
            assertThat(report.retries()).containsKeys("1", "2", "3");
            assertThat(report.duplicates() + report.lost()).isZero();
            assertThat(report.isClean()).isFalse();
        }
    }

    @Test
    void run_appThatIsAway_isNotDeliveredTo() throws Exception {
        DeliveryReport report = run(settings(URI.create("http://127.0.0.1:1/")).withDeliveries(40, 2000), false);

        assertThat(report.notDelivered()).isEqualTo(report.events()).isPositive();
        assertThat(report.lateAcks() + report.lost()).isZero();
        assertThat(report.givenUp()).isEqualTo(report.deliveries());
        assertThat(report.statuses()).containsOnlyKeys("connection_failed");
    }

    @Test
    void start_secondTime_isRefused() throws Exception {
        client.start(
                DeliverySettings.http(URI.create("http://127.0.0.1:1/"), SECRET).deliveries(0, 1));

        assertThat(simulator.begin(settings(URI.create("http://127.0.0.1:1/")))).isFalse();
    }
}
