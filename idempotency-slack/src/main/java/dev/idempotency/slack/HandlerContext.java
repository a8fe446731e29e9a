package dev.idempotency.slack;

import dev.idempotency.inbox.EntityVersion;
import java.util.Optional;

/**
 * What a handler needs to write once. Thread-safe.
 *
 * @since 0.1.0
 */
public interface HandlerContext {
    /**
     * The key for one write of this handler. It is the same in every run for the same message or event, whatever Slack has
     * delivered it as, and it differs between consumers.
     *
     * @param purpose which of the handler's writes, such as {@code "reply"}; 1 to 50 letters, digits, dots, hyphens and
     *     underscores
     * @return a key, at most 255 characters
     * @throws IllegalArgumentException if {@code purpose} is not as it should be
     */
    String key(String purpose);

    /**
     * Which state of its message the event tells of. Two handlers may run at the same time: who keeps messages stores this with
     * them, and writes only over a smaller one.
     *
     * @return the version; empty for what tells of no message
     */
    Optional<EntityVersion> version();
}
