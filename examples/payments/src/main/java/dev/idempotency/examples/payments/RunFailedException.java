package dev.idempotency.examples.payments;

/** A run that cannot go on; the message says why. */
final class RunFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    RunFailedException(String message) {
        super(message);
    }

    /** Of a server that does not do what is needed of it. */
    static RunFailedException of(String what, Throwable failure) {
        String cause =
                failure.getCause() == null ? "" : "; " + failure.getCause().getMessage();
        return new RunFailedException(what + ": " + failure.getMessage() + cause);
    }
}
