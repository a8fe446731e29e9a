package dev.idempotency.slack;

import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells all of them, whatever one of them throws. */
final class Listeners {
    private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

    private final List<SlackListener> listeners;

    Listeners(List<SlackListener> listeners) {
        this.listeners = List.copyOf(listeners);
    }

    void tell(Consumer<SlackListener> news) {
        for (SlackListener listener : listeners) {
            try {
                news.accept(listener);
            } catch (RuntimeException e) {
                LOG.warn("A listener failed", e);
            }
        }
    }
}
