package dev.idempotency;

import java.util.Objects;

/**
 * Says what a failure of the call means. When in doubt, {@link FailureClass#AMBIGUOUS}: an exception is not proof that
 * nothing happened. {@link DeclinedException} and {@link NotExecutedException} are understood without a classifier.
 *
 * <p>Must be thread-safe. One that throws or returns null is taken to have said ambiguous.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface FailureClassifier {
    /**
     * Classifies a failure.
     *
     * @param failure what the call threw, or what its stage failed with, without wrapping
     *     {@code CompletionException}s
     * @return what it says about the write
     */
    FailureClass classify(Throwable failure);

    /**
     * The classifier that knows nothing: every failure is ambiguous. The default.
     *
     * @return a classifier that never frees a key
     */
    static FailureClassifier conservative() {
        return failure -> FailureClass.AMBIGUOUS;
    }

    /**
     * This classifier with one more rule, which is asked first.
     *
     * @param type the failures that the rule is for
     * @param failureClass what such a failure says
     * @return a new classifier
     * @throws NullPointerException if an argument is null
     */
    default FailureClassifier on(Class<? extends Throwable> type, FailureClass failureClass) {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(failureClass, "failureClass");
        return failure -> type.isInstance(failure) ? failureClass : classify(failure);
    }
}
