package dev.idempotency;

import static dev.idempotency.Standing.DECLINE;
import static dev.idempotency.Standing.FINGERPRINT;
import static dev.idempotency.Standing.NEW;
import static dev.idempotency.Standing.NOW;
import static dev.idempotency.Standing.OTHER_FINGERPRINT;
import static dev.idempotency.Standing.OTHER_TERMS;
import static dev.idempotency.Standing.OWN;
import static dev.idempotency.Standing.QUIESCENCE;
import static dev.idempotency.Standing.RESULT;
import static dev.idempotency.Standing.SPANS;
import static dev.idempotency.Standing.STALE;
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
    void completedWithoutAResult_theAttemptsOwnResultComesLate_isGivenOutFromThenOn() {
        var decision = machine.decide(completedWithoutAResult(), Standing.complete(OWN, RESULT), NOW);

        assertThat(decision.alarm()).isNull();
        IdempotencyRecord after = decision.toWrite().at(NOW);
        assertThat(after.state()).isEqualTo(State.COMPLETED);
        assertThat(after.result()).isEqualTo(RESULT);
        assertThat(machine.decide(after, Standing.reserve(FINGERPRINT, NEW), NOW)
                        .reason())
                .isEqualTo(Decision.Reason.REPLAY);
    }

    @Test
    void completedWithoutAResult_theAttemptsOwnDeclineComesLate_isAConflict() {
        var decision = machine.decide(completedWithoutAResult(), Standing.complete(OWN, DECLINE), NOW);

        assertThat(decision.alarm()).isEqualTo(IdempotencyEvent.Type.CONFLICT);
        assertThat(lastLine(decision).result()).isEqualTo(DECLINE);
    }

    @Test
    void completedWithoutAResult_aSupersededAttemptsResult_isKeptAndNoAlarm() {
        var decision = machine.decide(completedWithoutAResult(), Standing.complete(STALE, RESULT), NOW);

        assertThat(decision.verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(decision.alarm()).isNull();
        assertThat(lastLine(decision).result()).isEqualTo(RESULT);
    }

    @Test
    void completedWithoutAResult_andThenOverridden_theOldResultComesLate_isNoContradiction() {
        var doubt = in(State.IN_DOUBT).with().generation(1).build();
        IdempotencyRecord ran = machine.decide(doubt, found(), NOW).toWrite().at(NOW);
        IdempotencyRecord overridden = machine.decide(
                        ran, new Event.Overrule(ran.version(), OWN, OTHER_FINGERPRINT, "two", "amount", SPANS), NOW)
                .toWrite()
                .at(NOW);

        var late = new Event.Complete(OWN, 1, 2, RESULT, SPANS);
        var decision = machine.decide(overridden, late, NOW);

        assertThat(decision.alarm()).isNull();
        assertThat(lastLine(decision).result()).isEqualTo(RESULT);
        var declined = new Event.Complete(OWN, 1, 2, DECLINE, SPANS);
        assertThat(machine.decide(overridden, declined, NOW).alarm()).isEqualTo(IdempotencyEvent.Type.DUPLICATE);
    }

    @Test
    void closed_andThenOverridden_theOldResultComesLate_isAContradiction() {
        var doubt = since(NOW.minus(QUIESCENCE), in(State.IN_DOUBT))
                .with()
                .generation(1)
                .build();
        IdempotencyRecord closed =
                machine.decide(doubt, close(Duration.ZERO), NOW).toWrite().at(NOW);
        IdempotencyRecord first = machine.decide(
                        closed,
                        new Event.Overrule(closed.version(), OWN, OTHER_FINGERPRINT, "two", "amount", SPANS),
                        NOW)
                .toWrite()
                .at(NOW);

        var late = new Event.Complete(OWN, 1, 2, RESULT, SPANS);
        assertThat(machine.decide(first, late, NOW).alarm()).isEqualTo(IdempotencyEvent.Type.CONTRADICTION);
    }

    private static IdempotencyRecord completedWithoutAResult() {
        return in(State.COMPLETED).with().result(null).build();
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
