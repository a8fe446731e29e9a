package dev.idempotency.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A form that was not filled in as it must be. */
final class Problems extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * One of them.
     *
     * @param field the name of the field; null when it is none's
     * @param text what is wrong, and what would be right
     */
    record Problem(@Nullable String field, String text) {}

    private final transient List<Problem> list;

    Problems(List<Problem> list) {
        super("a form with problems");
        this.list = List.copyOf(list);
    }

    List<Problem> list() {
        return list;
    }
}
