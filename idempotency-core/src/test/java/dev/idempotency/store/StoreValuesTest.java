package dev.idempotency.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.idempotency.store.RecoveryTerms.Policy;
import dev.idempotency.store.RecoveryTerms.WhenMissing;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** The small values of the store package: what they refuse, and what they allow to be absent. */
final class StoreValuesTest {
    @Test
    void evidence_withoutAKindTimeOrDetail_isRefusedByName() {
        var now = Instant.EPOCH;
        assertThatNullPointerException()
                .isThrownBy(() -> new Evidence(null, now, 1, "", null))
                .withMessage("kind");
        assertThatNullPointerException()
                .isThrownBy(() -> new Evidence(Evidence.Kind.FOUND, null, 1, "", null))
                .withMessage("at");
        assertThatNullPointerException()
                .isThrownBy(() -> new Evidence(Evidence.Kind.FOUND, now, 1, null, null))
                .withMessage("detail");
        assertThat(new Evidence(Evidence.Kind.FOUND, now, 1, "", null).result()).isNull();
    }

    @Test
    void snapshot_withoutATime_isRefused() {
        assertThatNullPointerException()
                .isThrownBy(() -> new Snapshot(false, null, null))
                .withMessage("now");
        assertThat(new Snapshot(false, null, Instant.EPOCH).record()).isNull();
    }

    @Test
    void terms_withoutAPolicy_areRefusedByName() {
        assertThatNullPointerException()
                .isThrownBy(() -> new RecoveryTerms(null, WhenMissing.HOLD, null, null))
                .withMessage("policy");
        assertThatNullPointerException()
                .isThrownBy(() -> new RecoveryTerms(Policy.HOLD, null, null, null))
                .withMessage("whenMissing");
        assertThat(new RecoveryTerms(Policy.HOLD, WhenMissing.HOLD, null, Duration.ZERO).quiescence())
                .isNull();
    }

    @Test
    void storeException_saysWhetherAnotherTryAtOnceMayHelp() {
        var cause = new IOException("no connection");

        assertThat(new StoreException("The store failed", false, null).isRetryable())
                .isTrue();
        assertThat(StoreException.notRetryable("The pool is exhausted", cause))
                .hasMessage("The pool is exhausted")
                .hasCause(cause)
                .satisfies(failure -> assertThat(failure.isRetryable()).isFalse())
                .satisfies(failure -> assertThat(failure.mayHaveWritten()).isFalse());
    }

    @Test
    void storeException_saysWhetherItMayHaveWritten() {
        var cause = new IOException("reset");

        assertThat(new StoreException("The store failed", true, cause).mayHaveWritten())
                .isTrue();
        assertThat(new StoreException("The store failed", false, null).mayHaveWritten())
                .isFalse();
        assertThat(new StoreException("The store failed", true, cause))
                .hasMessage("The store failed")
                .hasCause(cause);
        assertThat(new StoreException("The store failed", true, cause).key()).isNull();
    }
}
