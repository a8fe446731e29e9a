package dev.idempotency.cli;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The fields of a form or of an address, each once. Immutable. */
final class Fields {
    /** More than all keys of a page. */
    private static final int MOST = 1100;

    private final Map<String, String> fields;

    private Fields(Map<String, String> fields) {
        this.fields = fields;
    }

    static Fields none() {
        return new Fields(Map.of());
    }

    /** @throws IllegalArgumentException if it is not well formed */
    static Fields parse(@Nullable String encoded) {
        var fields = new LinkedHashMap<String, String>();
        if (encoded != null && !encoded.isEmpty()) {
            for (String pair : encoded.split("&", -1)) {
                int equals = pair.indexOf('=');
                String name = decode(equals < 0 ? pair : pair.substring(0, equals));
                String value = equals < 0 ? "" : decode(pair.substring(equals + 1));
                if (fields.put(name, value) != null || fields.size() > MOST) {
                    throw new IllegalArgumentException("a field comes twice, or there are too many");
                }
            }
        }
        return new Fields(fields);
    }

    private static String decode(String encoded) {
        var bytes = new ByteArrayOutputStream();
        for (int i = 0; i < encoded.length(); i++) {
            char c = encoded.charAt(i);
            if (c == '+') {
                bytes.write(' ');
            } else if (c == '%') {
                bytes.write(hex(encoded, i + 1));
                i += 2;
            } else if (c < 0x80) {
                bytes.write(c);
            } else {
                throw new IllegalArgumentException("a character is not encoded");
            }
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("a field is not UTF-8", e);
        }
    }

    private static int hex(String text, int at) {
        int high = at + 1 < text.length() ? Character.digit(text.charAt(at), 16) : -1;
        int low = high < 0 ? -1 : Character.digit(text.charAt(at + 1), 16);
        if (low < 0) {
            throw new IllegalArgumentException("a percent sign begins nothing");
        }
        return 16 * high + low;
    }

    /** Empty when there is none. */
    String text(String name) {
        return fields.getOrDefault(name, "");
    }

    /** The values of all fields whose name is this and a number, as they come. */
    List<String> numbered(String prefix) {
        return fields.entrySet().stream()
                .filter(field -> field.getKey().matches(prefix + "\\d{1,4}"))
                .map(Map.Entry::getValue)
                .toList();
    }

    /** Null when there is none, or nothing but blanks in it. */
    @Nullable
    String given(String name) {
        String value = fields.get(name);
        return value == null || value.isBlank() ? null : value.strip();
    }
}
