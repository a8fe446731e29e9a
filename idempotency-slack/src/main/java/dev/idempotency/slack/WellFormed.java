package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Text as it can go out: half of a character, as is left when a text with emoji is cut by its length, becomes the replacement
 * character.
 */
final class WellFormed {
    private static final char REPLACEMENT = '\ufffd';

    private WellFormed() {}

    static String text(String text) {
        StringBuilder mended = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                mended = mended == null ? new StringBuilder(text) : mended;
                mended.setCharAt(i, REPLACEMENT);
            }
        }
        return mended == null ? text : mended.toString();
    }

    /** A copy, where something had to be replaced. */
    static JsonNode json(JsonNode node) {
        return isWellFormed(node) ? node : mended(node);
    }

    private static boolean isWellFormed(JsonNode node) {
        String text = node.toString();
        return text.equals(text(text));
    }

    private static JsonNode mended(JsonNode node) {
        if (node.isTextual()) {
            return SlackEvent.JSON.getNodeFactory().textNode(text(node.asText()));
        }
        if (node.isArray()) {
            ArrayNode copy = SlackEvent.JSON.createArrayNode();
            node.forEach(element -> copy.add(mended(element)));
            return copy;
        }
        if (node.isObject()) {
            ObjectNode copy = SlackEvent.JSON.createObjectNode();
            node.properties().forEach(field -> copy.set(text(field.getKey()), mended(field.getValue())));
            return copy;
        }
        return node;
    }
}
