package com.example.labels;

import dev.idempotency.FailureClassifier;
import dev.idempotency.testkit.junit.FailureClassifierContract;
import java.util.List;

// tag::failures[]
/** Nothing ambiguous is called definite. */
class LabelFailuresTest extends FailureClassifierContract {
    @Override
    protected FailureClassifier classifier() {
        return Labels.failures();
    }

    @Override
    protected Throwable status(int status) {
        return new Carrier.StatusException(status);
    }

    @Override
    protected List<Integer> notExecuted() {
        return List.of(429); // "rate limited before the request was read", says the carrier's documentation
    }
}
// end::failures[]
