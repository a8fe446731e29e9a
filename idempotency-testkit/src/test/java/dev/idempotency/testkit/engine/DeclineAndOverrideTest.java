package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.DeclinedException;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.RefusedException;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.State;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.Submission;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class DeclineAndOverrideTest {
    private static final Order CHANGED = new Order("o-1", 250);

    private final Shop shop = Shop.open();
    private final EffectLedger ledger = EffectLedger.inMemory();
    private final SimulatedProvider provider =
            new SimulatedProvider(ProviderBehavior.none().withNativeKey(), ledger, shop.clock);
    private final Operation<Order, Receipt> charge = shop.charge()
            .recovery(Recovery.nativeKey(Shop.NATIVE))
            .calling((order, attempt) -> {
                Reply reply = provider.submit(new Submission(
                        "r" + shop.calls.incrementAndGet(), attempt.nativeKey(), order.id(), "" + order.amount()));
                if (reply instanceof Reply.Created created) {
                    return new Receipt(created.effect().effectId(), order.amount());
                }
                throw new IOException("not a definite answer: " + reply);
            });

    @AfterEach
    void close() {
        shop.close();
    }

    @Test
    void decline_isRecordedAndReplayedEqual() {
        var declined = shop.charge().calling((order, attempt) -> {
            shop.calls.incrementAndGet();
            throw new DeclinedException("insufficient funds \u20ac");
        });

        var first = Failures.declined(() -> declined.execute(ORDER));
        var second = Failures.declined(() -> declined.execute(ORDER));

        assertThat(second.reason()).isEqualTo(first.reason()).isEqualTo("insufficient funds \u20ac");
        assertThat(second.key()).isEqualTo(first.key()).isEqualTo(Shop.KEY);
        assertThat(second).isNotSameAs(first).hasMessage(first.getMessage());
        assertThat(first).hasMessageNotContaining("funds");
        assertThat(shop.calls).hasValue(1);
        assertThat(shop.record().state()).isEqualTo(State.COMPLETED);
        assertThat(shop.events.types()).contains(Type.DECLINED, Type.REPLAYED).doesNotContain(Type.COMPLETED);
    }

    @Test
    void override_approved_opensAGenerationWithItsOwnNativeKeyAndEffect() {
        charge.execute(ORDER);
        String firstKey = shop.record().nativeKey();
        Failures.mismatch(() -> charge.execute(CHANGED));

        shop.override(charge, CHANGED);

        Failures.mismatch(() -> charge.execute(ORDER));
        assertThat(charge.execute(CHANGED).amount()).isEqualTo(250);
        assertThat(charge.execute(CHANGED)).isEqualTo(charge.execute(CHANGED));
        Failures.mismatch(() -> charge.execute(ORDER));
        assertThat(shop.record().generation()).isEqualTo(2);
        assertThat(shop.record().nativeKey()).isNotEqualTo(firstKey);
        assertThat(ledger.effectsOf("o-1")).extracting(Effect::payload).containsExactly("100", "250");
        assertThat(ledger.duplicateKeys()).isEmpty();
        assertThat(shop.record().evidence()).singleElement().satisfies(line -> {
            assertThat(line.kind()).isEqualTo(Evidence.Kind.OVERRIDE);
            assertThat(line.detail()).contains("ann", "bob", "wrong amount");
            assertThat(line.result()).isNotNull();
        });
        assertThat(shop.events.types()).contains(Type.OVERRIDDEN);
    }

    @Test
    void mismatch_offered_isWhatAnOverrideLetsTakeOver() {
        charge.execute(ORDER);
        var mismatch = Failures.mismatch(() -> charge.execute(CHANGED));
        assertThat(mismatch.offered()).isEqualTo(charge.fingerprintOf(CHANGED));

        var admin = shop.admin();
        var wish = admin.requestOverride(mismatch.key(), shop.record().version(), mismatch.offered(), Shop.by("ann"));
        admin.approveOverride(wish.key(), wish.id(), Shop.by("bob"));

        assertThat(charge.execute(CHANGED).amount()).isEqualTo(250);
    }

    @Test
    void override_ofAnotherWish_makesTheFirstVoid() {
        charge.execute(ORDER);
        var reviewed = shop.requestOverride(charge, CHANGED, "ann");
        shop.override(charge, new Order("o-1", 7));

        assertThatThrownBy(() -> shop.admin().approveOverride(reviewed.key(), reviewed.id(), Shop.by("bob")))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("review it again");
        Failures.mismatch(() -> charge.execute(CHANGED));
        assertThat(charge.execute(new Order("o-1", 7)).amount()).isEqualTo(7);
    }
}
