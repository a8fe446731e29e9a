package dev.idempotency.slack.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.slack.testkit.LogicalEvent.Due;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class JudgeTest {
    private static final String CHANNEL = "C1";

    private final LogicalEvent hello = event("ref-1", Due.ONE, "1.000001");

    private static LogicalEvent event(String token, Due due, String... threads) {
        return new LogicalEvent(token, "message", due, CHANNEL, Set.of(threads));
    }

    private static Message post(@Nullable String thread, String text) {
        return new Message(CHANNEL, "9.000001", thread, "UBOT", text, false, true, null, 0);
    }

    private static Judge.Verdict judge(List<LogicalEvent> events, Message... posts) {
        return Judge.judge(events, List.of(posts));
    }

    @Test
    void judge_oneReplyInItsThread_isClean() {
        hello.acked();

        assertThat(judge(List.of(hello), post("1.000001", "Noted: ref-1")))
                .isEqualTo(new Judge.Verdict(1, 1, 0, 0, 0, 0, List.of()));
    }

    @Test
    void judge_secondReply_isADuplicate() {
        var verdict = judge(List.of(hello), post("1.000001", "Noted: ref-1"), post("1.000001", "Noted: ref-1"));

        assertThat(verdict.duplicates()).isEqualTo(1);
        assertThat(verdict.effects()).isEqualTo(2);
        assertThat(verdict.wrong()).singleElement().asString().startsWith("duplicate: ref-1");
    }

    @Test
    void judge_noReply_isLostIfAcknowledgedAndElseNotDelivered() {
        var silent = event("ref-2", Due.ONE, "2.000001");
        hello.acked();

        var verdict = judge(List.of(hello, silent));

        assertThat(verdict.lost()).isEqualTo(1);
        assertThat(verdict.notDelivered()).isEqualTo(1);
    }

    @Test
    void judge_oneThreadWithOneReplyTwiceAndOneMissing_seesBoth() {
        var second = event("ref-2", Due.ONE, "1.000001");
        second.acked();

        var verdict = judge(List.of(hello, second), post("1.000001", "Noted: ref-1"), post("1.000001", "Noted: ref-1"));

        assertThat(verdict.duplicates()).isEqualTo(1);
        assertThat(verdict.lost()).isEqualTo(1);
    }

    @Test
    void judge_repliesWithoutToken_areCountedByThread() {
        var second = event("ref-2", Due.ONE, "1.000001");

        assertThat(judge(List.of(hello, second), post("1.000001", "yes"), post("1.000001", "yes")))
                .isEqualTo(new Judge.Verdict(2, 2, 0, 0, 0, 0, List.of()));
        assertThat(judge(List.of(hello), post("1.000001", "yes"), post("1.000001", "yes"))
                        .duplicates())
                .isEqualTo(1);
    }

    @Test
    void judge_replyToABotOrAnEdit_isUnasked() {
        var edit = event("ref-2", Due.NONE, "1.000001");
        var bot = event("ref-3", Due.NONE, "3.000001");

        var verdict = judge(List.of(edit, bot), post("1.000001", "Noted: ref-2"), post("3.000001", "yes"));

        assertThat(verdict.unasked()).isEqualTo(2);
        assertThat(verdict.events()).isZero();
    }

    @Test
    void judge_replyToItsOwnReply_isUnasked() {
        var verdict = judge(List.of(hello), post("1.000001", "Noted: ref-1"), post("1.000001", "Noted: Noted: ref-1"));

        assertThat(verdict.unasked()).isEqualTo(1);
        assertThat(verdict.duplicates()).isZero();
    }

    @Test
    void judge_replyOutsideItsThread_isUnasked() {
        assertThat(judge(List.of(hello), post(null, "Noted: ref-1")).unasked()).isEqualTo(1);
        assertThat(judge(List.of(hello), post("4.000001", "whatever")).unasked())
                .isEqualTo(1);
    }

    @Test
    void judge_messageWithTwoNames_asksForOneReplyAtEither() {
        var twice = event("ref-2", Due.ONE, "2.000001", "2.000002");

        assertThat(judge(List.of(twice), post("2.000002", "Noted: ref-2")).unasked())
                .isZero();
        assertThat(judge(List.of(twice), post("2.000002", "Noted: ref-2"), post("2.000001", "Noted: ref-2"))
                        .duplicates())
                .isEqualTo(1);
    }

    @Test
    void judge_deletedMessage_mayHaveAReplyButNotTwo() {
        var deleted = event("ref-2", Due.AT_MOST_ONE, "2.000001");
        Message reply = post("2.000001", "Noted: ref-2");

        assertThat(judge(List.of(deleted))).isEqualTo(new Judge.Verdict(0, 0, 0, 0, 0, 0, List.of()));
        assertThat(judge(List.of(deleted), reply)).isEqualTo(new Judge.Verdict(1, 1, 0, 0, 0, 0, List.of()));
        assertThat(judge(List.of(deleted), reply, reply).duplicates()).isEqualTo(1);
    }
}
