package dev.idempotency;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Something that happens at most once, and whoever wants to be told of it. Thread-safe. */
final class Signal {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    private final String what;
    private @Nullable List<Runnable> actions;
    private boolean given;

    /** Names what happens, for the log. */
    Signal(String what) {
        this.what = what;
    }

    /** Runs an action when it happens: at once, in this thread, if it has happened before. */
    void listen(Runnable action) {
        synchronized (this) {
            if (!given) {
                if (actions == null) {
                    actions = new ArrayList<>(1);
                }
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
            due = actions == null ? List.of() : actions;
            actions = null;
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
