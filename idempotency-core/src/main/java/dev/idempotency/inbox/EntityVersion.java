package dev.idempotency.inbox;

import java.util.Objects;

/**
 * Which state of a thing a message tells of. Ordered: by number; among equal numbers a deletion comes last; then by tie-break,
 * byte for byte.
 *
 * @param number the version, such as a time in microseconds; zero or more
 * @param tieBreak what tells two messages with one number apart, such as the id of the event; 0 to {@value #MAX_TIE_BREAK}
 *     printable ASCII characters. Messages with one number and one tie-break count as the same
 * @param deleted whether the thing is gone with this version
 * @since 0.1.0
 */
public record EntityVersion(long number, String tieBreak, boolean deleted) implements Comparable<EntityVersion> {
    /** The longest tie-break, in characters. */
    public static final int MAX_TIE_BREAK = 200;

    /**
     * Checks the version.
     *
     * @param number as described above
     * @param tieBreak as described above
     * @param deleted as described above
     * @throws NullPointerException if {@code tieBreak} is null
     * @throws IllegalArgumentException if {@code number} is negative, or {@code tieBreak} is too long or not of printable ASCII
     */
    public EntityVersion {
        Objects.requireNonNull(tieBreak, "tieBreak");
        if (number < 0) {
            throw new IllegalArgumentException("number is " + number + "; it must be at least 0");
        }
        if (tieBreak.length() > MAX_TIE_BREAK || !tieBreak.chars().allMatch(c -> c >= ' ' && c <= '~')) {
            throw new IllegalArgumentException(
                    "tieBreak must be at most " + MAX_TIE_BREAK + " printable ASCII characters");
        }
    }

    @Override
    public int compareTo(EntityVersion other) {
        if (number != other.number) {
            return Long.compare(number, other.number);
        }
        return deleted != other.deleted ? Boolean.compare(deleted, other.deleted) : tieBreak.compareTo(other.tieBreak);
    }
}
