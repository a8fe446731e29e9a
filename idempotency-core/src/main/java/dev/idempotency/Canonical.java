package dev.idempotency;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.HexFormat;
import org.erdtman.jcs.JsonCanonicalizer;
import org.jspecify.annotations.Nullable;

/** Fingerprints: SHA-256 over RFC 8785 canonical JSON. */
final class Canonical {
    private Canonical() {}

    /**
     * Takes the fingerprint of a request, or of the parts of it that count.
     *
     * @throws IllegalArgumentException if it has no canonical form; the message names types and paths, not values
     */
    static Fingerprint fingerprint(@Nullable Object request, ObjectMapper mapper) {
        byte[] canonical;
        try {
            JsonNode tree = exact(mapper.valueToTree(request), "$");
            canonical = new JsonCanonicalizer("[" + mapper.writeValueAsString(tree) + "]").getEncodedUTF8();
        } catch (JsonProcessingException e) {
            throw unusable(request, e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw unusable(request, "it is not valid I-JSON", e);
        } catch (StackOverflowError e) {
            throw unusable(request, "it refers to itself or is nested too deeply", e);
        } catch (IllegalArgumentException e) {
            Throwable cause = e.getCause();
            String why = cause instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
            throw unusable(request, why == null ? "it cannot be serialized" : why, e);
        }
        return new Fingerprint(Fingerprint.JCS_SHA256, HexFormat.of().formatHex(Digests.sha256(canonical)));
    }

    private static IllegalArgumentException unusable(@Nullable Object request, String why, Throwable cause) {
        String type = request == null ? "null" : request.getClass().getName();
        return new IllegalArgumentException(
                "request of type " + type + " has no canonical JSON form: " + why
                        + "; choose what counts with fingerprint(..)",
                cause);
    }

    /** RFC 8785 takes every number as a double. Those that are none become strings, so that two never look alike. */
    private static JsonNode exact(JsonNode node, String path) {
        if (node instanceof ObjectNode object) {
            var names = new java.util.ArrayList<String>();
            object.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                requireUnicode(name, path);
                object.set(name, exact(object.get(name), path + "." + name));
            }
            return object;
        }
        if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                array.set(i, exact(array.get(i), path + "[" + i + "]"));
            }
            return array;
        }
        if (node.isTextual()) {
            requireUnicode(node.textValue(), path);
            return node;
        }
        if (node.isPojo()) {
            throw new IllegalArgumentException("the value at " + path + " is not JSON");
        }
        return node.isNumber() ? exactNumber(node, path) : node;
    }

    private static JsonNode exactNumber(JsonNode number, String path) {
        if (number.isFloat() || number.isDouble()) {
            if (!Double.isFinite(number.doubleValue())) {
                throw new IllegalArgumentException("the number at " + path + " is not finite");
            }
            return number;
        }
        BigDecimal value = number.decimalValue();
        if (value.precision() > 400 || Math.abs((long) value.scale()) > 400) {
            throw new IllegalArgumentException("the number at " + path + " has too many digits");
        }
        double nearest = value.doubleValue();
        boolean isDouble = Double.isFinite(nearest) && new BigDecimal(Double.toString(nearest)).compareTo(value) == 0;
        if (isDouble && Math.abs(nearest) <= 0x1p53) {
            return JsonNodeFactory.instance.numberNode(nearest);
        }
        return JsonNodeFactory.instance.textNode(value.stripTrailingZeros().toPlainString());
    }

    private static void requireUnicode(String text, String path) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                throw new IllegalArgumentException("the text at " + path + " has a lone surrogate");
            }
        }
    }
}
