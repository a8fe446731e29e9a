package dev.idempotency.testkit.process;

/**
 * The points at which a process may die, in the order of an execution. Between any two of them another process sees the same
 * as if it had died at one of them.
 *
 * <p>{@link CrashHooks} reports most of them around an unchanged engine; those inside a request are reported by the client that
 * makes it, or held at a gate of the {@link ProviderProcess}.
 *
 * @since 0.1.0
 */
public enum CrashPoint {
    /** Before the key is reserved. */
    CP01_BEFORE_RESERVE,
    /** The reservation is written, and this process has not heard of it. */
    CP02_RESERVE_WITHOUT_REPLY,
    /** Reserved; the last check before the call is still to come. */
    CP03_RESERVED,
    /** Checked; not a byte of the request is out. */
    CP04_CHECKED,
    /** A part of the request is out. */
    CP05_PART_OF_REQUEST,
    /** The provider has the request, and has done nothing yet. */
    CP06_BEFORE_EFFECT,
    /** The provider has done it, and not a byte of the response is out. */
    CP07_BEFORE_RESPONSE,
    /** A part of the response is out. */
    CP08_PART_OF_RESPONSE,
    /** The response is here, and has not been read. */
    CP09_BEFORE_DECODE,
    /** The result is known, and not recorded. */
    CP10_BEFORE_RECORD,
    /** The result is recorded, and this process has not heard of it. */
    CP11_RECORD_WITHOUT_REPLY,
    /** The result is recorded, and the caller has not been told. */
    CP12_BEFORE_ANSWER,
    /** While the lease is being renewed. */
    CP13_RENEWAL,
    /** A lapsed attempt is in doubt, and the provider has not been asked. */
    CP14_LAPSED,
    /** The provider has been found to have the write, and that is not recorded. */
    CP15_FOUND,
    /** The provider has been found to have nothing, and what follows is not written. */
    CP16_MISSING,
    /** Written that the call is made again; nothing is sent. */
    CP17_REEXECUTED,
    /** Written that the same native key is sent again; nothing is sent. */
    CP18_RESENT,
    /** The provider has sealed the attempt, and its answer has not been read. */
    CP19_SEALED,
    /** A person's decision has been checked against the record, and is not written. */
    CP20_DECISION_READ,
    /** A person has reviewed an override, and nobody has approved it. */
    CP21_OVERRIDE_REVIEWED,
    /** In the middle of a purge. */
    CP22_PURGE,
    /** Known that nothing was sent, and the key is not released. */
    CP23_BEFORE_RELEASE,
    /** The call has failed, and the key is not marked as in doubt. */
    CP24_BEFORE_MARK_IN_DOUBT;

    /**
     * The short name.
     *
     * @return such as {@code CP07}
     */
    public String id() {
        return name().substring(0, 4);
    }
}
