package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.store.StoreException;
import java.sql.SQLException;
import java.sql.SQLWarning;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is believed of each answer. */
final class FailuresTest {
    @ParameterizedTest
    @ValueSource(strings = {"23505", "23514", "22001", "25006", "40001", "40P01", "42P01", "53300", "55P03", "57014"})
    void error_thatTheServerRolledBack_isKnownNotToBeWritten(String state) {
        assertThat(Failures.of("replace", new SQLException("x", state)).mayHaveWritten())
                .isFalse();
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"08006", "08003", "57P01", "57P02", "40003", "XX000", "58030", ""})
    void error_thatLeavesTheOutcomeOpen_mayHaveWritten(String state) {
        assertThat(Failures.of("replace", new SQLException("x", state)).mayHaveWritten())
                .isTrue();
    }

    @Test
    void message_ofTheServer_isTheCauseAndNotTheMessage() {
        StoreException failure = Failures.of("reserve", new SQLException("Detail: (card)=(4111)", "23505"));

        assertThat(failure).hasMessageNotContaining("4111").hasCauseInstanceOf(SQLException.class);
    }

    @Test
    void success_withTheWarningOfAnUnreplicatedCommit_mayHaveWritten() {
        var warning = new SQLWarning("canceling wait for synchronous replication due to user request", "01000");

        assertThatThrownBy(() -> Failures.refuseUnreplicated("reserve", warning))
                .isInstanceOfSatisfying(
                        StoreException.class,
                        failure -> assertThat(failure.mayHaveWritten()).isTrue());
    }

    @Test
    void success_withAnotherWarningOrNone_isASuccess() {
        assertThatCode(() -> {
                    Failures.refuseUnreplicated("reserve", null);
                    Failures.refuseUnreplicated("reserve", new SQLWarning("x", "01003"));
                })
                .doesNotThrowAnyException();
    }
}
