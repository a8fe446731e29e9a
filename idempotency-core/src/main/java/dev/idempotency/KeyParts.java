package dev.idempotency;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.time.ZoneId;
import java.time.temporal.TemporalAccessor;
import java.time.temporal.TemporalAmount;
import java.util.Calendar;
import java.util.Collection;
import java.util.Currency;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes the key of a request out of its parts. A part is of a type whose text is the same in every process: on another machine,
 * in another time zone, on another version of Java, and after a restart. Anything else would make a retry a new write.
 */
final class KeyParts<I> implements Function<I, IdempotencyKey> {
    private static final int LONGEST_PART = 8192;
    private static final int DEEPEST = 16;

    private final String operation;
    private final @Nullable Function<? super I, String> tenant;
    private final List<Function<? super I, ?>> parts;

    /**
     * Makes the rule.
     *
     * @param parts at least one, all not null; a single one is the key's value itself, several are framed by their lengths
     */
    KeyParts(String operation, @Nullable Function<? super I, String> tenant, List<Function<? super I, ?>> parts) {
        this.operation = operation;
        this.tenant = tenant;
        this.parts = List.copyOf(parts);
    }

    @Override
    public IdempotencyKey apply(I request) {
        try {
            return new IdempotencyKey(scope(request), value(request));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "Operation '" + operation + "' takes no key of this request, and nothing was written: "
                            + e.getMessage(),
                    e.getCause());
        }
    }

    private String scope(I request) {
        if (tenant == null) {
            return operation;
        }
        String name = tenant.apply(request);
        if (name == null) {
            throw new IllegalArgumentException("its tenant is null; every request needs one");
        }
        return operation + "/" + Settings.text("tenant", name, 99);
    }

    private String value(I request) {
        if (parts.size() == 1) {
            String text = text(0, request);
            return text.length() <= IdempotencyKey.MAX_VALUE && !text.startsWith("sha256:") ? text : digest(text);
        }
        var framed = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            framed.append(Digests.frame(text(i, request)));
        }
        return framed.length() <= IdempotencyKey.MAX_VALUE ? framed.toString() : digest(framed.toString());
    }

    private static String digest(String text) {
        return "sha256:" + HexFormat.of().formatHex(Digests.sha256(text));
    }

    private String text(int number, I request) {
        Object value = parts.get(number).apply(request);
        if (value == null) {
            throw new IllegalArgumentException(
                    (parts.size() == 1 ? "what its key is made of" : "part " + (number + 1) + " of its key")
                            + " is null; a key is made of what every request has");
        }
        return Settings.text("a part of the key", text(value, "", 0), LONGEST_PART);
    }

    /** A list or a record by what is in it, framed: else the text of one element could pose as that of several. */
    private static String text(Object value, String where, int depth) {
        if (depth > DEEPEST) {
            throw new IllegalArgumentException("a part of the key is nested too deeply; take fields of it instead");
        }
        if (value instanceof Record record) {
            return text(record, where, depth);
        }
        if (value instanceof List<?> list) {
            return text(list, where, depth);
        }
        String text = value.toString();
        if (!saysItsValue(value, text)) {
            throw refused(value, where);
        }
        return text;
    }

    private static String text(List<?> list, String where, int depth) {
        if (list.isEmpty()) {
            throw new IllegalArgumentException(is(where) + "an empty list; it must name something");
        }
        var framed = new StringBuilder("[");
        for (Object element : list) {
            if (element == null) {
                throw new IllegalArgumentException(is(where) + "a list with a null in it; leave it out");
            }
            framed.append(Digests.frame(text(element, "a list", depth + 1)));
        }
        return framed.append(']').toString();
    }

    /** What a record hides in its own text, as a card number, neither tells two of them apart nor may be seen in a key. */
    private static String text(Record value, String where, int depth) {
        Class<?> type = value.getClass();
        String said = String.valueOf(value);
        var framed = new StringBuilder(type.getSimpleName()).append('[');
        for (RecordComponent component : type.getRecordComponents()) {
            Object inner = read(value, component);
            if (inner == null) {
                throw new IllegalArgumentException(is(where) + "a " + type.getTypeName() + " whose "
                        + component.getName() + " is null; a key is made of what every request has");
            }
            if (!said.contains(inner.toString())) {
                throw new IllegalArgumentException(
                        is(where) + "a " + type.getTypeName() + " whose toString() does not say its "
                                + component.getName() + "; take what tells two writes apart, and may be seen in a log");
            }
            framed.append(Digests.frame(
                    text(inner, "the field " + component.getName() + " of a " + type.getTypeName(), depth + 1)));
        }
        return framed.append(']').toString();
    }

    private static @Nullable Object read(Record value, RecordComponent component) {
        try {
            var accessor = component.getAccessor();
            accessor.setAccessible(true);
            return accessor.invoke(value);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalArgumentException("a part of the key cannot be read", e.getCause());
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new IllegalArgumentException(
                    "a part of the key is a " + value.getClass().getTypeName()
                            + ", into which this library cannot look; take its fields, or open its package",
                    e);
        }
    }

    private static boolean saysItsValue(Object value, String text) {
        return value instanceof String
                || value instanceof Integer
                || value instanceof Long
                || value instanceof Short
                || value instanceof Byte
                || value instanceof Boolean
                || value instanceof Character
                || value instanceof Enum
                || value instanceof UUID
                || value instanceof URI
                || value instanceof Currency
                || value.getClass() == BigDecimal.class
                || value.getClass() == BigInteger.class
                || isTime(value)
                || (value instanceof CharSequence characters && text.contentEquals(characters));
    }

    private static boolean isTime(Object value) {
        return value.getClass().getPackageName().equals("java.time")
                && (value instanceof TemporalAccessor || value instanceof TemporalAmount || value instanceof ZoneId);
    }

    private static IllegalArgumentException refused(Object value, String where) {
        return new IllegalArgumentException(is(where) + "a " + value.getClass().getTypeName() + ", " + advice(value));
    }

    private static String is(String where) {
        return where.isEmpty() ? "a part of the key is " : "a part of the key has in " + where + " ";
    }

    private static String advice(Object value) {
        if (value instanceof Double || value instanceof Float) {
            return "whose text differs between versions of Java; take a BigDecimal, or a long of minor units";
        }
        if (value instanceof Date || value instanceof Calendar) {
            return "whose text depends on the time zone of the process; take its toInstant()";
        }
        if (value instanceof Map || value instanceof Collection) {
            return "whose order may differ from process to process; take a sorted list, or a field of the request";
        }
        if (value instanceof Optional
                || value instanceof OptionalInt
                || value instanceof OptionalLong
                || value instanceof OptionalDouble) {
            return "which may be empty, and then all requests without a value would be one; take what every request has";
        }
        return "whose text need not say its value in every process; take text, whole numbers, an enum, a UUID, a date or"
                + " time of java.time, or a list or record of these. If its toString() says its value, call that";
    }
}
