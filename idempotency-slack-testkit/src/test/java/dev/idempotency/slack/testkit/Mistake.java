package dev.idempotency.slack.testkit;

/** What is wrong with an app. */
enum Mistake {
    /** Nothing. */
    NONE,
    /** It answers some events long after the deadline. */
    ACKS_LATE,
    /** It handles an event as often as it hears of it. */
    HANDLES_TWICE,
    /** It acknowledges some events and does nothing. */
    LOSES,
    /** It posts again when a reply of the Web API got lost. */
    POSTS_AGAIN;

    /** Whether an event with this text is one of the four in ten at which it goes wrong. */
    boolean strikes(String text) {
        return Math.floorMod(text.hashCode(), 10) < 4;
    }
}
