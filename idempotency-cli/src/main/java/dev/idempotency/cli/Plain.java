package dev.idempotency.cli;

import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;

/**
 * Text that people see, from whatever was stored. Whatever is invisible, turns the direction of writing, moves a terminal's
 * cursor or cannot be shown at all comes as {@code \}{@code u{202E}}, and a backslash comes twice, so that nothing looks like
 * something else and the text can be typed again. Not thread-safe.
 */
final class Plain {
    private final CharsetEncoder encoder;

    Plain(Charset shown) {
        encoder = shown.newEncoder();
    }

    /** For pages, which are UTF-8. */
    static String of(String text) {
        return new Plain(StandardCharsets.UTF_8).text(text);
    }

    String text(String text) {
        var plain = new StringBuilder(text.length());
        text.codePoints().forEach(c -> append(plain, c));
        return plain.toString();
    }

    private void append(StringBuilder plain, int c) {
        if (c == '\\') {
            plain.append("\\\\");
        } else if (isVisible(c) && encoder.canEncode(Character.toString(c))) {
            plain.appendCodePoint(c);
        } else {
            plain.append("\\u{").append(Integer.toHexString(c)).append('}');
        }
    }

    private static boolean isVisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> !isBlank(c);
        };
    }

    /** Letters and marks that show nothing. */
    private static boolean isBlank(int c) {
        return switch (c) {
            case 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0 -> true;
            default -> (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
        };
    }

    /** The text that was shown so. A backslash that begins nothing stands for itself. */
    static String read(String shown) {
        var text = new StringBuilder(shown.length());
        for (int i = 0; i < shown.length(); i++) {
            char c = shown.charAt(i);
            int end = shown.indexOf('}', i);
            if (c == '\\' && shown.startsWith("\\\\", i)) {
                text.append('\\');
                i++;
            } else if (c == '\\' && shown.startsWith("\\u{", i) && end > i && isCodePoint(shown, i + 3, end)) {
                text.appendCodePoint(Integer.parseInt(shown, i + 3, end, 16));
                i = end;
            } else {
                text.append(c);
            }
        }
        return text.toString();
    }

    private static boolean isCodePoint(String text, int from, int to) {
        String digits = text.substring(from, to);
        return digits.matches("[0-9a-fA-F]{1,6}") && Character.isValidCodePoint(Integer.parseInt(digits, 16));
    }

    /** As one word of a shell's command line, which no shell takes for anything else. */
    String word(String text) {
        String shown = text(text);
        return shown.matches("[A-Za-z0-9_./:@%+=,][A-Za-z0-9_./:@%+=,-]*")
                ? shown
                : "'" + shown.replace("'", "'\\''") + "'";
    }
}
