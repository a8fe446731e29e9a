package dev.idempotency;

import com.fasterxml.jackson.core.Base64Variant;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HexFormat;
import org.erdtman.jcs.NumberToJSON;
import org.jspecify.annotations.Nullable;

/**
 * Fingerprints: SHA-256 over RFC 8785 canonical JSON.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8785">RFC 8785</a>
 */
final class Canonical {
    private static final long LARGEST_EXACT = 1L << 53;

    private final StringBuilder text;
    private final Base64Variant base64;
    private final Deque<Object> within = new ArrayDeque<>();

    private Canonical(StringBuilder text, Base64Variant base64) {
        this.text = text;
        this.base64 = base64;
    }

    /**
     * Takes the fingerprint of a request, or of the parts of it that count.
     *
     * @throws IllegalArgumentException if it has no canonical form; the message names types and paths, not values
     */
    static Fingerprint fingerprint(@Nullable Object request, ObjectMapper mapper) {
        return fingerprint(request, mapper, null);
    }

    /**
     * As {@link #fingerprint(Object, ObjectMapper)}.
     *
     * @param kind which of several kinds of request this is, where their JSON does not say; null where there is but one
     */
    static Fingerprint fingerprint(@Nullable Object request, ObjectMapper mapper, @Nullable String kind) {
        byte[] canonical;
        try {
            JsonNode tree = mapper.valueToTree(request);
            var text = new StringBuilder("[");
            var writer = new Canonical(text, mapper.getSerializationConfig().getBase64Variant());
            writer.write(tree == null ? NullNode.getInstance() : tree);
            if (kind != null) {
                text.append(',');
                writer.writeText(kind);
            }
            canonical = text.append(']').toString().getBytes(StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw unusable(request, "it is not valid I-JSON", e);
        } catch (StackOverflowError e) {
            throw unusable(request, "it refers to itself or is nested too deeply", e);
        } catch (IllegalArgumentException e) {
            Throwable cause = e.getCause();
            String why = cause instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
            throw unusable(request, why == null ? "it cannot be serialized" : withoutAdvice(why), e);
        }
        return new Fingerprint(Fingerprint.JCS_SHA256, HexFormat.of().formatHex(Digests.sha256(canonical)));
    }

    /** One value in canonical form. */
    static String text(JsonNode value, Base64Variant base64) throws IOException {
        var text = new StringBuilder();
        new Canonical(text, base64).write(value);
        return text.toString();
    }

    /** What Jackson proposes would make one fingerprint of all requests. */
    private static String withoutAdvice(String why) {
        int advice = why.indexOf(" (to avoid exception, disable SerializationFeature");
        return advice < 0 ? why : why.substring(0, advice);
    }

    private static IllegalArgumentException unusable(@Nullable Object request, String why, Throwable cause) {
        String type = request == null ? "null" : request.getClass().getName();
        return new IllegalArgumentException(
                "request of type " + type + " has no canonical JSON form: " + why
                        + "; choose what counts with fingerprint(..)",
                cause);
    }

    /** Where in the request something was found: names and indexes, no values. */
    private String path() {
        var path = new StringBuilder("$");
        within.forEach(step -> path.append(step instanceof String name ? "." + name : "[" + step + "]"));
        return path.toString();
    }

    private void write(JsonNode node) throws IOException {
        switch (node.getNodeType()) {
            case OBJECT -> writeObject(node);
            case ARRAY -> writeArray(node);
            case STRING -> writeText(node.textValue());
            case BINARY -> writeText(base64.encode(node.binaryValue()));
            case NUMBER -> writeNumber(node);
            case BOOLEAN, NULL -> text.append(node.asText());
            default -> throw new IllegalArgumentException("the value at " + path() + " is not JSON");
        }
    }

    /** In the order of the names' UTF-16 code units, which is the natural one of strings. */
    private void writeObject(JsonNode object) throws IOException {
        var names = new ArrayList<String>(object.size());
        object.fieldNames().forEachRemaining(names::add);
        Collections.sort(names);
        text.append('{');
        String separator = "";
        for (String name : names) {
            text.append(separator);
            writeText(name);
            text.append(':');
            within.addLast(name);
            write(object.get(name));
            within.removeLast();
            separator = ",";
        }
        text.append('}');
    }

    private void writeArray(JsonNode array) throws IOException {
        text.append('[');
        for (int i = 0; i < array.size(); i++) {
            if (i > 0) {
                text.append(',');
            }
            within.addLast(i);
            write(array.get(i));
            within.removeLast();
        }
        text.append(']');
    }

    /** RFC 8785 takes every number as a double. Those that are none become strings, so that two never look alike. */
    private void writeNumber(JsonNode number) throws IOException {
        if (number.isFloat() || number.isDouble()) {
            // As it is written: the double that is nearest to a float's digits, not the float.
            double value = number.isFloat() ? shortest(number.floatValue()) : number.doubleValue();
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException("the number at " + path() + " is not finite");
            }
            text.append(NumberToJSON.serializeNumber(value));
            return;
        }
        if (number.canConvertToLong() && number.isIntegralNumber() && Math.abs(number.longValue()) <= LARGEST_EXACT) {
            text.append(number.longValue());
            return;
        }
        BigDecimal value = number.decimalValue();
        if (value.precision() > 400 || Math.abs((long) value.scale()) > 400) {
            throw new IllegalArgumentException("the number at " + path() + " has too many digits");
        }
        double nearest = value.doubleValue();
        boolean isDouble =
                Double.isFinite(nearest) && new BigDecimal(NumberToJSON.serializeNumber(nearest)).compareTo(value) == 0;
        if (isDouble && Math.abs(nearest) <= LARGEST_EXACT) {
            text.append(NumberToJSON.serializeNumber(nearest));
        } else {
            writeText(value.stripTrailingZeros().toPlainString());
        }
    }

    /** The double with the fewest digits that name this float. {@code Float.toString} has more of them before JDK 19. */
    private static double shortest(float value) {
        if (!Float.isFinite(value)) {
            return value;
        }
        var exact = new BigDecimal(value);
        for (int digits = 2; digits < 9; digits++) {
            String text =
                    exact.round(new MathContext(digits, RoundingMode.HALF_EVEN)).toString();
            if (Float.parseFloat(text) == value) {
                // Keeps the sign of zero.
                return value == 0 ? value : Double.parseDouble(text);
            }
        }
        return Double.parseDouble(
                exact.round(new MathContext(9, RoundingMode.HALF_EVEN)).toString());
    }

    /** As section 3.2.2.2 of the RFC says: what must be escaped, and nothing else. */
    private void writeText(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                case '\b' -> text.append("\\b");
                case '\f' -> text.append("\\f");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                default -> {
                    if (c < ' ') {
                        text.append("\\u00").append(HexFormat.of().toHexDigits((byte) c));
                    } else if (Character.isSurrogate(c)) {
                        text.append(c).append(lowSurrogate(value, i++));
                    } else {
                        text.append(c);
                    }
                }
            }
        }
        text.append('"');
    }

    private char lowSurrogate(String value, int high) {
        if (!Character.isHighSurrogate(value.charAt(high))
                || high + 1 == value.length()
                || !Character.isLowSurrogate(value.charAt(high + 1))) {
            throw new IllegalArgumentException("the text at " + path() + " has a lone surrogate");
        }
        return value.charAt(high + 1);
    }
}
