package dev.idempotency.benchmarks;

/** What a subject did is not the job, so that its speed says nothing. */
final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;

    RefusedException(String message) {
        super(message);
    }
}
