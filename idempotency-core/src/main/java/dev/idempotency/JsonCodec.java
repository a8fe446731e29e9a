package dev.idempotency;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.deser.DeserializationProblemHandler;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Values as JSON of their declared type; no type names in the JSON, none read from it. What is written is read as it was meant,
 * whatever the mapper says: a date keeps its offset, a decimal its digits, and nothing is too long to be read that was not too long
 * to be written.
 *
 * <p>Processes of two versions read each other's values when fields were added or taken away. A value with a field that nobody
 * knows, and without one that is asked for, is taken for one of another type.
 */
final class JsonCodec<T extends @Nullable Object> implements Codec<T> {
    private final Class<?> type;
    private final ObjectMapper mapper;
    private final ObjectWriter writer;
    private final ObjectReader reader;
    private final ObjectReader readerOfOtherVersions;

    JsonCodec(Class<?> type, ObjectMapper mapper) {
        this.type = type;
        this.mapper = mapper;
        this.writer = mapper.writerFor(type).with(SerializationFeature.WRITE_DATES_WITH_ZONE_ID);
        this.reader = mapper.readerFor(type)
                .with(unlimited(mapper.getFactory()))
                .withHandler(new Computed(mapper))
                .with(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .without(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
                .without(DeserializationFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE);
        ObjectReader other = reader.without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        this.readerOfOtherVersions =
                leavesOut() ? other : other.with(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES);
    }

    /** Jackson's limits are for what strangers send. They hold for reading alone: what they refuse is recorded by then. */
    private static JsonFactory unlimited(JsonFactory factory) {
        JsonFactory own = factory.copy();
        own.setStreamReadConstraints(StreamReadConstraints.builder()
                .maxDocumentLength(-1)
                .maxTokenCount(-1)
                .maxStringLength(Integer.MAX_VALUE)
                .maxNameLength(Integer.MAX_VALUE)
                .maxNumberLength(Integer.MAX_VALUE)
                .maxNestingDepth(factory.streamWriteConstraints().getMaxNestingDepth())
                .build());
        return own;
    }

    /** Whether a field that is not there may be one that was null. */
    private boolean leavesOut() {
        var inclusion = described()
                .findPropertyInclusion(mapper.getSerializationConfig().getDefaultPropertyInclusion())
                .getValueInclusion();
        return inclusion != JsonInclude.Include.ALWAYS && inclusion != JsonInclude.Include.USE_DEFAULTS;
    }

    private BeanDescription described() {
        return mapper.getDeserializationConfig().introspect(mapper.constructType(type));
    }

    @Override
    public String id() {
        return "json";
    }

    @Override
    public byte[] encode(T value) throws Exception {
        return writer.writeValueAsBytes(value);
    }

    @Override
    @SuppressWarnings("NullAway") // a recorded null is a null result, which T then allows
    public T decode(byte[] bytes) throws Exception {
        try {
            return reader.readValue(bytes);
        } catch (UnrecognizedPropertyException e) {
            if (!hasAKnownField(bytes)) {
                throw e;
            }
            return readerOfOtherVersions.readValue(bytes);
        }
    }

    private boolean hasAKnownField(byte[] bytes) throws IOException {
        Set<String> known = new HashSet<>();
        described().findProperties().forEach(property -> {
            known.add(property.getName());
            property.findAliases().forEach(alias -> known.add(alias.getSimpleName()));
        });
        try (var parser = reader.getFactory().createParser(bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return true;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                if (known.contains(parser.currentName())) {
                    return true;
                }
                parser.nextToken();
                parser.skipChildren();
            }
            return known.isEmpty();
        }
    }

    @Override
    @SuppressWarnings("deprecation") // Jackson 2 has no other way to ask
    public void check() {
        if (type == Void.class) {
            return;
        }
        String fault = JsonShape.faultOfStored(type, mapper);
        if (fault != null) {
            throw unfit("stored as", fault);
        }
        if (!mapper.canSerialize(type)) {
            throw unfit("written as", "Jackson finds nothing to write");
        }
        if (!mapper.canDeserialize(mapper.constructType(type))) {
            throw unfit("read from", "Jackson finds no way to make one");
        }
    }

    private IllegalArgumentException unfit(String what, String why) {
        return new IllegalArgumentException("values of type " + type.getName() + " cannot be " + what + " JSON: " + why
                + "; or give the operation a codec of your own");
    }

    /** What is written because a getter computes it need not be read. */
    private static final class Computed extends DeserializationProblemHandler {
        private final ObjectMapper mapper;
        private final ConcurrentMap<Class<?>, Set<String>> written = new ConcurrentHashMap<>();

        Computed(ObjectMapper mapper) {
            this.mapper = mapper;
        }

        @Override
        public boolean handleUnknownProperty(
                DeserializationContext context,
                JsonParser parser,
                JsonDeserializer<?> deserializer,
                Object beanOrClass,
                String name)
                throws IOException {
            Class<?> type = beanOrClass instanceof Class<?> known ? known : beanOrClass.getClass();
            if (!written.computeIfAbsent(type, this::written).contains(name)) {
                return false;
            }
            parser.skipChildren();
            return true;
        }

        private Set<String> written(Class<?> type) {
            return mapper.getSerializationConfig().introspect(mapper.constructType(type)).findProperties().stream()
                    .filter(BeanPropertyDefinition::couldSerialize)
                    .map(BeanPropertyDefinition::getName)
                    .collect(Collectors.toUnmodifiableSet());
        }
    }
}
