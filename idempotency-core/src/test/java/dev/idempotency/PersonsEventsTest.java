package dev.idempotency;

import static dev.idempotency.Standing.NOW;
import static dev.idempotency.Standing.OTHER_TERMS;
import static dev.idempotency.Standing.OWN;
import static dev.idempotency.Standing.QUIESCENCE;
import static dev.idempotency.Standing.RESULT;
import static dev.idempotency.Standing.SPANS;
import static dev.idempotency.Standing.TICK;
import static dev.idempotency.Standing.in;
import static dev.idempotency.Standing.since;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Decision.Verdict;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What differs in the cells of found and close when it is a person who says so. */
final class PersonsEventsTest {
    private final StateMachine machine = new StateMachine();

    private static Event.Close close(@Nullable Duration quiescence) {
        return new Event.Close(OWN, false, quiescence, "ada: says so", SPANS);
    }

    private static Event.Found found() {
        return new Event.Found(OWN, null, "ada: says so", SPANS);
    }

    private static Evidence lastLine(Decision decision) {
        var lines = decision.toWrite().next().evidence();
        return lines.get(lines.size() - 1);
    }

    @Test
    void foundWithoutAResult_inDoubt_completesWithout() {
        var decision = machine.decide(in(State.IN_DOUBT), found(), NOW);

        assertThat(decision.verdict()).isEqualTo(Verdict.CHANGE);
        assertThat(decision.toWrite().next().state()).isEqualTo(State.COMPLETED);
        assertThat(decision.toWrite().next().result()).isNull();
        assertThat(lastLine(decision).kind()).isEqualTo(Evidence.Kind.FOUND);
        assertThat(lastLine(decision).detail()).isEqualTo("ada: says so");
    }

    @Test
    void foundWithoutAResult_completed_contradictsNothing() {
        assertThat(machine.decide(in(State.COMPLETED), found(), NOW))
                .isEqualTo(Decision.same(Decision.Reason.COMPLETED));
    }

    @Test
    void foundWithoutAResult_closed_isAContradictionOnce() {
        var decision = machine.decide(in(State.CLOSED), found(), NOW);

        assertThat(decision.alarm()).isEqualTo(IdempotencyEvent.Type.CONTRADICTION);
        assertThat(lastLine(decision).result()).isNull();
        assertThat(machine.decide(decision.toWrite().at(NOW), found(), NOW).write())
                .isNull();
    }

    @Test
    void completedWithoutAResult_anAnswerThatComesLate_isAConflictAndKept() {
        IdempotencyRecord without = in(State.COMPLETED).with().result(null).build();

        var decision = machine.decide(without, Standing.complete(OWN, RESULT), NOW);

        assertThat(decision.alarm()).isEqualTo(IdempotencyEvent.Type.CONFLICT);
        assertThat(lastLine(decision).result()).isEqualTo(RESULT);
    }

    @Test
    void close_withAQuiescenceOfTheAdmins_countsWhereNoneWasAgreedOn() {
        var held = in(State.IN_DOUBT).with().terms(OTHER_TERMS).build();
        var hour = Duration.ofHours(1);

        assertThat(machine.decide(since(NOW.minus(hour), held), close(hour), NOW)
                        .verdict())
                .isEqualTo(Verdict.CHANGE);
        assertThat(machine.decide(since(NOW.minus(hour).plus(TICK), held), close(hour), NOW)
                        .reason())
                .isEqualTo(Decision.Reason.NOT_QUIESCENT);
        assertThat(machine.decide(since(NOW.minus(hour), held), close(null), NOW)
                        .reason())
                .isEqualTo(Decision.Reason.NOT_QUIESCENT);
    }

    @Test
    void close_withAQuiescenceOfTheAdmins_countsNotWhereOneWasAgreedOn() {
        var agreed = since(NOW.minus(QUIESCENCE).plus(TICK), in(State.IN_DOUBT));

        assertThat(machine.decide(agreed, close(Duration.ZERO), NOW).reason()).isEqualTo(Decision.Reason.NOT_QUIESCENT);
        var decision = machine.decide(since(NOW.minus(QUIESCENCE), agreed), close(Duration.ofDays(9)), NOW);
        assertThat(decision.verdict()).isEqualTo(Verdict.CHANGE);
        assertThat(lastLine(decision).detail()).isEqualTo("ada: says so");
    }
}
