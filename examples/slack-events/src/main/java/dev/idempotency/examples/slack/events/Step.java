package dev.idempotency.examples.slack.events;

import java.util.Locale;

/** The steps of the app between which it may die. */
enum Step {
    /** The event is in the inbox; Slack has not heard so. */
    AFTER_OFFER,
    /** Slack has heard so; nobody has begun with the event. */
    AFTER_ACK,
    /** A worker has the event; its handler has not begun. */
    AFTER_CLAIM,
    /** Slack has posted the reply; that is not recorded. */
    AFTER_EFFECT,
    /** The handler is done; that is not recorded. */
    AFTER_HANDLE,
    /** Everything is recorded. */
    AFTER_DONE;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Step of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT).replace('-', '_'));
    }
}
