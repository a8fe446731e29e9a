package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** A provider that knows requests by their keys, and calls that do not send them. */
final class NativeKeyUseTest {
    private static final ProviderProfile PROFILE =
            ProviderProfile.of("Bank", "these tests", ProviderProfile.KeyFormat.uuid(), Duration.ofHours(24));

    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create();
    private final Idempotency idempotency = Idempotency.on(store);
    private final List<String> effects = new CopyOnWriteArrayList<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(Idempotency.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void close() {
        logger.detachAppender(log);
        idempotency.close();
    }

    private List<String> errors(String operation) {
        return log.list.stream()
                .filter(line -> line.getLevel() == Level.ERROR)
                .map(ILoggingEvent::getFormattedMessage)
                .filter(line -> line.contains("'" + operation + "'") && line.contains("never asked"))
                .toList();
    }

    private static Operation.Builder<String, String> on(Idempotency entry, String name) {
        return entry.operation(name, String.class, String.class)
                .key(order -> order)
                .recovery(Recovery.nativeKey(PROFILE));
    }

    private String lost(String order) {
        effects.add(order);
        throw new IllegalStateException("the reply is lost");
    }

    private void staysInDoubt(Operation<String, String> pay) {
        assertThatThrownBy(() -> pay.execute("o-1"))
                .isInstanceOf(InDoubtException.class)
                .hasMessageContaining("never asked for attempt.nativeKey()");
    }

    @Test
    void execute_replyLostAndNoNativeKeySent_chargesOnce() {
        var pay = on(idempotency, "pay-without-key").calling((order, attempt) -> lost(order));

        staysInDoubt(pay);
        staysInDoubt(pay);

        assertThat(effects).containsExactly("o-1");
        assertThat(errors("pay-without-key")).hasSize(1).first().asString().contains("attempt.nativeKey()");
    }

    @Test
    void execute_asyncReplyLostAndNoNativeKeySent_chargesOnce() {
        var pay = on(idempotency, "pay-async").callingAsync((order, attempt) -> {
            effects.add(order);
            return CompletableFuture.failedFuture(new IllegalStateException("the reply is lost"));
        });

        assertThatThrownBy(() -> pay.executeAsync("o-1").get(30, TimeUnit.SECONDS))
                .hasCauseInstanceOf(InDoubtException.class);

        assertThat(effects).containsExactly("o-1");
    }

    @Test
    void execute_inAnotherProcessAfterwards_chargesOnce() {
        staysInDoubt(on(idempotency, "pay").calling((order, attempt) -> lost(order)));
        effects.clear();

        try (var other = Idempotency.on(store)) {
            staysInDoubt(on(other, "pay").calling((order, attempt) -> {
                effects.add(order + attempt.nativeKey());
                return "done";
            }));
        }

        assertThat(effects).isEmpty();
    }

    @Test
    void reconciler_ofTheSameProcess_doesNotSendAgain() {
        var pay = on(idempotency, "pay").keepRequests().calling((order, attempt) -> lost(order));
        staysInDoubt(pay);
        var reconciler = Reconciler.on(idempotency).operations(pay).build();

        reconciler.sweep();
        reconciler.close();

        assertThat(effects).containsExactly("o-1");
    }

    /** The first calls go well, and nobody sees that they send no key, until a process has died under one. */
    @Test
    void execute_keyLeftByADeadProcess_isNotSentAgainOnceACallHereHasShownThatItSendsNone() throws Exception {
        var called = new CountDownLatch(1);
        var dead = Idempotency.builder(store).build();
        var died = on(dead, "pay")
                .lease(Duration.ofSeconds(2))
                .callTimeout(Duration.ofMillis(10))
                .callingAsync((order, attempt) -> {
                    effects.add(order);
                    called.countDown();
                    return new CompletableFuture<>();
                });
        died.executeAsync("o-1");
        assertThat(called.await(30, TimeUnit.SECONDS)).isTrue();
        var pay = on(idempotency, "pay").calling((order, attempt) -> {
            effects.add(order);
            return "done";
        });
        assertThat(pay.execute("o-2")).isEqualTo("done");

        staysInDoubt(pay);
        assertThat(effects).containsExactly("o-1", "o-2");
        assertThat(errors("pay")).hasSize(1);
    }

    @Test
    void execute_callThatAsksForItsKeyLate_isSentAgain() {
        var pay = on(idempotency, "pay").callingAsync((order, attempt) -> {
            effects.add(order);
            return CompletableFuture.supplyAsync(() -> {
                if (attempt.number() == 1) {
                    attempt.nativeKey();
                    throw new IllegalStateException("the reply is lost");
                }
                return "done with " + attempt.nativeKey().length();
            });
        });

        assertThat(pay.execute("o-1")).isEqualTo("done with 36");
        assertThat(effects).containsExactly("o-1", "o-1");
        assertThat(errors("pay")).isEmpty();
    }

    @Test
    void execute_callThatFailsBeforeItSends_saysNothing() {
        var pay = on(idempotency, "pay").calling((order, attempt) -> {
            if (effects.isEmpty()) {
                effects.add("refused");
                throw new NotExecutedException("not sent", null);
            }
            return "done with " + attempt.nativeKey().length();
        });

        assertThatThrownBy(() -> pay.execute("o-1")).isInstanceOf(NotExecutedException.class);
        assertThat(pay.execute("o-1")).isEqualTo("done with 36");
        assertThat(errors("pay")).isEmpty();
    }

    @Test
    void execute_withALookup_asksInsteadOfSendingAgain() {
        var pay = idempotency
                .operation("pay", String.class, String.class)
                .key(order -> order)
                .recovery(Recovery.nativeKeyThenLookup(
                        PROFILE,
                        (order, attempt) -> Finding.found("found"),
                        Quiescence.of(Duration.ofHours(1), Duration.ofHours(1))))
                .calling((order, attempt) -> lost(order));

        assertThat(pay.execute("o-1")).isEqualTo("found");
        assertThat(effects).containsExactly("o-1");
    }

    /** Without such a policy nothing depends on it. */
    @Test
    void execute_underHold_doesNotMind() {
        var pay = idempotency
                .operation("pay", String.class, String.class)
                .key(order -> order)
                .calling((order, attempt) -> "done");

        assertThat(pay.execute("o-1")).isEqualTo("done");
        assertThat(errors("pay")).isEmpty();
        assertThat(on(idempotency, "explained").explain().conditions())
                .anyMatch(condition -> condition.contains("every call sends attempt.nativeKey()"));
    }
}
