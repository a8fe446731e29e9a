package dev.idempotency;

import java.lang.Character.UnicodeScript;
import java.text.Normalizer;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Texts and names that people give. */
final class Names {
    private static final int ZERO_WIDTH_NON_JOINER = 0x200C;
    private static final int ZERO_WIDTH_JOINER = 0x200D;

    /** Letters that look like a Latin one in some case, each followed by that one. */
    private static final String LOOK_ALIKES = "аaАAВBсcСCԁdеeЕEНHһhіiІIјjЈJКKМMоoОOрpРPԛqѕsЅSТTуyУYхxХXԝwѵvӏl"
            + "αaΑAΒBΕEΖZΗHΙIιiΚKκkΜMΝNνvοoΟOρpΡPΤTτtΥYυuΧXχx";

    /** Scripts that are written together. */
    private static final List<Set<UnicodeScript>> TOGETHER = List.of(
            EnumSet.of(UnicodeScript.HAN, UnicodeScript.HIRAGANA, UnicodeScript.KATAKANA),
            EnumSet.of(UnicodeScript.HAN, UnicodeScript.HANGUL),
            EnumSet.of(UnicodeScript.HAN, UnicodeScript.BOPOMOFO));

    private Names() {}

    /** As {@link Settings#text}, and nothing in it makes it look like another text. */
    static String text(String name, String text, int max) {
        Settings.text(name, text, max);
        refuse(name, text.codePoints().filter(Names::misleads).findFirst().orElse(-1));
        return text;
    }

    /**
     * As {@link #text}, and one person's name: it has a letter or a digit, nothing invisible, and no word in letters of several
     * scripts, which is how one name is made to look like another.
     */
    static String person(String name, String text, int max) {
        text(name, text, max);
        refuse(name, text.codePoints().filter(Names::isUnseen).findFirst().orElse(-1));
        if (text.codePoints().noneMatch(Character::isLetterOrDigit)) {
            throw new IllegalArgumentException(name + " has no letter and no digit");
        }
        if (mixesScripts(text)) {
            throw new IllegalArgumentException(name + " has a word with letters of several scripts; write it in one");
        }
        return text;
    }

    private static void refuse(String name, int bad) {
        if (bad >= 0) {
            throw new IllegalArgumentException(String.format(
                    "%s has the character U+%04X, which is invisible or turns the direction of writing", name, bad));
        }
    }

    private static boolean misleads(int c) {
        return switch (Character.getType(c)) {
            case Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
            // Some scripts cannot be written without the joiners.
            case Character.FORMAT -> !isJoiner(c);
            default -> false;
        };
    }

    private static boolean isJoiner(int c) {
        return c == ZERO_WIDTH_NON_JOINER || c == ZERO_WIDTH_JOINER;
    }

    /** Unicode's ignorable characters beyond the format ones, those that look like a blank and are none, and what is no character. */
    private static boolean isUnseen(int c) {
        return switch (Character.getType(c)) {
            case Character.UNASSIGNED, Character.PRIVATE_USE, Character.SURROGATE -> true;
            default ->
                c == 0x034F
                        || c == 0x115F
                        || c == 0x1160
                        || c == 0x17B4
                        || c == 0x17B5
                        || (c >= 0x180B && c <= 0x180F)
                        || c == 0x2800
                        || c == 0x3164
                        || (c >= 0xFE00 && c <= 0xFE0F)
                        || c == 0xFFA0
                        || (c >= 0xE0000 && c <= 0xE0FFF);
        };
    }

    private static boolean mixesScripts(String text) {
        Set<UnicodeScript> word = EnumSet.noneOf(UnicodeScript.class);
        for (int c : text.codePoints().toArray()) {
            UnicodeScript script = UnicodeScript.of(c);
            if (Character.isLetter(c) && script != UnicodeScript.COMMON && script != UnicodeScript.INHERITED) {
                word.add(script);
            } else if (!Character.isLetter(c) && !isMark(c) && !isJoiner(c)) {
                word.clear();
            }
            if (word.size() > 1 && TOGETHER.stream().noneMatch(scripts -> scripts.containsAll(word))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isMark(int c) {
        return switch (Character.getType(c)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK -> true;
            default -> false;
        };
    }

    /**
     * Whether two names may be one person's: case, blanks, joiners, accents, compatibility forms, and letters of another script
     * that look the same do not tell people apart.
     */
    static boolean isSame(String one, String other) {
        return folded(plain(one)).equals(folded(plain(other)))
                || folded(seen(plain(one))).equals(folded(seen(plain(other))));
    }

    /** Vowel signs, unlike accents, belong to one script, and tell names apart. */
    private static String plain(String name) {
        var plain = new StringBuilder();
        Normalizer.normalize(name, Normalizer.Form.NFKD)
                .codePoints()
                .filter(c -> !isJoiner(c) && !isUnseen(c) && !misleads(c))
                .filter(c -> !Character.isWhitespace(c) && !Character.isSpaceChar(c))
                .filter(c -> !isMark(c) || UnicodeScript.of(c) != UnicodeScript.INHERITED)
                .forEach(plain::appendCodePoint);
        return plain.toString();
    }

    private static String seen(String name) {
        var seen = new StringBuilder(name);
        for (int i = 0; i < seen.length(); i++) {
            for (int known = 0; known < LOOK_ALIKES.length(); known += 2) {
                if (seen.charAt(i) == LOOK_ALIKES.charAt(known)) {
                    seen.setCharAt(i, LOOK_ALIKES.charAt(known + 1));
                    break;
                }
            }
        }
        return seen.toString();
    }

    private static String folded(String name) {
        return name.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
    }
}
