package dev.idempotency;

import java.util.List;
import java.util.Objects;

/**
 * What a configuration guarantees, and on what conditions: see {@code docs/guarantees.md}.
 *
 * @param level the level
 * @param survivesLostStoreWrites whether it still holds when the store loses writes that it acknowledged
 * @param conditions what must be true for the level to hold and cannot be checked by the library
 * @param violations why the level is {@link Level#X}; empty for every other level
 * @since 0.1.0
 */
public record Guarantee(
        Level level, boolean survivesLostStoreWrites, List<String> conditions, List<String> violations) {

    /** How strong a guarantee is, and what it rests on. */
    public enum Level {
        /** Transactional: effect and record are in one database transaction. */
        A("transactional"),
        /** Sealed: the provider refuses an attempt that it has answered for. */
        B("sealed"),
        /** Deduplicated: the provider recognises the native key inside its window. */
        C("deduplicated"),
        /** Verified: the provider was asked after everything in flight must have ended. */
        D("verified"),
        /** Verified, cautious: what the provider has counts, what it has not does not. */
        E("verified, cautious"),
        /** Held: only a late answer or a person ends a doubt. */
        F("held"),
        /** Unprotected: duplicates are possible. */
        X("unprotected");

        private final String title;

        Level(String title) {
            this.title = title;
        }

        /**
         * The level in a word or two.
         *
         * @return lower-case English
         */
        public String title() {
            return title;
        }
    }

    /**
     * Checks and copies.
     *
     * @param level as described above
     * @param survivesLostStoreWrites as described above
     * @param conditions as described above
     * @param violations as described above
     * @throws NullPointerException if an argument or an element is null
     */
    public Guarantee {
        Objects.requireNonNull(level, "level");
        conditions = List.copyOf(Objects.requireNonNull(conditions, "conditions"));
        violations = List.copyOf(Objects.requireNonNull(violations, "violations"));
    }

    /** The level with its conditions, over several lines, for people. */
    @Override
    public String toString() {
        var text = new StringBuilder("Level " + level + " (" + level.title() + ")");
        violations.forEach(violation -> text.append("\n  violated: ").append(violation));
        conditions.forEach(condition -> text.append("\n  on condition that ").append(condition));
        text.append(
                survivesLostStoreWrites
                        ? "\n  holds even if the store loses acknowledged writes"
                        : "\n  does not hold if the store loses acknowledged writes");
        return text.toString();
    }
}
