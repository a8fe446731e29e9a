package dev.idempotency;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import org.jspecify.annotations.Nullable;

/** Values as JSON of their declared type; no type names in the JSON, none read from it. */
final class JsonCodec<T extends @Nullable Object> implements Codec<T> {
    private final Class<?> type;
    private final ObjectMapper mapper;
    private final ObjectWriter writer;
    private final ObjectReader reader;

    JsonCodec(Class<?> type, ObjectMapper mapper) {
        this.type = type;
        this.mapper = mapper;
        this.writer = mapper.writerFor(type);
        this.reader = mapper.readerFor(type);
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
        return reader.readValue(bytes);
    }

    @Override
    @SuppressWarnings("deprecation") // Jackson 2 has no other way to ask
    public void check() {
        if (type == Void.class) {
            return;
        }
        var serializable = mapper.canSerialize(type);
        var deserializable = mapper.canDeserialize(mapper.constructType(type));
        if (!serializable || !deserializable) {
            throw new IllegalArgumentException("values of type " + type.getName() + " cannot be "
                    + (serializable ? "read from" : "written as") + " JSON; give the operation a codec of your own");
        }
    }
}
