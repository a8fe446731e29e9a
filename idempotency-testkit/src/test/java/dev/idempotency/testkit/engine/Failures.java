package dev.idempotency.testkit.engine;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.idempotency.DeclinedException;
import dev.idempotency.InDoubtException;
import dev.idempotency.InFlightException;
import dev.idempotency.MismatchException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.ResultUnavailableException;
import dev.idempotency.store.StoreException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Runs something that must fail in one certain way, and gives the failure. */
final class Failures {
    private Failures() {}

    static InDoubtException inDoubt(ThrowingCallable run) {
        return failed(InDoubtException.class, run);
    }

    static InFlightException inFlight(ThrowingCallable run) {
        return failed(InFlightException.class, run);
    }

    static MismatchException mismatch(ThrowingCallable run) {
        return failed(MismatchException.class, run);
    }

    static NotExecutedException notExecuted(ThrowingCallable run) {
        return failed(NotExecutedException.class, run);
    }

    static DeclinedException declined(ThrowingCallable run) {
        return failed(DeclinedException.class, run);
    }

    static ResultUnavailableException unavailable(ThrowingCallable run) {
        return failed(ResultUnavailableException.class, run);
    }

    static StoreException store(ThrowingCallable run) {
        return failed(StoreException.class, run);
    }

    static <T extends Throwable> T failed(Class<T> type, ThrowingCallable run) {
        T failure = catchThrowableOfType(type, run);
        if (failure == null) {
            throw new AssertionError("nothing was thrown; " + type.getSimpleName() + " was expected");
        }
        return failure;
    }
}
