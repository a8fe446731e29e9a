package dev.idempotency.testkit.app;

import dev.idempotency.Guarantee;
import dev.idempotency.Operation;
import java.util.Objects;

/**
 * Breaks a build when a change of settings lowers what an operation guarantees.
 *
 * @since 0.1.0
 */
public final class GuaranteeAssert {
    private GuaranteeAssert() {}

    /**
     * Asserts that an operation guarantees a level, or a stronger one.
     *
     * @param operation as the application builds it
     * @param atLeast the weakest level that will do
     * @throws MistakeError if it guarantees less; says what it guarantees, on what conditions
     */
    public static void assertLevel(Operation<?, ?> operation, Guarantee.Level atLeast) {
        assertLevel(operation.explain(), atLeast);
    }

    /**
     * Asserts that a guarantee is of a level, or of a stronger one.
     *
     * @param guarantee such as {@link Operation.Builder#explain()} gives
     * @param atLeast the weakest level that will do
     * @throws MistakeError if it is weaker; says what it is, and on what conditions
     */
    public static void assertLevel(Guarantee guarantee, Guarantee.Level atLeast) {
        Objects.requireNonNull(atLeast, "atLeast");
        if (guarantee.level().compareTo(atLeast) > 0) {
            throw new MistakeError(
                    Mistake.LEVEL_TOO_LOW,
                    "wanted was at least level " + atLeast + " (" + atLeast.title() + "), and it is\n" + guarantee);
        }
    }
}
