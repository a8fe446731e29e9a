package dev.idempotency.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord.Builder;
import dev.idempotency.store.IdempotencyRecord.Times;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class IdempotencyRecordTest {
    private static final Instant NOW = Instant.parse("2026-03-04T05:06:07.000000008Z");
    private static final Evidence LINE = new Evidence(Evidence.Kind.RESENT, NOW, 1, "as attempt 2", null);

    static IdempotencyRecord record() {
        return new IdempotencyRecord(
                new IdempotencyKey("charge", "order-1"),
                2,
                new Fingerprint(Fingerprint.JCS_SHA256, "aa"),
                State.IN_FLIGHT,
                7,
                new AttemptToken("0".repeat(32)),
                3,
                "native-secret",
                new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null),
                null,
                null,
                List.of(LINE),
                new Times(NOW, NOW, NOW, NOW, NOW, NOW));
    }

    private static IdempotencyRecord with(UnaryOperator<Builder> change) {
        return change.apply(record().with()).build();
    }

    // ---- builder

    @Test
    void with_nothing_isEqual() {
        assertThat(record().with().build()).isEqualTo(record()).hasSameHashCodeAs(record());
    }

    @Test
    void with_eachField_changesThatFieldAlone() {
        var result = new StoredResult(StoredResult.Kind.RESULT, "json", new byte[] {1});
        var terms = new RecoveryTerms(RecoveryTerms.Policy.SEAL, RecoveryTerms.WhenMissing.CLOSE, null, null);
        var token = new AttemptToken("1".repeat(32));

        assertThat(with(b -> b.generation(9)).generation()).isEqualTo(9);
        assertThat(with(b -> b.fingerprint(null)).fingerprint()).isNull();
        assertThat(with(b -> b.state(State.CLOSED)).state()).isEqualTo(State.CLOSED);
        assertThat(with(b -> b.version(9)).version()).isEqualTo(9);
        assertThat(with(b -> b.token(token)).token()).isEqualTo(token);
        assertThat(with(b -> b.attempt(9)).attempt()).isEqualTo(9);
        assertThat(with(b -> b.nativeKey("other")).nativeKey()).isEqualTo("other");
        assertThat(with(b -> b.terms(terms)).terms()).isEqualTo(terms);
        assertThat(with(b -> b.result(result)).result()).isEqualTo(result);
        assertThat(with(b -> b.evidence(List.of())).evidence()).isEmpty();
        assertThat(with(b -> b.times(Times.UNSET)).times()).isEqualTo(Times.UNSET);
        for (UnaryOperator<Builder> there : List.<UnaryOperator<Builder>>of(
                b -> b.generation(9),
                b -> b.fingerprint(null),
                b -> b.state(State.CLOSED),
                b -> b.version(9),
                b -> b.token(token),
                b -> b.attempt(9),
                b -> b.nativeKey("other"),
                b -> b.terms(terms),
                b -> b.result(result),
                b -> b.evidence(List.of()),
                b -> b.times(Times.UNSET))) {
            var original = record();
            assertThat(there.apply(with(there)
                                    .with()
                                    .generation(original.generation())
                                    .fingerprint(original.fingerprint())
                                    .state(original.state())
                                    .version(original.version())
                                    .token(original.token())
                                    .attempt(original.attempt())
                                    .nativeKey(original.nativeKey())
                                    .terms(original.terms())
                                    .result(original.result())
                                    .evidence(original.evidence())
                                    .times(original.times()))
                            .build())
                    .isEqualTo(with(there))
                    .isNotEqualTo(original);
        }
    }

    @Test
    void record_isImmutable() {
        var lines = new ArrayList<>(List.of(LINE));
        var record = with(b -> b.evidence(lines));
        lines.clear();

        assertThat(record.evidence()).containsExactly(LINE);
        assertThat(record.evidence()).isUnmodifiable();
    }

    @Test
    void record_ofNumbersBelowOne_isRefused() {
        for (UnaryOperator<Builder> bad : List.<UnaryOperator<Builder>>of(
                b -> b.generation(0),
                b -> b.version(0),
                b -> b.attempt(0),
                b -> b.generation(-1),
                b -> b.version(Long.MIN_VALUE),
                b -> b.attempt(-1))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> with(bad))
                    .withMessage("generation, version and attempt must be at least 1");
        }
        assertThat(with(b -> b.generation(1).version(1).attempt(1)).version()).isEqualTo(1);
    }

    @Test
    void record_withoutAField_isRefusedByName() {
        refusedNull("state", b -> b.state(null));
        refusedNull("token", b -> b.token(null));
        refusedNull("nativeKey", b -> b.nativeKey(null));
        refusedNull("terms", b -> b.terms(null));
        refusedNull("times", b -> b.times(null));
        refusedNull("evidence", b -> b.evidence(null));
        assertThatNullPointerException()
                .isThrownBy(() -> new IdempotencyRecord(
                        null,
                        1,
                        null,
                        State.OPEN,
                        1,
                        record().token(),
                        1,
                        "native",
                        record().terms(),
                        null,
                        null,
                        List.of(),
                        Times.UNSET))
                .withMessage("key");
    }

    private static void refusedNull(String name, UnaryOperator<Builder> change) {
        assertThatNullPointerException().isThrownBy(() -> with(change)).withMessage(name);
    }

    @Test
    void times_withoutAnInstant_areRefusedByName_butForTheLease() {
        assertThatNullPointerException()
                .isThrownBy(() -> new Times(null, NOW, NOW, null, NOW, NOW))
                .withMessage("createdAt");
        assertThatNullPointerException()
                .isThrownBy(() -> new Times(NOW, null, NOW, null, NOW, NOW))
                .withMessage("firstSentAt");
        assertThatNullPointerException()
                .isThrownBy(() -> new Times(NOW, NOW, null, null, NOW, NOW))
                .withMessage("stateSince");
        assertThatNullPointerException()
                .isThrownBy(() -> new Times(NOW, NOW, NOW, null, null, NOW))
                .withMessage("expiresAt");
        assertThatNullPointerException()
                .isThrownBy(() -> new Times(NOW, NOW, NOW, null, NOW, null))
                .withMessage("forgetAt");
        assertThat(new Times(NOW, NOW, NOW, null, NOW, NOW).leaseUntil()).isNull();
    }

    // ---- the same write

    @Test
    void sameWrite_isSameKeyTokenAndVersion() {
        assertThat(record().isSameWriteAs(record())).isTrue();
        assertThat(record().isSameWriteAs(with(b -> b.state(State.CLOSED).nativeKey("other"))))
                .isTrue();
        assertThat(record().isSameWriteAs(null)).isFalse();
        assertThat(record().isSameWriteAs(with(b -> b.version(8)))).isFalse();
        assertThat(record().isSameWriteAs(with(b -> b.token(new AttemptToken("1".repeat(32))))))
                .isFalse();
        var otherKey = new IdempotencyRecord(
                new IdempotencyKey("charge", "order-2"),
                2,
                null,
                State.OPEN,
                7,
                record().token(),
                3,
                "native",
                record().terms(),
                null,
                null,
                List.of(),
                Times.UNSET);
        assertThat(record().isSameWriteAs(otherKey)).isFalse();
    }

    // ---- times, to the nanosecond

    @ParameterizedTest
    @EnumSource(State.class)
    void lapsed_isARecordInFlightWhoseLeaseEnds(State state) {
        var record = with(b -> b.state(state).times(new Times(NOW, NOW, NOW, NOW, NOW, NOW)));

        assertThat(record.isLapsed(NOW.minusNanos(1))).isFalse();
        assertThat(record.isLapsed(NOW)).isEqualTo(state == State.IN_FLIGHT);
        assertThat(record.isLapsed(NOW.plusNanos(1))).isEqualTo(state == State.IN_FLIGHT);
    }

    @Test
    void lapsed_isNoRecordWithoutALease() {
        assertThat(with(b -> b.times(Times.UNSET)).isLapsed(NOW)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(State.class)
    void expiredAndForgettable_isNoUnresolvedRecord(State state) {
        var later = NOW.plusSeconds(1);
        var record = with(b -> b.state(state).times(new Times(NOW, NOW, NOW, null, NOW, later)));

        assertThat(record.isExpired(NOW.minusNanos(1))).isFalse();
        assertThat(record.isExpired(NOW)).isEqualTo(!state.isUnresolved());
        assertThat(record.isForgettable(later.minusNanos(1))).isFalse();
        assertThat(record.isForgettable(later)).isEqualTo(!state.isUnresolved());
    }

    @Test
    void states_areUnresolvedTerminalOrOpen() {
        assertThat(State.values()).filteredOn(State::isUnresolved).containsExactly(State.IN_FLIGHT, State.IN_DOUBT);
        assertThat(State.values()).filteredOn(State::isTerminal).containsExactly(State.COMPLETED, State.CLOSED);
    }

    @Test
    void toString_namesKeyAndState_butNeitherNativeKeyNorResult() {
        assertThat(record())
                .hasToString("IdempotencyRecord[charge:order-1, IN_FLIGHT, generation 2, attempt 3, version 7]");
    }
}
