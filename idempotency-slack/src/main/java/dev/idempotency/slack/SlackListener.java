package dev.idempotency.slack;

/**
 * Hears what happens between Slack and the app. Called on the thread that made it happen, so it must be quick and thread-safe.
 * What it throws is logged and changes nothing.
 *
 * @since 0.1.0
 */
public interface SlackListener {
    /**
     * Slack has delivered something and was answered.
     *
     * @param delivered what, and how it was answered
     */
    default void onDelivered(Delivered delivered) {}

    /**
     * A worker has dealt with an event.
     *
     * @param handled what became of it
     */
    default void onHandled(Handled handled) {}

    /**
     * Slack's Web API was called.
     *
     * @param called what, and how it ended
     */
    default void onCalled(Called called) {}

    /**
     * Something happened to a Socket Mode connection, or to an envelope on it.
     *
     * @param event what, and to which connection
     */
    default void onSocket(SocketEvent event) {}
}
