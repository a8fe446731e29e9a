package dev.idempotency.examples.slack.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.slack.testkit.DeliveryReport;
import java.util.List;
import org.junit.jupiter.api.Test;

final class UnprotectedShowTest {
    @Test
    void show_unprotectedApp_isFoundToReplyTwiceAndTooLate() throws Exception {
        var show = new SmallShow();

        DeliveryReport report = show.run(StoreKind.POSTGRES, true, List.of());

        assertThat(report.duplicates()).as("%s", show.said()).isPositive();
        assertThat(report.lateAcks()).as("%s", show.said()).isPositive();
        assertThat(report.isClean()).isFalse();
        assertThat(show.said().lines().reduce((first, second) -> second)).contains(report.line());
    }
}
