package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.idempotency.DeclinedException;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.State;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.Submission;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

        charge.approveOverride(charge.requestOverride(CHANGED, "ann", "wrong amount"), "bob");

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

    @ParameterizedTest
    @ValueSource(strings = {"ann", "Ann", "ANN", " ann", "ann  "})
    void override_approvedByWhoAskedForIt_isRefused(String approver) {
        charge.execute(ORDER);
        var override = charge.requestOverride(CHANGED, "Ann ", "wrong amount");

        assertThatIllegalArgumentException().isThrownBy(() -> charge.approveOverride(override, approver));
        Failures.mismatch(() -> charge.execute(CHANGED));
    }

    @Test
    void override_approvedThroughAnotherOperation_isRefused() {
        charge.execute(ORDER);
        var override = charge.requestOverride(CHANGED, "ann", "wrong amount");
        var other = shop.another()
                .operation("refund", Order.class, Receipt.class)
                .key(Order::id)
                .calling(shop.working());

        assertThatIllegalArgumentException()
                .isThrownBy(() -> other.approveOverride(override, "bob"))
                .withMessageContaining("not a key of operation 'refund'");
        Failures.mismatch(() -> charge.execute(CHANGED));
    }

    @Test
    void override_approvedTwice_isRefusedAndChangesNothing() {
        charge.execute(ORDER);
        var override = charge.requestOverride(CHANGED, "ann", "wrong amount");
        charge.approveOverride(override, "bob");
        var once = shop.record();

        assertThatIllegalStateException().isThrownBy(() -> charge.approveOverride(override, "bob"));
        assertThatIllegalStateException().isThrownBy(() -> charge.approveOverride(override, "eve"));

        assertThat(shop.record()).isEqualTo(once);
        charge.execute(CHANGED);
        assertThatIllegalStateException().isThrownBy(() -> charge.approveOverride(override, "bob"));
        assertThat(ledger.count()).isEqualTo(2);
    }

    @Test
    void override_recordChangedSinceItsReview_isRefused() {
        charge.execute(ORDER);
        var reviewed = charge.requestOverride(CHANGED, "ann", "wrong amount");
        charge.approveOverride(charge.requestOverride(new Order("o-1", 7), "carl", "another wish"), "bob");

        assertThatIllegalStateException()
                .isThrownBy(() -> charge.approveOverride(reviewed, "bob"))
                .withMessageContaining("review it again");
        Failures.mismatch(() -> charge.execute(CHANGED));
        assertThat(charge.execute(new Order("o-1", 7)).amount()).isEqualTo(7);
    }

    @Test
    void override_ofTheRecordedPayload_isRefused() {
        charge.execute(ORDER);

        assertThatIllegalArgumentException().isThrownBy(() -> charge.requestOverride(ORDER, "ann", "why not"));
    }

    @Test
    void override_ofAnUnknownKey_isRefused() {
        assertThatIllegalStateException().isThrownBy(() -> charge.requestOverride(ORDER, "ann", "why not"));
    }

    @Test
    void override_whileInFlight_isRefused() throws Throwable {
        var answer = new CountDownLatch(1);
        var held = shop.charge().calling((order, attempt) -> {
            Eventually.opens(answer);
            return new Receipt("e", order.amount());
        });
        var owner = shop.submit(() -> held.execute(ORDER));
        shop.events.await(Type.CALLING);

        assertThatIllegalStateException().isThrownBy(() -> held.requestOverride(CHANGED, "ann", "why not"));
        answer.countDown();
        Eventually.get(owner);
    }

    @Test
    void override_whileInDoubt_isRefused() {
        var lost = shop.charge().calling((order, attempt) -> {
            throw new IOException("reset");
        });
        Failures.inDoubt(() -> lost.execute(ORDER));

        assertThatIllegalStateException().isThrownBy(() -> lost.requestOverride(CHANGED, "ann", "why not"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a\nb"})
    void override_namesAndReasonsThatAreNone_areRefused(String text) {
        charge.execute(ORDER);
        var override = charge.requestOverride(CHANGED, "ann", "wrong amount");

        assertThatIllegalArgumentException().isThrownBy(() -> charge.requestOverride(CHANGED, text, "reason"));
        assertThatIllegalArgumentException().isThrownBy(() -> charge.requestOverride(CHANGED, "ann", text));
        assertThatIllegalArgumentException().isThrownBy(() -> charge.approveOverride(override, text));
    }
}
