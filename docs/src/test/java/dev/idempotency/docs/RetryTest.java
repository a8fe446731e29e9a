package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.DeclinedException;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyException;
import dev.idempotency.Operation;
import dev.idempotency.RefusedException;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeClient;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.Fault;
import dev.idempotency.testkit.FaultPlan;
import dev.idempotency.testkit.HttpProviderSimulator;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.UnreliableProvider;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The retries of the guide, against the simulated provider. */
final class RetryTest {
    private static final ChargeRequest ORDER = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");

    private interface Charging extends BiFunction<Idempotency, ChargeClient, Operation<ChargeRequest, Charge>> {}

    private static SimulatedProvider after(Charging charging, boolean isPatient, Fault... faults) throws Exception {
        var provider = new SimulatedProvider(
                ProviderBehavior.none().withNativeKey(Duration.ofHours(24)),
                EffectLedger.inMemory(),
                InstantSource.system());
        var plan = FaultPlan.scripted(faults);
        try (var simulator = HttpProviderSimulator.start(
                        new UnreliableProvider(provider, plan, Duration.ZERO, Duration.ZERO));
                var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            var charge = charging.apply(idempotency, new ChargeClient(simulator.charges()));
            Charge receipt = isPatient ? RetrySnippets.charge(charge, ORDER) : charge.execute(ORDER);
            assertThat(receipt.amount()).isEqualTo(1250);
            assertThat(plan.chosen().keySet()).contains(faults);
            return provider;
        }
    }

    @Test
    void retryAroundTheOperation_ofRefusalsAndLostReplies_chargesOnce() throws Exception {
        var provider = after(
                QuickstartSnippets::charging,
                true,
                Fault.REFUSED_429,
                Fault.REPLY_LOST_AFTER_EFFECT,
                Fault.REFUSED_429);

        assertThat(provider.ledger().effectsOf("ORD-1")).hasSize(1);
    }

    @Test
    void retryInsideTheOperation_ofRefusalsAndLostReplies_chargesOnce() throws Exception {
        var provider =
                after(RetrySnippets::retrying, false, Fault.REFUSED_429, Fault.REFUSED_429, Fault.RESET_AFTER_EFFECT);

        assertThat(provider.ledger().effectsOf("ORD-1")).hasSize(1);
    }

    /** The third try alone gets through, so it takes the retry. */
    @Test
    void sameFaultsWithoutARetry_endInAnException() {
        assertThatThrownBy(() -> after(QuickstartSnippets::charging, false, Fault.REFUSED_429, Fault.REFUSED_429))
                .isInstanceOf(IdempotencyException.class);
    }

    @Test
    void retryAroundTheOperation_ofAnOutcome_isNone() {
        assertThat(RetrySnippets.mayHelp(new DeclinedException("card declined")))
                .isFalse();
    }

    @Test
    void exceptions_ofTheTable_areAllOfTheLibrary() throws Exception {
        var told = Markdown.of("docs/retries.md").table("Exception", "Retry it?").stream()
                .map(row -> row.get(0).replaceAll("`(\\w+)`.*", "$1"))
                .collect(Collectors.toSet());

        assertThat(told)
                .isEqualTo(Compiled.beside(Idempotency.class)
                        .filter(IdempotencyException.class::isAssignableFrom)
                        .filter(type -> !Modifier.isAbstract(type.getModifiers()) && type != RefusedException.class)
                        .map(Class::getSimpleName)
                        .collect(Collectors.toSet()));
    }
}
