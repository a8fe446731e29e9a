package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.store.StoreException;
import java.sql.SQLException;
import java.sql.SQLWarning;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLWarning;
import org.postgresql.util.ServerErrorMessage;

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

    /** As a proxy before the server may say it. */
    @ParameterizedTest
    @ValueSource(strings = {"", "8", "08P01 "})
    void noConnection_stateOfNoUsualLength_nothingWasSent(String state) {
        var said = new PSQLException(new ServerErrorMessage("SFATAL\0C" + state + "\0Mno more\0"));

        assertThat(Failures.noConnection("reserve", said, true).mayHaveWritten())
                .isFalse();
    }

    @Test
    void noConnection_causesThatGoRoundInACircle_ends() {
        var pool = new SQLException("timeout");
        pool.initCause(new SQLException("closed", pool));

        assertThat(Failures.noConnection("reserve", pool, true)).hasMessageContaining("If the pool is exhausted");
    }

    @Test
    void message_ofTheServer_isTheCauseAndNotTheMessage() {
        StoreException failure = Failures.of("reserve", new SQLException("Detail: (card)=(4111)", "23505"));

        assertThat(failure).hasMessageNotContaining("4111").hasCauseInstanceOf(SQLException.class);
    }

    @Test
    void commit_thatWasCutShortAtTheStandby_isTold() {
        assertThat(Failures.isCutShort(warning("01000", "SyncRepWaitForLSN", "Warten wird abgebrochen")))
                .isTrue();
        assertThat(Failures.isCutShort(warning("57P01", "SyncRepWaitForLSN", "x")))
                .isTrue();
        assertThat(Failures.isCutShort(
                        new SQLWarning("canceling wait for synchronous replication due to user request", "01000")))
                .isTrue();
    }

    /** A trigger that says RAISE WARNING must not make every write one whose outcome is unknown. */
    @Test
    void warning_ofATrigger_saysNothingOfTheCommit() {
        assertThat(Failures.isCutShort(warning("01000", "exec_stmt_raise", "low stock")))
                .isFalse();
        assertThat(Failures.isCutShort(new SQLWarning("x", "01000"))).isFalse();
    }

    private static PSQLWarning warning(String state, String routine, String text) {
        return new PSQLWarning(new ServerErrorMessage("SWARNING\0C" + state + "\0M" + text + "\0R" + routine + "\0"));
    }
}
