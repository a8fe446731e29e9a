package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.idempotency.Guarantee;
import dev.idempotency.Idempotency;
import dev.idempotency.InDoubtException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.Quiescence;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.slack.FakeSlack.Fate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SlackMessagesTest {
    private static final Duration MOMENT = Duration.ofMillis(10);
    private static final Quiescence SOON = new Quiescence(MOMENT, MOMENT, MOMENT, MOMENT, Duration.ofMillis(50));

    private final FakeSlack slack = new FakeSlack();
    private final Idempotency idempotency = Idempotency.on(CaffeineIdempotencyStore.create());
    private final SlackWebApi api = SlackWebApi.builder("xoxb-test")
            .url(slack.url())
            .perMinute("chat.postMessage", 600_000)
            .perMinute("conversations.history", 600_000)
            .perMinute("conversations.replies", 600_000)
            .perMinutePerChannel(600_000)
            .build();
    private final Operation<SlackMessage, PostedMessage> holding =
            SlackMessages.operation(idempotency, api, "hold", settings -> settings);
    private final Operation<SlackMessage, PostedMessage> reposting =
            SlackMessages.operation(idempotency, api, "repost", SOON, settings -> settings);

    @AfterEach
    void close() {
        idempotency.close();
        slack.close();
    }

    private static SlackMessage reply(String key) {
        return new SlackMessage(key, "C1", "9.000900", "thanks");
    }

    private static PostedMessage persist(Operation<SlackMessage, PostedMessage> operation, SlackMessage message) {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (true) {
            try {
                return operation.execute(message);
            } catch (InDoubtException e) {
                assertThat(System.nanoTime()).isLessThan(end);
                LockSupport.parkNanos(5_000_000);
            }
        }
    }

    @Test
    void message_executedTwice_isPostedOnce_withItsKeyAsADigest() {
        assertThat(holding.execute(reply("order-1"))).isEqualTo(holding.execute(reply("order-1")));

        assertThat(slack.ledger).hasSize(1);
        var metadata = slack.ledger.get(0).path("metadata");
        assertThat(metadata.path("event_type").asText()).isEqualTo("idempotency");
        assertThat(metadata.path("event_payload").path("key").asText())
                .isNotEmpty()
                .doesNotContain("order");
        assertThat(slack.ledger.get(0).path("thread_ts").asText()).isEqualTo("9.000900");
    }

    @ParameterizedTest
    @EnumSource(names = {"FAIL_AFTER", "CUT_AFTER", "FATAL_ERROR_AFTER"})
    void message_inDoubtThatSlackHas_isFoundAndNotPostedAgain(Fate fate) {
        for (int i = 0; i < 3; i++) {
            holding.execute(reply("before-" + i));
        }
        slack.fates.add(fate);

        PostedMessage posted = persist(holding, reply("order-1"));

        assertThat(slack.ledger).hasSize(4);
        assertThat(posted.ts()).isEqualTo("100.000004");
        assertThat(slack.calls("conversations.replies"))
                .as("a message to a page")
                .isGreaterThanOrEqualTo(4);
    }

    @Test
    void message_outsideOfThreads_isFoundInItsChannel() {
        slack.fates.add(Fate.CUT_AFTER);

        assertThat(persist(holding, new SlackMessage("order-1", "C1", null, "thanks"))
                        .ts())
                .isEqualTo("100.000001");
        assertThat(slack.calls("conversations.history")).isPositive();
    }

    @Test
    void message_inDoubtThatSlackHasNot_staysInDoubt_orIsPostedAgainWhereThatWasChosen() {
        slack.fates.addAll(List.of(Fate.FAIL_BEFORE));
        for (int i = 0; i < 3; i++) {
            assertThatExceptionOfType(InDoubtException.class).isThrownBy(() -> holding.execute(reply("order-1")));
        }
        assertThat(slack.ledger).isEmpty();

        slack.fates.add(Fate.FAIL_BEFORE);
        persist(reposting, reply("order-1"));
        assertThat(slack.ledger).hasSize(1);
        assertThat(slack.calls("chat.postMessage")).isEqualTo(3);
    }

    @Test
    void message_thatSlackRefuses_canBeTriedAgain() {
        slack.fates.add(Fate.NO_SUCH_CHANNEL);

        assertThatExceptionOfType(NotExecutedException.class).isThrownBy(() -> holding.execute(reply("order-1")));
        holding.execute(reply("order-1"));

        assertThat(slack.ledger).hasSize(1);
    }

    @Test
    void operations_sayWhatTheyGuarantee() {
        assertThat(List.of(holding, reposting))
                .extracting(operation -> operation.explain().level())
                .containsExactly(Guarantee.Level.E, Guarantee.Level.D);
    }

    /** conversations.history wants the id of a conversation, chat.postMessage takes more. */
    @ParameterizedTest
    @ValueSource(strings = {"U0PERSON", "#general", "general", "@ada", "", "c1", "W0PERSON"})
    void message_thatCouldNeverBeLookedUp_isRefused(String channel) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SlackMessage("key", channel, null, "thanks"))
                .withMessageContaining("conversations.open");
    }

    @Test
    void text_cutInTheMiddleOfAnEmoji_isPosted() {
        var blocks = SlackEvent.JSON.createArrayNode();
        blocks.addObject()
                .put("type", "section")
                .putObject("text")
                .put("text", "half \ud83d")
                .put("good", "\ud83d\ude00");

        PostedMessage posted = holding.execute(
                new SlackMessage("order-9", "C1", null, "\ude00 half \ud83d and whole \ud83d\ude00", blocks));

        assertThat(posted.channel()).isEqualTo("C1");
        var message = new SlackMessage("k", "C1", null, "\ude00 half \ud83d and whole \ud83d\ude00", blocks);
        assertThat(message.text()).isEqualTo("\ufffd half \ufffd and whole \ud83d\ude00");
        assertThat(message.blocks().toString())
                .isEqualTo("[{\"type\":\"section\",\"text\":{\"text\":\"half \ufffd\",\"good\":\"\ud83d\ude00\"}}]");
        assertThat(blocks.at("/0/text/text").asText()).as("the app's own").isEqualTo("half \ud83d");
    }
}
