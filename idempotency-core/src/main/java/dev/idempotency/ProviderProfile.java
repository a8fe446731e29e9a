package dev.idempotency;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a provider documents about its own idempotency keys.
 *
 * @param name the provider, for people
 * @param source where the facts stand, for people
 * @param keyFormat what its keys look like
 * @param window W: how long it recognises a key, from the first request with it; {@link #ENDLESS} if for ever; null if
 *     it publishes nothing
 * @param pause P: the longest pause of this process between the last check and the first byte sent
 * @param transit D: how long after the first byte a request may still reach the provider
 * @param clockError S: how far the store's clock may jump, over a failover for instance
 * @since 0.1.0
 */
public record ProviderProfile(
        String name,
        String source,
        KeyFormat keyFormat,
        @Nullable Duration window,
        Duration pause,
        Duration transit,
        Duration clockError) {
    /** The window of a provider that never forgets a key. */
    public static final Duration ENDLESS = Duration.ofDays(36_525);

    private static final Duration DEFAULT_PAUSE = Duration.ofMinutes(1);
    private static final Duration DEFAULT_TRANSIT = Duration.ofMinutes(5);
    private static final Duration DEFAULT_CLOCK_ERROR = Duration.ofSeconds(2);

    /**
     * Checks the profile.
     *
     * @param name as described above
     * @param source as described above
     * @param keyFormat as described above
     * @param window as described above
     * @param pause as described above
     * @param transit as described above
     * @param clockError as described above
     * @throws NullPointerException if an argument other than {@code window} is null
     * @throws IllegalArgumentException if a name is blank or longer than 200 characters, or a duration negative or too
     *     long
     */
    public ProviderProfile {
        Settings.text("name", name, 200);
        Settings.text("source", source, 500);
        Objects.requireNonNull(keyFormat, "keyFormat");
        if (window != null) {
            Settings.between("window", window, Duration.ofSeconds(1), ENDLESS);
        }
        Settings.atLeastZero("pause", pause);
        Settings.atLeastZero("transit", transit);
        Settings.atLeastZero("clockError", clockError);
    }

    /**
     * A provider whose window is known, with room for pauses of 1 minute, 5 minutes in transit and clock jumps of 2 seconds.
     *
     * @param name the provider, for people
     * @param source where the facts stand, for people
     * @param keyFormat what its keys look like
     * @param window how long it recognises a key; {@link #ENDLESS} if for ever
     * @return a profile
     */
    public static ProviderProfile of(String name, String source, KeyFormat keyFormat, Duration window) {
        return withoutWindow(name, source, keyFormat).withWindow(window);
    }

    /**
     * A provider that takes keys but publishes no window. It cannot be used for re-sending until
     * {@link #withWindow} gives it one.
     *
     * @param name the provider, for people
     * @param source where the facts stand, for people
     * @param keyFormat what its keys look like
     * @return a profile without a window
     */
    public static ProviderProfile withoutWindow(String name, String source, KeyFormat keyFormat) {
        return new ProviderProfile(name, source, keyFormat, null, DEFAULT_PAUSE, DEFAULT_TRANSIT, DEFAULT_CLOCK_ERROR);
    }

    /**
     * The same provider with the window that you know it has.
     *
     * @param window how long it recognises a key
     * @return a new profile
     */
    public ProviderProfile withWindow(Duration window) {
        return new ProviderProfile(
                name, source, keyFormat, Objects.requireNonNull(window, "window"), pause, transit, clockError);
    }

    /**
     * The same provider with other bounds on what may lie between the last check and the arrival of a request.
     *
     * @param pause the longest pause of this process between the last check and the first byte sent
     * @param transit how long after the first byte a request may still reach the provider
     * @return a new profile
     */
    public ProviderProfile withBounds(Duration pause, Duration transit) {
        return new ProviderProfile(name, source, keyFormat, window, pause, transit, clockError);
    }

    /**
     * The same provider, with a store whose clock jumps less, or more: the first send is remembered by that clock.
     *
     * @param clockError how far the store's clock may jump, over a failover for instance
     * @return a new profile
     */
    public ProviderProfile withClockError(Duration clockError) {
        return new ProviderProfile(name, source, keyFormat, window, pause, transit, clockError);
    }

    /** What must be left of the window when the same key is sent again: {@code P + D + S}. */
    Duration bound() {
        return pause.plus(transit).plus(clockError);
    }

    /**
     * How long after the first send the same key may be sent again: {@code G = W - P - D - S}.
     *
     * @return the guard; zero or negative if the window is too short for the bounds; null without a window
     */
    public @Nullable Duration resendWithin() {
        if (window == null) {
            return null;
        }
        return window.equals(ENDLESS) ? ENDLESS : window.minus(bound());
    }

    /**
     * What native keys look like.
     *
     * @param alphabet the characters
     * @param length how many, without the prefix; ignored for {@link Alphabet#UUID}
     * @param prefix what every key starts with; may be empty
     */
    public record KeyFormat(Alphabet alphabet, int length, String prefix) {
        /** The characters of a native key. */
        public enum Alphabet {
            /** A name-based UUID in its usual 36 characters (RFC 9562, version 8). */
            UUID,
            /** Lower-case hexadecimal digits, 32 to 64. */
            HEX,
            /** Upper-case letters and the digits 2 to 7 (RFC 4648 base 32 without padding), 26 to 52. */
            BASE32
        }

        /**
         * Checks the format.
         *
         * @param alphabet as described above
         * @param length as described above
         * @param prefix as described above
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the length is out of the alphabet's range, or the prefix has more than 40
         *     characters or others than letters, digits, hyphen and underscore
         */
        public KeyFormat {
            Objects.requireNonNull(alphabet, "alphabet");
            Objects.requireNonNull(prefix, "prefix");
            int least = alphabet == Alphabet.HEX ? 32 : alphabet == Alphabet.BASE32 ? 26 : 36;
            int most = alphabet == Alphabet.HEX ? 64 : alphabet == Alphabet.BASE32 ? 52 : 36;
            if (length < least || length > most) {
                throw new IllegalArgumentException("length is " + length + "; " + alphabet + " keys have " + least
                        + " to " + most + " characters, so that two writes never share one");
            }
            if (!prefix.matches("[A-Za-z0-9_-]{0,40}")) {
                throw new IllegalArgumentException(
                        "prefix must have at most 40 letters, digits, hyphens and underscores");
            }
        }

        private static final KeyFormat UUID_KEYS = new KeyFormat(Alphabet.UUID, 36, "");

        /**
         * Keys that are UUIDs.
         *
         * @return a format of 36 characters
         */
        public static KeyFormat uuid() {
            return UUID_KEYS;
        }

        /**
         * Keys of hexadecimal digits.
         *
         * @param length 32 to 64
         * @return a format
         */
        public static KeyFormat hex(int length) {
            return new KeyFormat(Alphabet.HEX, length, "");
        }

        /**
         * Keys of base 32 characters.
         *
         * @param length 26 to 52
         * @return a format
         */
        public static KeyFormat base32(int length) {
            return new KeyFormat(Alphabet.BASE32, length, "");
        }

        /**
         * The same format behind a prefix.
         *
         * @param prefix what every key starts with
         * @return a new format
         */
        public KeyFormat withPrefix(String prefix) {
            return new KeyFormat(alphabet, length, prefix);
        }
    }
}
