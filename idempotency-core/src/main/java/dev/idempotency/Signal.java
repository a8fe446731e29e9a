package dev.idempotency;

import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Something that happens at most once, and whoever wants to be told of it. Thread-safe. */
final class Signal {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    private final String what;
    private final List<Runnable> actions = new ArrayList<>();
    private boolean given;

    /** Names what happens, for the log. */
    Signal(String what) {
        this.what = what;
    }

    /** Runs an action when it happens: at once, in this thread, if it has happened before. */
    void listen(Runnable action) {
        synchronized (this) {
            if (!given) {
                actions.add(action);
                return;
            }
        }
        action.run();
    }

    /** It happens now. What an action throws keeps none of the others from being run. */
    void give() {
        List<Runnable> due;
        synchronized (this) {
            given = true;
            due = List.copyOf(actions);
            actions.clear();
        }
        for (Runnable action : due) {
            try {
                action.run();
            } catch (Throwable e) {
                LOG.warn("What was to be done on {} failed; the rest is done all the same", what, e);
            }
        }
    }
}
