package dev.idempotency.metrics;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Names of operations that become tags: so many and no more. Thread-safe. */
final class OperationNames {
    /** What names beyond the bounds become. */
    static final String OTHER = "other";

    /** As many names as this may come from records, which anybody who reaches the store can write. */
    static final int MOST_READ = 100;

    /** As many names as this in all; operations of this process are always a few. */
    static final int MOST = 200;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

    private final Set<String> known = new HashSet<>();
    private final List<String> untaken = new ArrayList<>();

    /** The name of an operation of this process. */
    String heard(String operation) {
        return name(operation, MOST);
    }

    /** The name of an operation that was read from a store. */
    String read(String operation) {
        return name(operation, MOST_READ);
    }

    private synchronized String name(String name, int most) {
        if (known.contains(name)) {
            return name;
        }
        if (known.size() < most && NAME.matcher(name).matches()) {
            known.add(name);
            untaken.add(name);
            return name;
        }
        if (known.add(OTHER)) {
            untaken.add(OTHER);
        }
        return OTHER;
    }

    /** The names that have come up since this was asked. */
    synchronized List<String> takeNew() {
        if (untaken.isEmpty()) {
            return List.of();
        }
        var taken = List.copyOf(untaken);
        untaken.clear();
        return taken;
    }

    synchronized List<String> all() {
        return List.copyOf(known);
    }
}
