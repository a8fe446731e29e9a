package dev.idempotency.testkit.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.process.CrashAudit.Told;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The judge of the crash matrix must be able to condemn. */
final class CrashAuditTest {
    private final CrashAudit audit = new CrashAudit();

    private static Effect effect(String name, long amount) {
        return new Effect(name, null, "a", "{\"amount\":" + amount + "}", Instant.EPOCH, name);
    }

    private static IdempotencyRecord row(State state, String result) {
        return new IdempotencyRecord(
                new IdempotencyKey("hold", "a"),
                1,
                null,
                state,
                1,
                AttemptToken.random(),
                1,
                "n",
                new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null),
                result == null
                        ? null
                        : new StoredResult(StoredResult.Kind.RESULT, "json", result.getBytes(StandardCharsets.UTF_8)),
                null,
                List.of(),
                Times.UNSET);
    }

    private static IdempotencyRecord completed(String effect) {
        return row(State.COMPLETED, "{\"effect\":\"" + effect + "\",\"order\":\"a\",\"amount\":5}");
    }

    private void audit(List<Effect> effects, List<Told> told, IdempotencyRecord row, boolean listed) {
        audit.audit("a", List.of(5L), effects, told, row, listed, false);
    }

    private void assertFigures(int duplicates, int lost, int inDoubt, int unlisted) {
        assertThat(List.of(audit.duplicates(), audit.lost(), audit.inDoubt(), audit.unlisted()))
                .as(audit.findings().toString())
                .containsExactly(duplicates, lost, inDoubt, unlisted);
        assertThat(audit.findings().isEmpty()).isEqualTo(duplicates + lost + unlisted == 0);
    }

    @Test
    void audit_ofAnOrderPaidOnce_findsNothing() {
        audit(List.of(effect("e1", 5)), List.of(new Told(5, "e1"), new Told(5, "e1")), completed("e1"), false);
        assertFigures(0, 0, 0, 0);
    }

    @Test
    void audit_ofTwoEffects_isADuplicate() {
        audit(List.of(effect("e1", 5), effect("e2", 5)), List.of(), completed("e1"), false);
        assertFigures(1, 0, 0, 0);
    }

    @Test
    void audit_ofAnEffectOfAnotherPayload_isADuplicate() {
        audit(List.of(effect("e1", 5), effect("e2", 6)), List.of(), completed("e1"), false);
        assertFigures(1, 0, 0, 0);
    }

    @Test
    void audit_ofAnAnswerWithoutItsEffect_isLost() {
        audit(List.of(effect("e1", 5)), List.of(new Told(5, "e9")), row(State.IN_DOUBT, null), true);
        assertFigures(0, 1, 1, 0);
    }

    @Test
    void audit_ofARowWithoutItsEffect_isLost() {
        audit(List.of(), List.of(), completed("e1"), false);
        assertFigures(0, 1, 0, 0);
    }

    @Test
    void audit_ofARowThatSaysOtherThanTheCallerWasTold_isLost() {
        audit(List.of(effect("e1", 5)), List.of(new Told(5, "closed")), completed("e1"), false);
        assertFigures(0, 2, 0, 0);
    }

    @Test
    void audit_ofTwoAnswers_isLost() {
        audit(List.of(effect("e1", 5)), List.of(new Told(5, "e1"), new Told(5, "e2")), completed("e1"), false);
        assertThat(audit.lost()).isPositive();
    }

    @Test
    void audit_ofAClosedRowWithAnEffect_isLost() {
        audit(List.of(effect("e1", 5)), List.of(), row(State.CLOSED, null), false);
        assertFigures(0, 1, 0, 0);
    }

    @Test
    void audit_ofADoubtThatIsListed_isADoubt() {
        audit(List.of(effect("e1", 5)), List.of(), row(State.IN_DOUBT, null), true);
        assertFigures(0, 0, 1, 0);
    }

    @Test
    void audit_ofADoubtThatNobodyCanSee_isUnlisted() {
        audit(List.of(), List.of(), row(State.IN_FLIGHT, null), false);
        assertFigures(0, 0, 1, 1);
    }

    @Test
    void audit_ofAnEffectWithoutARow_isUnlisted() {
        audit(List.of(effect("e1", 5)), List.of(), null, false);
        assertFigures(0, 0, 0, 1);
    }

    @Test
    void cells_ofThePoints_coverAllOfThem() {
        assertThat(CrashCell.all(true)).extracting(CrashCell::point).contains(CrashPoint.values());
        assertThat(CrashCell.all(true)).doesNotHaveDuplicates();
    }
}
