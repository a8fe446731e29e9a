package dev.idempotency.examples.payments;

/** A run that cannot go on; the message says why. */
final class RunFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    RunFailedException(String message) {
        super(message);
    }

    /** Of a server that does not do what is needed of it. */
    static RunFailedException of(String what, Throwable failure) {
        Throwable first = failure;
        while (first.getCause() != null) {
            first = first.getCause();
        }
        return new RunFailedException(
                what + ": " + failure.getMessage() + (first == failure ? "" : "; " + first.getMessage()));
    }
}
