package dev.idempotency.slack.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.slack.testkit.Gaps.Cause;
import org.junit.jupiter.api.Test;

final class GapsTest {
    private final Gaps gaps = new Gaps(0);

    @Test
    void beforeTheFirstConnection_theAppIsAway() {
        gaps.opened(10);

        assertThat(gaps.sum(Cause.AWAY, 20)).isEqualTo(10);
        assertThat(gaps.sum(Cause.APP, 20)).isZero();
    }

    @Test
    void oneThatServesWhileTheOtherEnds_leavesNoGap() {
        gaps.opened(10);
        gaps.opened(20);
        gaps.ended(false, 30);
        gaps.opened(40);
        gaps.ended(true, 50);

        assertThat(gaps.live()).isEqualTo(1);
        assertThat(gaps.sum(Cause.APP, 100) + gaps.sum(Cause.SUDDEN, 100)).isZero();
        assertThat(gaps.count(Cause.APP)).isZero();
    }

    @Test
    void breakBeforeMake_isAGap() {
        gaps.opened(10);
        gaps.ended(false, 20);
        assertThat(gaps.sum(Cause.APP, 23)).as("it lasts").isEqualTo(3);
        gaps.opened(25);
        gaps.ended(false, 30);
        gaps.opened(31);

        assertThat(gaps.sum(Cause.APP, 99)).isEqualTo(6);
        assertThat(gaps.count(Cause.APP)).isEqualTo(2);
        assertThat(gaps.longest(Cause.APP, 99)).isEqualTo(5);
    }

    @Test
    void successorThatDies_isWhyNoneServes() {
        gaps.opened(0);
        gaps.opened(10);
        gaps.ended(true, 20);
        gaps.ended(false, 30);
        gaps.opened(34);

        assertThat(gaps.sum(Cause.SUDDEN, 99)).isEqualTo(4);
        assertThat(gaps.sum(Cause.APP, 99)).isZero();
    }

    @Test
    void successorThatWasRefused_isWhyNoneServes() {
        gaps.opened(0);
        gaps.refused();
        gaps.ended(false, 30);
        gaps.opened(34);
        gaps.ended(false, 40);
        gaps.opened(42);

        assertThat(gaps.sum(Cause.REFUSED, 99)).isEqualTo(4);
        assertThat(gaps.sum(Cause.APP, 99)).isEqualTo(2);
    }

    @Test
    void gaps_areTheirCausesDoing() {
        gaps.opened(0);
        gaps.ended(true, 10);
        gaps.opened(13);
        gaps.ended(false, 20);
        gaps.refused();
        gaps.opened(24);
        gaps.away(true);
        gaps.ended(false, 30);
        gaps.away(false);
        gaps.refused();
        gaps.opened(35);

        assertThat(gaps.sum(Cause.SUDDEN, 99)).isEqualTo(3);
        assertThat(gaps.sum(Cause.REFUSED, 99)).isEqualTo(4);
        assertThat(gaps.sum(Cause.AWAY, 99)).isEqualTo(5);
        assertThat(gaps.sum(Cause.APP, 99)).isZero();
    }
}
