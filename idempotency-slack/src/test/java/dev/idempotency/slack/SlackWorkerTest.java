package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxEvent;
import dev.idempotency.inbox.UnprocessableException;
import dev.idempotency.slack.Delivered.Transport;
import dev.idempotency.slack.Handled.Outcome;
import io.github.resilience4j.core.IntervalFunction;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class SlackWorkerTest {
    private static final Duration MOMENT = Duration.ofMillis(5);

    /** What the store's clock is ahead, in nanoseconds. */
    private final AtomicLong passed = new AtomicLong();

    private final CaffeineIdempotencyStore store =
            CaffeineIdempotencyStore.create(1_000, () -> System.nanoTime() + passed.get(), Instant.now());
    private final Queue<InboxEvent> events = new ConcurrentLinkedQueue<>();
    private final Queue<Handled> handled = new ConcurrentLinkedQueue<>();
    private final Queue<String> calls = new ConcurrentLinkedQueue<>();
    private final Inbox inbox =
            Inbox.builder(store.inbox(), "slack").listener(events::add).build();
    private final Idempotency idempotency = Idempotency.on(store);
    private final SlackIntake intake = SlackIntake.builder(inbox).build();

    @AfterEach
    void close() {
        intake.close();
        idempotency.close();
    }

    private SlackWorker worker(UnaryOperator<SlackWorker.Builder> settings) {
        return settings.apply(SlackWorker.builder(inbox, idempotency, store.versionGuard())
                        .working(work -> work.pollEvery(MOMENT).backoff(IntervalFunction.of(MOMENT)))
                        .listener(new SlackListener() {
                            @Override
                            public void onHandled(Handled one) {
                                handled.add(one);
                            }
                        }))
                .start();
    }

    private SlackConsumer.Builder greeter() {
        return SlackConsumer.named("greeter").on("message", "app_mention");
    }

    private void record(SlackEvent event, HandlerContext context) {
        calls.add(context.key("reply"));
    }

    private void take(Told... all) {
        for (Told told : all) {
            assertThat(intake.take(told.parsed(), Transport.HTTP, 0, "").isSafe())
                    .isTrue();
        }
    }

    /** Until every event that was taken is done or dead. */
    private void settle() {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (count(InboxEvent.Type.OFFERED) > count(InboxEvent.Type.DONE) + count(InboxEvent.Type.BURIED)) {
            assertThat(System.nanoTime()).as("all events settled").isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private long count(InboxEvent.Type type) {
        return events.stream().filter(event -> event.type() == type).count();
    }

    private List<Outcome> outcomes() {
        return handled.stream().map(Handled::outcome).toList();
    }

    @Test
    void worker_messageAndMentionOfIt_runTheHandlerOnce() {
        take(Told.message("Ev1", "1.000100"), Told.mention("Ev2", "1.000100"), Told.message("Ev3", "1.000200"));

        try (var worker = worker(b -> b.consumer(greeter().handle(this::record)))) {
            settle();
        }

        assertThat(calls)
                .containsExactlyInAnyOrder(
                        "greeter:A0HOME:C0GENERAL:1.000100:reply", "greeter:A0HOME:C0GENERAL:1.000200:reply");
        assertThat(outcomes()).containsExactlyInAnyOrder(Outcome.HANDLED, Outcome.HANDLED, Outcome.DUPLICATE);
    }

    /** As after a week's outage, or when somebody replays: the handler's own writes are still known by their keys. */
    @Test
    void worker_messageThatComesAgain_whileTheWritesOfItsHandlerAreRemembered_isADuplicate() {
        try (var worker = worker(b -> b.retention(Duration.ofHours(3))
                .writesRemembered(Duration.ofDays(7))
                .consumer(greeter().handle(this::record)))) {
            take(Told.message("Ev1", "1.000100"));
            settle();
            passed.addAndGet(Duration.ofHours(4).toNanos());
            take(Told.message("Ev2", "1.000100"));
            settle();
            passed.addAndGet(Duration.ofDays(6).toNanos());
            take(Told.message("Ev3", "1.000100"));
            settle();
            assertThat(calls).containsExactly("greeter:A0HOME:C0GENERAL:1.000100:reply");

            passed.addAndGet(Duration.ofDays(2).toNanos());
            take(Told.message("Ev4", "1.000100"));
            settle();
        }

        assertThat(outcomes())
                .as("its time begins anew only when nothing knows its writes")
                .containsExactly(Outcome.HANDLED, Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.HANDLED);
    }

    @Test
    void worker_eventThatOneConsumerLeavesOut_isNotTakenFromItsOtherEvent() {
        take(Told.message("Ev1", "1.000100"));

        try (var worker = worker(b -> b.consumer(greeter()
                        .where(event -> event.type().equals("app_mention"))
                        .handle(this::record))
                .consumer(SlackConsumer.named("archive").on("message").handle(this::record)))) {
            settle();
            take(Told.mention("Ev2", "1.000100"));
            settle();
        }

        assertThat(calls)
                .containsExactly("archive:A0HOME:C0GENERAL:1.000100:reply", "greeter:A0HOME:C0GENERAL:1.000100:reply");
        assertThat(outcomes()).containsExactly(Outcome.LEFT_OUT, Outcome.HANDLED, Outcome.HANDLED);
    }

    @Test
    void worker_oneActOfAUserAsTwoMessages_runsTheHandlerOnce() {
        take(
                Told.message("Ev1", "1.000100").with("client_msg_id", "c-1"),
                Told.message("Ev2", "9.000900").with("client_msg_id", "c-1"),
                Told.message("Ev3", "9.000950").with("client_msg_id", "c-1").with("user", "U0OTHER"));

        try (var worker = worker(b -> b.working(w -> w.concurrency(1).pollEvery(MOMENT))
                .consumer(greeter().handle(this::record)))) {
            settle();
        }

        assertThat(calls).hasSize(2);
        assertThat(outcomes()).containsExactlyInAnyOrder(Outcome.HANDLED, Outcome.DUPLICATE_ACT, Outcome.HANDLED);
    }

    @Test
    void worker_toldToIgnoreIdsOfClients_takesThemForTwo() {
        take(
                Told.message("Ev1", "1.000100").with("client_msg_id", "c-1"),
                Told.message("Ev2", "9.000900").with("client_msg_id", "c-1"));

        try (var worker =
                worker(b -> b.ignoreClientMessageIds().consumer(greeter().handle(this::record)))) {
            settle();
        }

        assertThat(calls).hasSize(2);
    }

    @Test
    void worker_handlerThatFails_runsAgainWithTheSameKey_andDisturbsNoOther() {
        var failures = new AtomicInteger(2);
        take(Told.message("Ev1", "1.000100"));

        try (var worker = worker(b -> b.consumer(greeter().handle((event, context) -> {
                    record(event, context);
                    if (failures.getAndDecrement() > 0) {
                        throw new IllegalStateException("with a secret");
                    }
                }))
                .consumer(SlackConsumer.named("archive").on("message").handle(this::record)))) {
            settle();
        }

        assertThat(calls.stream().filter(key -> key.startsWith("greeter")))
                .hasSize(3)
                .containsOnly("greeter:A0HOME:C0GENERAL:1.000100:reply");
        assertThat(calls.stream().filter(key -> key.startsWith("archive"))).hasSize(1);
        assertThat(events.toString()).doesNotContain("secret");
    }

    @Test
    void worker_handlerThatNeverSucceeds_isBuriedUnderItsFailuresName_andComesBackWhenReplayed() {
        var mended = new AtomicInteger();
        take(Told.message("Ev1", "1.000100"));

        try (var worker =
                worker(b -> b.working(w -> w.attempts(2).pollEvery(MOMENT).backoff(IntervalFunction.of(MOMENT)))
                        .consumer(greeter().handle((event, context) -> {
                            if (mended.get() == 0) {
                                throw new java.io.IOException("with a secret");
                            }
                            record(event, context);
                        })))) {
            settle();
            DeadLetter dead = store.inbox().deadLetters("slack", null, 10).get(0);
            assertThat(dead.reason()).isEqualTo("java.io.IOException");

            mended.set(1);
            store.inbox().replay(dead.message().key());
            long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
            while (calls.isEmpty()) {
                assertThat(System.nanoTime()).isLessThan(end);
                LockSupport.parkNanos(1_000_000);
            }
        }

        assertThat(calls).containsExactly("greeter:A0HOME:C0GENERAL:1.000100:reply");
    }

    @Test
    void worker_handlerThatGivesUp_isBuriedAtOnce() {
        take(Told.message("Ev1", "1.000100"));

        try (var worker = worker(b -> b.consumer(greeter().handle((event, context) -> {
            throw new UnprocessableException("no such order");
        })))) {
            settle();
        }

        assertThat(store.inbox().deadLetters("slack", null, 10))
                .singleElement()
                .extracting(DeadLetter::reason)
                .isEqualTo("no such order");
    }

    @Test
    void worker_whatTheAppAndBotsWrite_isDropped_unlessTheRuleSaysElse() {
        var own = Told.message("Ev1", "1.000100").with("app_id", Told.APP).with("bot_id", "B0HOME");
        var unfurled = Told.edit("Ev2", "1.000100", "1.000300", "x");
        ((com.fasterxml.jackson.databind.node.ObjectNode) unfurled.inner().path("message")).put("app_id", Told.APP);
        var classic = Told.message("Ev3", "1.000500").with("subtype", "bot_message");
        var other = Told.message("Ev4", "1.000700").with("app_id", "A0OTHER").with("bot_id", "B0OTHER");
        take(own, unfurled, classic, other);

        try (var worker =
                worker(b -> b.consumer(SlackConsumer.named("all").on("*").handle(this::record)))) {
            settle();
        }

        assertThat(calls).containsExactly("all:A0HOME:C0GENERAL:1.000700:reply");
        assertThat(outcomes())
                .containsExactlyInAnyOrder(Outcome.FROM_BOT, Outcome.FROM_BOT, Outcome.FROM_BOT, Outcome.HANDLED);
        assertThat(SlackBots.own().test(classic.parsed())).isFalse();
        assertThat(SlackBots.all().test(other.parsed())).isTrue();
    }

    @Test
    void worker_filesThatTheAppItselfShares_areNotAnsweredForEver() {
        for (int i = 0; i < 60; i++) {
            Told shared = Told.event("Ev" + i, "file_shared")
                    .with("file_id", "F" + i)
                    .with("user_id", "U0HOME")
                    .with("channel_id", "C0GENERAL");
            shared.payload()
                    .putArray("authorizations")
                    .addObject()
                    .put("user_id", "U0HOME")
                    .put("is_bot", true);
            take(shared);
        }
        var answering = SlackConsumer.named("files").on("file_shared").handle(this::record);

        try (var worker = worker(b -> b.bots(event -> false).consumer(answering))) {
            settle();
        }

        assertThat(calls).as("by the loop breaker alone").hasSize(20);
        assertThat(outcomes().stream().filter(Outcome.LOOP::equals)).hasSize(40);
    }

    @Test
    void worker_botsThatAnswerEachOther_areStopped() {
        for (int i = 0; i < 10; i++) {
            take(Told.message("Ev" + i, "1.00010" + i).with("bot_id", "B0OTHER").with("thread_ts", "1.000100"));
        }
        take(Told.message("EvP", "2.000100").with("thread_ts", "1.000100"));

        try (var worker = worker(
                b -> b.breakLoops(4, Duration.ofDays(1)).consumer(greeter().handle(this::record)))) {
            settle();
        }

        assertThat(outcomes().stream().filter(Outcome.LOOP::equals)).hasSize(6);
        assertThat(calls).hasSize(5).contains("greeter:A0HOME:C0GENERAL:2.000100:reply");
    }

    @Test
    void worker_lateEditAndLateMessage_areStaleAfterWhatIsNewer() {
        try (var worker = worker(b -> b.consumer(
                SlackConsumer.named("copy").on("message:*").newestOnly().handle(this::record)))) {
            take(Told.edit("Ev3", "1.000100", "3.000300", "second"));
            settle();
            take(Told.edit("Ev2", "1.000100", "2.000200", "first"), Told.message("Ev1", "1.000100"));
            settle();
            take(Told.deletion("Ev4", "1.000100", "4.000400"));
            settle();
            take(Told.edit("Ev5", "1.000100", "4.000400", "of the same moment"));
            settle();
        }

        assertThat(calls)
                .containsExactly(
                        "copy:A0HOME:C0GENERAL:1.000100:changed:3.000300:reply",
                        "copy:A0HOME:C0GENERAL:1.000100:deleted:reply");
        assertThat(outcomes())
                .containsExactlyInAnyOrder(
                        Outcome.HANDLED, Outcome.STALE, Outcome.STALE, Outcome.HANDLED, Outcome.STALE);
    }

    /** Slack unfurls a link by an edit, in the moment of the message itself: docs.slack.dev/reference/events/message/message_changed. */
    @Test
    void worker_messageWhoseUnfurlWasHandledFirst_isAnsweredAllTheSame() {
        try (var worker =
                worker(b -> b.consumer(SlackConsumer.named("all").on("*").handle(this::record)))) {
            take(Told.edit("Ev2", "1.000100", "1.000300", "with its unfurl"));
            settle();
            take(Told.message("Ev1", "1.000100"));
            settle();
        }

        assertThat(outcomes()).containsExactly(Outcome.HANDLED, Outcome.HANDLED);
        assertThat(calls).contains("all:A0HOME:C0GENERAL:1.000100:reply");
    }

    @Test
    void worker_messageThatFailedBeforeItsUnfurlWasHandled_isAnsweredByItsRetry() {
        var unfurled = new CountDownLatch(1);
        var failures = new AtomicInteger(1);
        take(Told.message("Ev1", "1.000100"), Told.edit("Ev2", "1.000100", "1.000300", "with its unfurl"));

        try (var worker =
                worker(b -> b.consumer(SlackConsumer.named("all").on("*").handle((event, context) -> {
                    if (event.subtype() != null) {
                        unfurled.countDown();
                    } else if (failures.getAndDecrement() > 0) {
                        assertThat(unfurled.await(1, TimeUnit.MINUTES)).isTrue();
                        throw new IllegalStateException("not yet");
                    } else {
                        record(event, context);
                    }
                })))) {
            settle();
        }

        assertThat(calls).containsExactly("all:A0HOME:C0GENERAL:1.000100:reply");
    }

    @Test
    void worker_hundredLinkedMessagesWithTheirUnfurlsInTheSameMoment_areAllAnswered() {
        for (int i = 100; i < 200; i++) {
            take(
                    Told.edit("EvU" + i, "1.000" + i, "1.000" + i, "with its unfurl"),
                    Told.message("EvM" + i, "1.000" + i));
        }

        try (var worker =
                worker(b -> b.consumer(SlackConsumer.named("all").on("*").handle(this::record)))) {
            settle();
        }

        assertThat(calls.stream().filter(key -> !key.contains(":changed:"))).hasSize(100);
    }

    @Test
    void worker_editThatIsGivenUp_takesNoOlderStateOfItsMessageWithIt() {
        try (var worker = worker(b -> b.consumer(
                SlackConsumer.named("copy").on("message:*").newestOnly().handle((event, context) -> {
                    if (event.subtype() != null) {
                        throw new UnprocessableException("no such edit");
                    }
                    record(event, context);
                })))) {
            take(Told.edit("Ev2", "1.000100", "2.000200", "never handled"));
            settle();
            take(Told.message("Ev1", "1.000100"));
            settle();
        }

        assertThat(calls).containsExactly("copy:A0HOME:C0GENERAL:1.000100:reply");
        assertThat(outcomes()).containsExactly(Outcome.FAILED, Outcome.HANDLED);
    }

    @Test
    void worker_lateEdit_isStaleWithoutBeingAskedFor() {
        try (var worker =
                worker(b -> b.consumer(SlackConsumer.named("all").on("*").handle(this::record)))) {
            take(Told.edit("Ev3", "1.000100", "3.000300", "second"));
            settle();
            take(Told.edit("Ev2", "1.000100", "2.000200", "first"));
            settle();
        }

        assertThat(outcomes()).containsExactly(Outcome.HANDLED, Outcome.STALE);
    }

    @Test
    void worker_renamedChannel_isFollowedWhereAskedTo() {
        var renamed = Told.event("Ev2", "channel_id_changed")
                .with("old_channel_id", "C0GENERAL")
                .with("new_channel_id", "C0SHARED")
                .with("event_ts", "2.000000");
        try (var worker =
                worker(b -> b.followRenamedChannels(store).consumer(greeter().handle(this::record)))) {
            take(Told.message("Ev1", "1.000100"));
            settle();
            take(renamed);
            settle();
            take(Told.message("Ev3", "1.000100").with("channel", "C0SHARED"));
            settle();
            take(Told.message("Ev4", "5.000100").with("channel", "C0SHARED"));
            settle();
        }

        assertThat(calls)
                .containsExactly("greeter:A0HOME:C0GENERAL:1.000100:reply", "greeter:A0HOME:C0GENERAL:5.000100:reply");
    }

    @Test
    void worker_whatNobodyHearsOf_isDroppedOrKept() {
        take(Told.event("Ev1", "reaction_added"));
        try (var worker = worker(b -> b.consumer(greeter().handle(this::record)))) {
            settle();
        }
        assertThat(outcomes()).containsExactly(Outcome.UNROUTED);
        assertThat(count(InboxEvent.Type.BURIED)).isZero();

        take(Told.event("Ev2", "reaction_added"));
        try (var worker = worker(b -> b.keepUnrouted().consumer(greeter().handle(this::record)))) {
            settle();
        }
        assertThat(store.inbox().deadLetters("slack", null, 10)).hasSize(1);
    }

    @Test
    void worker_thatIsClosed_letsItsHandlerEnd() throws Exception {
        var running = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        take(Told.message("Ev1", "1.000100"));
        var worker = worker(b -> b.consumer(greeter().handle((event, context) -> {
            running.countDown();
            goOn.await();
            record(event, context);
        })));
        assertThat(running.await(1, TimeUnit.MINUTES)).isTrue();
        var closing = new Thread(worker::close);
        closing.start();
        goOn.countDown();
        closing.join(60_000);

        assertThat(calls).hasSize(1);
        assertThat(count(InboxEvent.Type.DONE)).isEqualTo(1);
    }

    @Test
    void settings_outOfRange_areRefused() {
        assertThatIllegalStateException().isThrownBy(() -> worker(b -> b)).withMessageContaining("no consumer");
        assertThatIllegalStateException()
                .isThrownBy(() -> worker(b -> b.consumer(greeter().handle(this::record))
                        .consumer(greeter().handle(this::record))))
                .withMessage("two consumers are named greeter");
        assertThatIllegalStateException()
                .isThrownBy(() -> SlackConsumer.named("deaf").handle(this::record))
                .withMessageContaining("hear of nothing");
    }
}
