package dev.idempotency.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The fields of a request or of a result that people may look at. Nothing else of it gets into a page. */
final class ShownFields {
    private static final int LONGEST = 500;
    private static final String NOT_THERE = "–";

    private ShownFields() {}

    /** The value of each field, {@code a.b} being the field b of the object a; null when the bytes are not JSON. */
    static @Nullable Map<String, String> of(String codec, byte[] bytes, List<String> fields) {
        if (!codec.equals(OwnCodec.JSON)) {
            return null;
        }
        JsonNode document;
        try {
            document = Payloads.requireJson(bytes);
        } catch (IllegalArgumentException e) {
            return null;
        }
        var values = new LinkedHashMap<String, String>();
        for (String field : fields) {
            JsonNode value = document;
            for (String name : field.split("\\.", -1)) {
                value = value.path(name);
            }
            values.put(field, text(value));
        }
        return values;
    }

    private static String text(JsonNode value) {
        if (value.isMissingNode()) {
            return NOT_THERE;
        }
        return KeyPage.cut(value.isTextual() ? value.textValue() : value.toString(), LONGEST);
    }
}
