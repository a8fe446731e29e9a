package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyListener;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.FaultInjectingStore;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.ReferenceStore;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SimulatedCrash;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.StoreFault;
import dev.idempotency.testkit.StoreFaultPlan;
import dev.idempotency.testkit.StoreStep;
import dev.idempotency.testkit.Submission;
import dev.idempotency.testkit.chaos.Chaos;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The example of the guide on testing. */
final class KitTest {
    // tag::crash[]
    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final ReferenceStore store = new ReferenceStore(clock);
    private final SimulatedProvider provider =
            new SimulatedProvider(ProviderBehavior.none().withLookup(Duration.ZERO), EffectLedger.inMemory(), clock);

    @Test
    void charge_processDiesBetweenCallAndRecord_isFoundByTheNextOne() {
        var request = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");
        var plan = StoreFaultPlan.at(StoreStep.REPLACE, 1, StoreFault.CRASH_BEFORE); // the write of the result
        var dying = new FaultInjectingStore(store, plan);

        assertThatThrownBy(() -> process(dying).execute(request)).isInstanceOf(SimulatedCrash.class);
        clock.advance(Duration.ofSeconds(30)); // the lease lapses
        Charge found = process(store).execute(request);

        assertThat(found.amount()).isEqualTo(1250);
        assertThat(provider.ledger().count()).isEqualTo(1);
        assertThat(dying.isDead()).isTrue();
    }

    private Operation<ChargeRequest, Charge> process(IdempotencyStore way) {
        return Idempotency.builder(way)
                .nanoTime(clock::nanoTime)
                .build()
                .operation("charge-card", ChargeRequest.class, Charge.class)
                .key(ChargeRequest::orderId)
                .recovery(Recovery.lookup((request, attempt) -> provider.lookup(request.orderId()).stream()
                        .findFirst()
                        .map(effect -> Finding.found(new Charge(effect.effectId(), request.amount())))
                        .orElse(Finding.missing())))
                .calling((request, attempt) -> {
                    var submission = new Submission(
                            UUID.randomUUID().toString(), attempt.nativeKey(), request.orderId(), request.toString());
                    var created = (Reply.Created) provider.submit(submission);
                    return new Charge(created.effect().effectId(), request.amount());
                });
    }
    // end::crash[]

    // tag::chaos[]
    @Test
    void charge_listenerAndMachineFail_isMadeOnceNevertheless() {
        try (var chaos = Chaos.planned()) {
            IdempotencyListener metrics = event -> {};
            var charge = Idempotency.builder(chaos.around("store", IdempotencyStore.class, store))
                    .executor(chaos.executor(Chaos.Threads.AS_NEEDED))
                    .listener(chaos.around("metrics", IdempotencyListener.class, metrics))
                    .build()
                    .operation("charge-card", ChargeRequest.class, Charge.class)
                    .key(ChargeRequest::orderId)
                    .calling((request, attempt) -> new Charge("ch-1", request.amount()));
            chaos.fail("metrics.on", new LinkageError("a class is missing"));
            chaos.fail("executor.execute", Chaos.noThread());
            var request = new ChargeRequest("ORD-2", 1250, "EUR", "Ada");

            var failed = charge.executeAsync(request); // the machine cannot make a thread
            Charge charged = charge.execute(request);

            assertThat(failed).isDone();
            assertThat(charged.amount()).isEqualTo(1250);
            assertThat(chaos.thrown()).containsKeys("metrics.on", "executor.execute");
        }
    }
    // end::chaos[]
}
