package dev.idempotency;

import static dev.idempotency.Standing.*;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.ConflictTable.Meeting;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the conflict table against {@code docs/conflict-table.md}, and each row against a real record. */
final class ConflictTableTest {
    private static final List<List<String>> TABLE =
            MarkdownTable.rows("conflict-table.md", "Existing record", "Same fingerprint", "Other fingerprint");

    @Test
    void table_equalsTheCode() {
        assertThat(TABLE)
                .containsExactlyElementsOf(Arrays.stream(ConflictTable.values())
                        .map(row -> List.of(row.existing, row.sameFingerprint.name(), row.otherFingerprint.name()))
                        .toList());
    }

    @Test
    void guide_explainsEveryMeeting() {
        var rows = MarkdownTable.rows("conflict-table.md", "Meeting", "What happens", "What the caller gets");

        assertThat(rows.stream().map(row -> row.get(0)))
                .containsExactlyElementsOf(
                        Arrays.stream(Meeting.values()).map(Meeting::name).toList());
    }

    static Stream<Arguments> standingRecords() {
        return Stream.of(
                Arguments.of("none, released, or expired and forgotten", null),
                Arguments.of("none, released, or expired and forgotten", in(State.OPEN)),
                Arguments.of("none, released, or expired and forgotten", forgettable(in(State.OPEN))),
                Arguments.of("none, released, or expired and forgotten", forgettable(reopened(FINGERPRINT))),
                Arguments.of("none, released, or expired and forgotten", forgettable(in(State.COMPLETED))),
                Arguments.of("none, released, or expired and forgotten", forgettable(in(State.CLOSED))),
                Arguments.of("opened by an override", reopened(FINGERPRINT)),
                Arguments.of("opened by an override", expired(reopened(FINGERPRINT))),
                Arguments.of("expired, tombstone kept", expired(in(State.COMPLETED))),
                Arguments.of("IN_FLIGHT, lease left", in(State.IN_FLIGHT)),
                Arguments.of("IN_FLIGHT, lease left", forgettable(in(State.IN_FLIGHT))),
                Arguments.of("IN_FLIGHT, lease lapsed", lapsed(in(State.IN_FLIGHT))),
                Arguments.of("IN_DOUBT", in(State.IN_DOUBT)),
                Arguments.of("IN_DOUBT", forgettable(in(State.IN_DOUBT))),
                Arguments.of("COMPLETED", in(State.COMPLETED)),
                Arguments.of("CLOSED", in(State.CLOSED)),
                Arguments.of("CLOSED", expired(in(State.CLOSED))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("standingRecords")
    void meet_aRecordOfEachRow_isWhatTheTableSays(String existing, IdempotencyRecord record) {
        List<String> row = TABLE.stream()
                .filter(cells -> cells.get(0).equals(existing))
                .findFirst()
                .orElseThrow();

        assertThat(ConflictTable.meet(record, FINGERPRINT, NOW)).hasToString(row.get(1));
        assertThat(ConflictTable.meet(record, OTHER_FINGERPRINT, NOW)).hasToString(row.get(2));
    }

    @Test
    void everyRow_isReachedByARecord() {
        assertThat(standingRecords().map(arguments -> arguments.get()[0]).distinct())
                .containsExactlyInAnyOrderElementsOf(
                        TABLE.stream().map(row -> row.get(0)).toList());
    }

    @Test
    void lease_lapsesAtTheNanosecondAtWhichItEnds() {
        var record = in(State.IN_FLIGHT);
        Instant end = record.times().leaseUntil();

        assertThat(meet(record, end.minus(TICK))).isEqualTo(Meeting.WAIT);
        assertThat(meet(record, end)).isEqualTo(Meeting.EXPIRE);
        assertThat(meet(record, end.plus(TICK))).isEqualTo(Meeting.EXPIRE);
    }

    @Test
    void result_expiresAtTheNanosecondAtWhichItsRetentionEnds() {
        var record = in(State.COMPLETED);
        Instant end = record.times().expiresAt();

        assertThat(meet(record, end.minus(TICK))).isEqualTo(Meeting.REPLAY);
        assertThat(meet(record, end)).isEqualTo(Meeting.RESULT_EXPIRED);
    }

    @ParameterizedTest
    @EnumSource(names = {"COMPLETED", "CLOSED"})
    void record_isForgottenAtTheNanosecondAtWhichItsTombstoneEnds(State state) {
        var record = in(state);
        Instant end = record.times().forgetAt();

        assertThat(meet(record, end.minus(TICK))).isNotEqualTo(Meeting.RESERVE);
        assertThat(meet(record, end)).isEqualTo(Meeting.RESERVE);
        assertThat(ConflictTable.meet(record, OTHER_FINGERPRINT, end.minus(TICK)))
                .isEqualTo(Meeting.MISMATCH);
        assertThat(ConflictTable.meet(record, OTHER_FINGERPRINT, end)).isEqualTo(Meeting.RESERVE);
    }

    @Test
    void record_withoutATombstone_isForgottenWhenItsResultExpires() {
        var record = keptUntil(NOW, NOW, in(State.COMPLETED));

        assertThat(meet(record, NOW.minus(TICK))).isEqualTo(Meeting.REPLAY);
        assertThat(meet(record, NOW)).isEqualTo(Meeting.RESERVE);
    }

    @ParameterizedTest
    @EnumSource(names = {"IN_FLIGHT", "IN_DOUBT"})
    void record_thatIsUnresolved_isNeverForgotten(State state) {
        var record = forgettable(in(state));

        assertThat(meet(record, Instant.MAX)).isNotEqualTo(Meeting.RESERVE);
    }

    @ParameterizedTest
    @EnumSource(State.class)
    void otherPayload_isRefused_whateverTheState(State state) {
        var record = in(state).with().fingerprint(FINGERPRINT).build();

        assertThat(ConflictTable.meet(record, OTHER_FINGERPRINT, NOW)).isEqualTo(Meeting.MISMATCH);
        assertThat(ConflictTable.meet(record, new Fingerprint("other-algorithm", FINGERPRINT.digest()), NOW))
                .isEqualTo(Meeting.MISMATCH);
    }

    private static Meeting meet(IdempotencyRecord record, Instant now) {
        return ConflictTable.meet(record, FINGERPRINT, now);
    }
}
