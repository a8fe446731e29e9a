package dev.idempotency;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.BeanProperty;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationConfig;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.jsontype.TypeSerializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.BeanSerializerModifier;
import com.fasterxml.jackson.databind.ser.ContextualSerializer;
import com.fasterxml.jackson.databind.type.CollectionType;
import com.fasterxml.jackson.databind.util.TokenBuffer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Writes a set in an order that is its own, and not the one that its elements have in this process. */
final class Sets {
    private Sets() {}

    /** The same mapper, for fingerprints only. */
    static ObjectMapper sorting(ObjectMapper mapper) {
        var module = new SimpleModule("dev.idempotency.sets");
        module.setSerializerModifier(new BeanSerializerModifier() {
            private static final long serialVersionUID = 1L;

            @Override
            public JsonSerializer<?> modifyCollectionSerializer(
                    SerializationConfig config,
                    CollectionType type,
                    BeanDescription description,
                    JsonSerializer<?> serializer) {
                return type.isTypeOrSubTypeOf(Set.class) ? new Sorting(serializer) : serializer;
            }
        });
        return mapper.copy().registerModule(module);
    }

    private static final class Sorting extends JsonSerializer<Object> implements ContextualSerializer {
        private final JsonSerializer<Object> elements;

        @SuppressWarnings("unchecked")
        Sorting(JsonSerializer<?> elements) {
            this.elements = (JsonSerializer<Object>) elements;
        }

        @Override
        public JsonSerializer<?> createContextual(SerializerProvider provider, BeanProperty property)
                throws JsonMappingException {
            return elements instanceof ContextualSerializer contextual
                    ? new Sorting(contextual.createContextual(provider, property))
                    : this;
        }

        @Override
        public void serialize(Object set, JsonGenerator generator, SerializerProvider provider) throws IOException {
            if (((Collection<?>) set).size() < 2) {
                elements.serialize(set, generator, provider);
                return;
            }
            JsonNode written;
            try (var buffer = new TokenBuffer(generator.getCodec(), false)) {
                elements.serialize(set, buffer, provider);
                try (var parser = buffer.asParser()) {
                    written = parser.readValueAsTree();
                }
            }
            if (!written.isArray()) {
                provider.defaultSerializeValue(written, generator);
                return;
            }
            generator.writeStartArray();
            for (JsonNode element : sorted(written, provider)) {
                provider.defaultSerializeValue(element, generator);
            }
            generator.writeEndArray();
        }

        private static List<JsonNode> sorted(JsonNode array, SerializerProvider provider) throws IOException {
            var texts = new ArrayList<String>(array.size());
            for (JsonNode element : array) {
                texts.add(Canonical.text(element, provider.getConfig().getBase64Variant()));
            }
            Comparator<Integer> byKind = Comparator.comparing(i -> array.get(i).getNodeType());
            return IntStream.range(0, array.size())
                    .boxed()
                    .sorted(byKind.thenComparing((one, other) -> inOrder(array.get(one), array.get(other)))
                            .thenComparing(texts::get))
                    .map(array::get)
                    .toList();
        }

        /** Numbers by size and text by its characters, as a sorted set of them has it. */
        private static int inOrder(JsonNode one, JsonNode other) {
            if (one.isTextual()) {
                return one.textValue().compareTo(other.textValue());
            }
            return one.isNumber() ? one.decimalValue().compareTo(other.decimalValue()) : 0;
        }

        @Override
        public void serializeWithType(
                Object set, JsonGenerator generator, SerializerProvider provider, TypeSerializer types)
                throws IOException {
            elements.serializeWithType(set, generator, provider, types);
        }

        @Override
        public boolean isEmpty(SerializerProvider provider, Object set) {
            return elements.isEmpty(provider, set);
        }
    }
}
