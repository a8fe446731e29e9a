package dev.idempotency.slack.testkit;

import java.util.Locale;

/** What can go wrong with a call of the Web API. */
enum PostFault {
    /** Nothing. */
    NONE,
    /** Posted; the connection ends in the middle of the answer. */
    REPLY_CUT,
    /** Posted; the answer comes when nobody waits for it any more. */
    REPLY_SLOW,
    /** Answered 500; nothing was posted. */
    ERROR_BEFORE,
    /** Answered 500; it was posted. */
    ERROR_AFTER,
    /** Posted; answered with {@code fatal_error}, of which Slack says that some of it may have happened. */
    FATAL_AFTER,
    /** Posted; answered with {@code internal_error}. */
    INTERNAL_AFTER,
    /** Answered 429 with {@code Retry-After}; nothing was posted. */
    RATE_LIMITED,
    /** A lookup, answered 500. */
    LOOKUP_ERROR,
    /** A lookup, answered 429 with {@code Retry-After}. */
    LOOKUP_RATE_LIMITED;

    boolean isOfLookups() {
        return this == LOOKUP_ERROR || this == LOOKUP_RATE_LIMITED;
    }

    /** Its name in a list of faults, such as {@code reply-cut}. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
