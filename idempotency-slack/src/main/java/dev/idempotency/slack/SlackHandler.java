package dev.idempotency.slack;

/**
 * What a consumer does with an event. It may run again for the same event: after a crash, a failure, or when its end could not be
 * recorded. So each write to the outside goes through an {@link dev.idempotency.Operation} whose key is
 * {@link HandlerContext#key}; then a second run finds what the first has done.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface SlackHandler {
    /**
     * Handles an event. Returning means that it is done, and is not called for it again.
     *
     * @param event what Slack has told
     * @param context the keys for what this handler writes
     * @throws dev.idempotency.inbox.UnprocessableException if it will never succeed: the event becomes a dead letter
     * @throws Exception if it failed: it is called again later
     */
    void handle(SlackEvent event, HandlerContext context) throws Exception;

    /**
     * Whether events of different types are different things to this handler, also when they tell of the same message, and come in
     * any order. So it is for an app that has one function for {@code message} and another one for {@code app_mention}: each of
     * them is to hear of the message once.
     *
     * @return false by default: a message is handled once, whatever event tells of it
     */
    default boolean tellsTypesApart() {
        return false;
    }
}
