package dev.idempotency;

import java.text.Normalizer;

/** Texts and names that people give. */
final class Names {
    private static final int ZERO_WIDTH_NON_JOINER = 0x200C;
    private static final int ZERO_WIDTH_JOINER = 0x200D;

    private Names() {}

    /** As {@link Settings#text}, and nothing in it makes it look like another text. */
    static String text(String name, String text, int max) {
        Settings.text(name, text, max);
        int bad = text.codePoints().filter(Names::misleads).findFirst().orElse(-1);
        if (bad >= 0) {
            throw new IllegalArgumentException(String.format(
                    "%s has the character U+%04X, which is invisible or turns the direction of writing", name, bad));
        }
        return text;
    }

    private static boolean misleads(int c) {
        return switch (Character.getType(c)) {
            case Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
            // Some scripts cannot be written without the joiners.
            case Character.FORMAT -> c != ZERO_WIDTH_NON_JOINER && c != ZERO_WIDTH_JOINER;
            default -> false;
        };
    }

    /** Whether two names are one person's: case, blanks, joiners and compatibility forms do not tell people apart. */
    static boolean isSame(String one, String other) {
        return plain(one).equalsIgnoreCase(plain(other));
    }

    private static String plain(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFKC)
                .replaceAll("[\\u200C\\u200D]", "")
                .replaceAll("[\\s\\p{Z}]+", " ")
                .strip();
    }
}
