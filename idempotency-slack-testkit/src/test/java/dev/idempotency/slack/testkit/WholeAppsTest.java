package dev.idempotency.slack.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Apps as teams have them, on Bolt and on this project's consumer, over both ways: each mistake is found, and the right one passes. */
final class WholeAppsTest {
    private static final long SEED = 20261201;
    private static final String SECRET = "the test's secret";
    private static final String LOST_REPLIES = "reply-cut=0.3,error-after=0.1";

    private final SlackSimulator slack = SlackSimulator.start();

    WholeAppsTest() throws Exception {}

    enum Way {
        HTTP,
        SOCKETS
    }

    @AfterEach
    void stop() {
        slack.close();
    }

    private static DeliverySettings settings(DeliverySettings from, Mistake mistake, String faults) {
        DeliverySettings settings = from.deliveries(100, 3000)
                .seed(SEED)
                .timeScale(600)
                .faults(faults)
                .settle(Duration.ofMillis(300));
        return switch (mistake) {
            case ACKS_LATE -> settings.deadline(Duration.ofMillis(300));
            // What is lost never comes.
            case LOSES -> settings.patience(Duration.ofSeconds(1));
            default -> settings;
        };
    }

    private DeliveryReport bolt(Way way, Mistake mistake, String faults) throws Exception {
        try (var app = new BoltApp(mistake, slack.apiUrl(), SECRET)) {
            if (way == Way.HTTP) {
                return slack.deliver(settings(DeliverySettings.http(app.listen(), SECRET), mistake, faults));
            }
            app.connect();
            return slack.deliver(settings(DeliverySettings.socketMode(), mistake, faults));
        }
    }

    private DeliveryReport consumer(Way way, Mistake mistake, String faults) throws Exception {
        try (var app = new NativeApp(mistake, slack.apiUrl())) {
            if (way == Way.HTTP) {
                return slack.deliver(settings(DeliverySettings.http(app.listen(SECRET), SECRET), mistake, faults));
            }
            app.connect();
            return slack.deliver(settings(DeliverySettings.socketMode(), mistake, faults));
        }
    }

    @ParameterizedTest
    @EnumSource
    void boltAppThatIsRight_passes(Way way) throws Exception {
        bolt(way, Mistake.NONE, "none").assertClean();
    }

    @ParameterizedTest
    @EnumSource
    void appOnTheConsumer_passesThoughRepliesGetLost(Way way) throws Exception {
        DeliveryReport report = consumer(way, Mistake.NONE, LOST_REPLIES);

        report.assertClean();
        assertThat(report.faults()).containsKeys("reply-cut", "error-after");
    }

    @Test
    void appOnTheConsumer_passesThoughConnectionsAreRecycledAndDie() throws Exception {
        slack.connections("recycle=1000,lead=1500,late=100,sudden=0.3,refuse=0");

        DeliveryReport report = consumer(Way.SOCKETS, Mistake.NONE, "none");

        assertThat(report.sockets()).isNotNull();
        assertThat(report.duplicates() + report.lost() + report.unasked() + report.notDelivered())
                .as(report::line)
                .isZero();
    }

    @ParameterizedTest
    @EnumSource
    void boltAppThatAcknowledgesLate_isFound(Way way) throws Exception {
        DeliveryReport report = bolt(way, Mistake.ACKS_LATE, "none");

        assertThat(report.lateAcks()).isPositive();
        if (way == Way.SOCKETS) {
            assertThat(report.sockets().lateWhileServing()).isPositive();
        }
        assertThatThrownBy(report::assertClean)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("Seed " + SEED)
                .hasMessageContaining("late");
    }

    @ParameterizedTest
    @CsvSource({"HTTP, true", "HTTP, false", "SOCKETS, true", "SOCKETS, false"})
    void appThatHandlesTwice_isFound(Way way, boolean isBolt) throws Exception {
        DeliveryReport report =
                isBolt ? bolt(way, Mistake.HANDLES_TWICE, "none") : consumer(way, Mistake.HANDLES_TWICE, "none");

        assertThat(report.duplicates()).isPositive();
        assertThatThrownBy(report::assertClean)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("duplicate: ref-");
    }

    @ParameterizedTest
    @CsvSource({"HTTP, true", "HTTP, false", "SOCKETS, true", "SOCKETS, false"})
    void appThatLoses_isFound(Way way, boolean isBolt) throws Exception {
        DeliveryReport report = isBolt ? bolt(way, Mistake.LOSES, "none") : consumer(way, Mistake.LOSES, "none");

        assertThat(report.lost()).isPositive();
        assertThatThrownBy(report::assertClean)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("lost: ref-");
    }

    @ParameterizedTest
    @CsvSource({"HTTP, true", "HTTP, false", "SOCKETS, true", "SOCKETS, false"})
    void appThatPostsAgainAfterALostReply_isFound(Way way, boolean isBolt) throws Exception {
        DeliveryReport report = isBolt
                ? bolt(way, Mistake.POSTS_AGAIN, "reply-cut=0.3")
                : consumer(way, Mistake.POSTS_AGAIN, "reply-cut=0.3");

        assertThat(report.faults()).containsKey("reply-cut");
        assertThat(report.duplicates()).isPositive();
        assertThatThrownBy(report::assertClean).isInstanceOf(AssertionError.class);
    }

    @Test
    void deliver_secondTime_isRefused() throws Exception {
        DeliverySettings none =
                DeliverySettings.http(slack.uri(), SECRET).deliveries(0, 1).settle(Duration.ZERO);
        DeliveryReport nothing = slack.deliver(none);

        assertThatThrownBy(() -> slack.deliver(none)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(nothing::assertClean).hasMessageContaining("make more deliveries");
    }

    @Test
    void deliver_overSocketsToNobody_saysHowToConnect() {
        assertThatThrownBy(() -> slack.deliver(DeliverySettings.socketMode().patience(Duration.ofMillis(50))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(slack.apiUrl().toString())
                .hasMessageContaining(SlackSimulator.APP_TOKEN);
    }
}
