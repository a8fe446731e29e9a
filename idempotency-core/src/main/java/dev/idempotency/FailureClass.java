package dev.idempotency;

/**
 * What a failure of the call says about the write.
 *
 * @since 0.1.0
 */
public enum FailureClass {
    /** Proof that not one byte of the request left: the key is free again. */
    NOT_SENT,
    /** The provider documents that it refused before execution: the key is free again. */
    NOT_EXECUTED,
    /** Anything else. The write may have happened: the key is in doubt. */
    AMBIGUOUS
}
