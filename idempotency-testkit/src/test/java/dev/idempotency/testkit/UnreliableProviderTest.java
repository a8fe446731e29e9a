package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class UnreliableProviderTest {

    private static final Duration SLOW = Duration.ofSeconds(2);
    private static final Duration DELAY = Duration.ofSeconds(30);
    private static final ProviderBehavior NATIVE = ProviderBehavior.none().withNativeKey();
    private static final Observation ERROR = new Observation.Answered(new Reply.Error5xx(500));

    private final ManualClock clock = new ManualClock(Instant.EPOCH);
    private final EffectLedger ledger = EffectLedger.inMemory();

    private UnreliableProvider failing(ProviderBehavior behavior, Fault... faults) {
        return new UnreliableProvider(
                new SimulatedProvider(behavior, ledger, clock), FaultPlan.scripted(faults), SLOW, DELAY);
    }

    private static Submission request() {
        return new Submission("r", "k", "order-1", "payload");
    }

    private static Reply reply(Observation observation) {
        assertThat(observation).isInstanceOf(Observation.Answered.class);
        return ((Observation.Answered) observation).reply();
    }

    @Test
    void submit_noFault_answers() {
        assertThat(reply(failing(NATIVE).submit(request()))).isInstanceOf(Reply.Created.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"REPLY_LOST_AFTER_EFFECT", "RESET_AFTER_EFFECT"})
    void submit_answerLost_effectIsThere(Fault fault) {
        var provider = failing(NATIVE, fault);

        assertThat(provider.submit(request())).isEqualTo(new Observation.Dropped());
        assertThat(ledger.count()).isEqualTo(1);
        assertThat(reply(provider.submit(request()))).isInstanceOf(Reply.Replayed.class);
    }

    @Test
    void submit_resetBefore_effectIsNotThere() {
        var provider = failing(NATIVE, Fault.RESET_BEFORE_EFFECT);

        assertThat(provider.submit(request())).isEqualTo(new Observation.Dropped());
        clock.advance(Duration.ofDays(1));
        assertThat(provider.provider().ledger().count()).isZero();
        assertThat(reply(provider.submit(request()))).isInstanceOf(Reply.Created.class);
    }

    @Test
    void submit_errorAfter_effectIsThereAndTheRepeatReplaysIt() {
        var provider = failing(NATIVE, Fault.ERROR_500_AFTER_EFFECT);

        assertThat(provider.submit(request())).isEqualTo(ERROR);
        assertThat(ledger.count()).isEqualTo(1);
        assertThat(reply(provider.submit(request()))).isInstanceOf(Reply.Replayed.class);
    }

    @Test
    void submit_errorBefore_keyStaysUnused() {
        var provider = failing(NATIVE, Fault.ERROR_500_BEFORE_EFFECT);

        assertThat(provider.submit(request())).isEqualTo(ERROR);
        assertThat(ledger.count()).isZero();
        assertThat(reply(provider.submit(request()))).isInstanceOf(Reply.Created.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"ERROR_500_AFTER_EFFECT", "ERROR_500_BEFORE_EFFECT"})
    void submit_errorStored_isReplayedWhateverTheEffect(Fault fault) {
        var provider = failing(NATIVE.withStoredErrors(), fault);
        provider.submit(request());

        assertThat(provider.submit(request())).isEqualTo(ERROR);
        assertThat(ledger.count()).isEqualTo(fault == Fault.ERROR_500_AFTER_EFFECT ? 1 : 0);
    }

    @Test
    void submit_errorOnARepeat_leavesTheStoredAnswer() {
        var provider = failing(NATIVE.withStoredErrors(), Fault.NONE, Fault.ERROR_500_AFTER_EFFECT);
        provider.submit(request());

        assertThat(provider.submit(request())).isEqualTo(ERROR);
        assertThat(reply(provider.submit(request()))).isInstanceOf(Reply.Replayed.class);
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void submit_slow_answersLateAndIsInProgressUntilThen() {
        var provider = failing(NATIVE.withInProgress409(), Fault.SLOW_PAST_TIMEOUT);

        assertThat(provider.submit(request()))
                .isEqualTo(
                        new Observation.Late(new Reply.Created(ledger.effects().get(0)), SLOW));
        assertThat(reply(provider.submit(request()))).isEqualTo(new Reply.InProgress());
        clock.advance(SLOW);
        assertThat(reply(provider.submit(request()))).isInstanceOf(Reply.Replayed.class);
    }

    @Test
    void submit_delayed_effectLandsLater() {
        var provider = failing(NATIVE, Fault.DELAYED_EFFECT);

        assertThat(provider.submit(request())).isEqualTo(new Observation.Dropped());
        clock.advance(DELAY.minusNanos(1));
        assertThat(provider.provider().ledger().count()).isZero();
        clock.advance(Duration.ofNanos(1));
        assertThat(provider.provider().ledger().count()).isEqualTo(1);
    }

    @Test
    void submit_refused_isNotExecutedAndLeavesTheKeyUnused() {
        var provider = failing(NATIVE, Fault.REFUSED_429);

        assertThat(reply(provider.submit(request()))).isEqualTo(new Reply.RateLimited());
        assertThat(ledger.count()).isZero();
        assertThat(reply(provider.submit(request()))).isInstanceOf(Reply.Created.class);
    }

    @Test
    void submit_declined_staysDeclined() {
        var provider = failing(NATIVE, Fault.DECLINED_402);
        var first = provider.submit(request());

        assertThat(reply(first)).isInstanceOf(Reply.Declined.class);
        assertThat(provider.submit(request())).isEqualTo(first);
        assertThat(ledger.count()).isZero();
    }

    @Test
    void submit_declinePlannedForARepeat_isTheEffectAllTheSame() {
        var provider = failing(NATIVE, Fault.REPLY_LOST_AFTER_EFFECT, Fault.DECLINED_402);
        provider.submit(request());

        assertThat(reply(provider.submit(request()))).isInstanceOf(Reply.Replayed.class);
    }

    @Test
    void provider_negativeTimes_areRefused() {
        var provider = new SimulatedProvider(NATIVE, ledger, clock);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new UnreliableProvider(provider, FaultPlan.none(), SLOW.negated(), DELAY));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new UnreliableProvider(provider, FaultPlan.none(), SLOW, DELAY.negated()));
    }
}
