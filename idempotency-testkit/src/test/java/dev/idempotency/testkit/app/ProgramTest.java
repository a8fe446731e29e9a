package dev.idempotency.testkit.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Finding;
import dev.idempotency.Guarantee;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.ReferenceStore;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.StoreFault;
import dev.idempotency.testkit.app.BrokenApps.Order;
import dev.idempotency.testkit.app.BrokenApps.Receipt;
import dev.idempotency.testkit.app.Program.Fate;
import dev.idempotency.testkit.app.Program.Step;
import dev.idempotency.testkit.app.Program.Trouble;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ProgramTest {
    private static final Order ORDER = new Order("order-1", 10, List.of("a", "b"), Instant.EPOCH);

    private static Program<Order> program(Step... steps) {
        return new Program<>(List.of(ORDER), List.of(steps));
    }

    private static Step execute(Fate... fates) {
        return new Step.Execute(0, 0, List.of(fates), 0, null);
    }

    @Test
    void run_deathAndWindowOver_namesTheMistakeAndTellsTheStory() {
        var program = program(execute(Fate.DIES_AFTER), new Step.Elapse(Duration.ofHours(25)), execute());

        assertThatThrownBy(() -> program.run(BrokenApps.BELIEVES_IN_A_LONGER_WINDOW.app()))
                .isInstanceOfSatisfying(
                        MistakeError.class, e -> assertThat(e.mistake()).isEqualTo(Mistake.WINDOW_TOO_LONG))
                .hasMessageStartingWith("WINDOW_TOO_LONG: the same native key was sent again after")
                .hasMessageContaining("the first call was under way")
                .hasMessageContaining("request 0 is Order[id=order-1")
                .hasMessageContaining("1. process 0 executes request 0 [DIES_AFTER]")
                .hasMessageContaining("2. PT25H pass")
                .hasMessageContaining("RESENT");
    }

    @ParameterizedTest
    @EnumSource
    void run_eachFate_happens(Fate fate) {
        List<String> story = program(execute(fate)).run(BrokenApps.SOUND_LOOKUP.app());

        assertThat(story).anyMatch(line -> line.endsWith(": " + fate));
    }

    @Test
    void run_anotherMeanwhile_waitsOnTheWorldsTime() {
        List<String> story = program(execute(Fate.ANSWERED_MEANWHILE_ANOTHER)).run(BrokenApps.SOUND_NATIVE_KEY.app());

        assertThat(story).anyMatch(line -> line.contains("process 1: WAITING"));
        assertThat(story).anyMatch(line -> line.contains("process 0 is told Receipt"));
    }

    @Test
    void run_storeThatFails_isHeardOf() {
        var trouble = new Step.Execute(0, 0, List.of(), 0, new Trouble(1, StoreFault.NOT_WRITTEN, true));

        assertThat(program(trouble).run(BrokenApps.SOUND_HOLD.app()))
                .anyMatch(line -> line.contains("process 0 is told") && line.contains("StoreException"));
    }

    @Test
    void run_killedProcess_startsAgain() {
        assertThat(program(execute(), new Step.Kill(0), execute()).run(BrokenApps.SOUND_HOLD.app()))
                .anyMatch(line -> line.contains("process 0 starts again"))
                .anyMatch(line -> line.contains("REPLAYED"));
    }

    @Test
    void run_lateArrival_isThereWhenItsTimeHasCome() {
        var program = program(execute(Fate.ARRIVES_LATE), new Step.Elapse(Duration.ofSeconds(20)), execute());

        assertThatThrownBy(() -> program.run(BrokenApps.WAITS_TOO_SHORTLY.app()))
                .hasMessageContaining("QUIESCENCE_TOO_SHORT");
        assertThat(program.run(BrokenApps.SOUND_LOOKUP.app())).isNotEmpty();
    }

    @Test
    void program_ofWhatIsNotThere_isRefused() {
        assertThatThrownBy(() -> program(new Step.Kill(2))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> program(new Step.Execute(-1, 0, List.of(), 0, null)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> program(new Step.Execute(0, 1, List.of(), 0, null)))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> new Program<>(List.of(), List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    /** The least that an application needs. */
    private record Small(Function<AppProcess, Operation<Order, Receipt>> start) implements App<Order, Receipt> {
        @Override
        public Operation<Order, Receipt> start(AppProcess process) {
            return start.apply(process);
        }

        @Override
        public boolean isAbout(Receipt answer, Effect effect) {
            return answer.id().equals(effect.effectId());
        }

        @Override
        public ProviderBehavior provider() {
            return ProviderBehavior.none().withNativeKey();
        }
    }

    private static Operation.Builder<Order, Receipt> operation(Idempotency idempotency) {
        return idempotency
                .operation("charge", Order.class, Receipt.class)
                .key(Order::id)
                .recovery(Recovery.nativeKey(ProviderProfile.of(
                        "simulated", "the test kit", ProviderProfile.KeyFormat.uuid(), ProviderProfile.ENDLESS)));
    }

    private static Receipt sent(AppProcess process, Order order, String nativeKey) throws IOException {
        Reply reply = process.provider().send(nativeKey, order.id(), "10 EUR");
        if (reply instanceof Reply.Replayed replayed) {
            return new Receipt(replayed.effect().effectId());
        }
        return new Receipt(((Reply.Created) reply).effect().effectId());
    }

    /** Whoever pauses lets the world's time pass, for however long; a pause that was not seen would hang here. */
    @Test
    void run_retryThatPausesForMinutes_takesNoTime() {
        var config = RetryConfig.custom()
                .maxAttempts(3)
                .waitDuration(Duration.ofMinutes(2))
                .build();
        var app = new Small(process -> operation(process.idempotency().build())
                .retry(Retry.of("charge", config))
                .calling((order, attempt) -> sent(process, order, attempt.nativeKey())));

        assertThat(program(execute(Fate.REPLY_LOST, Fate.REPLY_LOST, Fate.REPLY_LOST))
                        .run(app))
                .anyMatch(line -> line.contains("RESENT"));
    }

    @Test
    void run_operationOnALibraryOfItsOwn_isRefused() {
        var app = new Small(process -> operation(Idempotency.on(new ReferenceStore(new ManualClock(Instant.EPOCH))))
                .calling((order, attempt) -> sent(process, order, attempt.nativeKey())));

        assertThatThrownBy(() -> program(execute()).run(app))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("make it with process.idempotency()");
    }

    @Test
    void run_applicationThatFailsByItself_isToldSo() {
        var app = new App<Order, Receipt>() {
            @Override
            public Operation<Order, Receipt> start(AppProcess process) {
                return BrokenApps.SOUND_HOLD.app().start(process);
            }

            @Override
            public Receipt execute(Operation<Order, Receipt> operation, AppProcess process, Order order) {
                throw new IllegalStateException("out of sorts");
            }

            @Override
            public boolean isAbout(Receipt answer, Effect effect) {
                return false;
            }

            @Override
            public ProviderBehavior provider() {
                return ProviderBehavior.none();
            }
        };

        assertThatThrownBy(() -> program(execute()).run(app))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("out of sorts")
                .hasMessageContaining("What happened");
    }

    /** A lookup that says "missing" and asked nobody: there is a second write, and nothing that the provider showed explains it. */
    @Test
    void run_lookupThatAsksNobody_isNotExplained() {
        var app = new App<Order, Receipt>() {
            @Override
            public Operation<Order, Receipt> start(AppProcess process) {
                return process.idempotency()
                        .build()
                        .operation("charge", Order.class, Receipt.class)
                        .key(Order::id)
                        .recovery(Recovery.lookupThenReexecute(
                                (order, attempt) -> Finding.missing(),
                                Quiescence.of(Duration.ofMinutes(5), Duration.ofMinutes(1))))
                        .calling((order, attempt) -> sent(process, order, attempt.nativeKey()));
            }

            @Override
            public boolean isAbout(Receipt answer, Effect effect) {
                return answer.id().equals(effect.effectId());
            }

            @Override
            public ProviderBehavior provider() {
                return ProviderBehavior.none();
            }
        };

        assertThatThrownBy(() -> program(execute(Fate.DIES_AFTER), new Step.Elapse(Duration.ofHours(1)), execute())
                        .run(app))
                .isInstanceOfSatisfying(
                        MistakeError.class, e -> assertThat(e.mistake()).isEqualTo(Mistake.UNEXPLAINED))
                .hasMessageContaining("has happened 2 times");
    }

    @Test
    void assertLevel_weakerThanWanted_namesBoth() {
        Operation<Order, Receipt> held = Idempotency.on(new ReferenceStore(new ManualClock(Instant.EPOCH)))
                .operation("charge", Order.class, Receipt.class)
                .key(Order::id)
                .calling((order, attempt) -> new Receipt("none"));

        GuaranteeAssert.assertLevel(held, Guarantee.Level.F);
        assertThatThrownBy(() -> GuaranteeAssert.assertLevel(held, Guarantee.Level.C))
                .isInstanceOf(MistakeError.class)
                .hasMessageContaining("LEVEL_TOO_LOW")
                .hasMessageContaining("at least level C (deduplicated)")
                .hasMessageContaining("Level F (held)");
    }
}
