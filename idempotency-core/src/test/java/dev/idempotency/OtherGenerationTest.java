package dev.idempotency;

import static dev.idempotency.Standing.NOW;
import static dev.idempotency.Standing.OTHER_RESULT;
import static dev.idempotency.Standing.OWN;
import static dev.idempotency.Standing.RESULT;
import static dev.idempotency.Standing.SPANS;
import static dev.idempotency.Standing.in;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An answer that comes after an override belongs to the generation in which it was asked for. */
final class OtherGenerationTest {
    private static final StateMachine MACHINE = new StateMachine();

    @ParameterizedTest
    @EnumSource(State.class)
    void complete_withWhatItsGenerationRecorded_isSupersededWithoutAlarm(State state) {
        Decision decision = MACHINE.decide(after(state, RESULT), complete(RESULT), NOW);

        assertThat(decision).isEqualTo(new Decision(Decision.Verdict.REFUSED, Decision.Reason.SUPERSEDED, null, null));
    }

    @ParameterizedTest
    @EnumSource(State.class)
    void complete_withAnotherResultThanItsGenerationRecorded_isADuplicate(State state) {
        Decision decision = MACHINE.decide(after(state, RESULT), complete(OTHER_RESULT), NOW);

        assertThat(decision.alarm()).isEqualTo(IdempotencyEvent.Type.DUPLICATE);
        assertThat(decision.toWrite().next().state()).isEqualTo(state);
        assertThat(decision.toWrite().next().evidence().get(3).result()).isEqualTo(OTHER_RESULT);
    }

    @ParameterizedTest
    @EnumSource(State.class)
    void complete_whereItsGenerationWasClosed_isAContradiction(State state) {
        Decision decision = MACHINE.decide(after(state, null), complete(RESULT), NOW);

        assertThat(decision.alarm()).isEqualTo(IdempotencyEvent.Type.CONTRADICTION);
    }

    /** Generation 3, after two overrides; the second one kept {@code recorded}. */
    private static IdempotencyRecord after(State state, @Nullable StoredResult recorded) {
        return in(state)
                .with()
                .evidence(List.of(Standing.HISTORY, override(null), override(recorded)))
                .build();
    }

    private static Evidence override(@Nullable StoredResult recorded) {
        return new Evidence(Evidence.Kind.OVERRIDE, NOW, 1, "two people", recorded);
    }

    /** The record still carries the token of the attempt that ended generation 2. */
    private static Event.Complete complete(StoredResult result) {
        return new Event.Complete(OWN, 2, 1, result, SPANS);
    }
}
