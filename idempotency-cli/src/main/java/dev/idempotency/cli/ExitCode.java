package dev.idempotency.cli;

import java.util.Locale;

/** How a command ends, for scripts. The table in {@code docs/operations.md} is held against this. */
enum ExitCode {
    /** The command did what it says. */
    DONE(0),
    /** The act was refused, and changed nothing. */
    REFUSED(1),
    /** The command line is wrong; nothing was asked of the store. */
    USAGE(2),
    /** No record stands for the key. */
    UNKNOWN_KEY(3),
    /** The store failed or must not be used; nothing was written. */
    STORE_FAILED(4),
    /** Nobody confirmed the act; nothing was written. */
    NOT_CONFIRMED(5),
    /** The store failed, and the act may have been written. */
    PERHAPS_WRITTEN(6),
    /** Something that nobody expected. */
    FAULT(7),
    /** Time was over before the store had answered; an act may have been written. */
    NO_ANSWER(8);

    private final int code;

    ExitCode(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    /** As it stands in JSON. */
    String outcome() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
