package dev.idempotency;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.AbstractDeserializer;
import com.fasterxml.jackson.databind.deser.BeanDeserializerBase;
import com.fasterxml.jackson.databind.deser.DefaultDeserializationContext;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.ser.BeanSerializer;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Looks at a type, and at the types of its fields, for what JSON would lose of a value: before any value is written, for by the
 * time that somebody reads one it is too late. Only classes that Jackson takes apart into fields are looked at; those that have a
 * serializer of their own are trusted.
 */
final class JsonShape {
    private static final String KOTLIN = "kotlin.Metadata";

    private final ObjectMapper mapper;
    private final boolean isRead;
    private final Set<JavaType> seen = new HashSet<>();
    private final Deque<JavaType> todo = new ArrayDeque<>();

    private JsonShape(ObjectMapper mapper, boolean isRead) {
        this.mapper = mapper;
        this.isRead = isRead;
    }

    /** What is wrong with a type whose values are written, and never read; null if nothing is. */
    static @Nullable String faultOfWritten(Class<?> type, ObjectMapper mapper) {
        return new JsonShape(mapper, false).fault(type);
    }

    /** What is wrong with a type whose values are written and read again; null if nothing is. */
    static @Nullable String faultOfStored(Class<?> type, ObjectMapper mapper) {
        return new JsonShape(mapper, true).fault(type);
    }

    private @Nullable String fault(Class<?> type) {
        if (isRead && (type == Object.class || type.getTypeParameters().length > 0)) {
            return type.getName() + " does not say what is in it; declare a record or class with a field of that type";
        }
        todo.add(mapper.constructType(type));
        while (!todo.isEmpty()) {
            JavaType next = todo.remove();
            if (seen.add(next)) {
                String fault = faultOf(next);
                if (fault != null) {
                    return fault;
                }
            }
        }
        return null;
    }

    private @Nullable String faultOf(JavaType type) {
        for (int i = 0; i < type.containedTypeCount(); i++) {
            todo.add(type.containedType(i));
        }
        if (type.isArrayType() || type.isContainerType() || type.isReferenceType()) {
            if (type.getContentType() != null) {
                todo.add(type.getContentType());
            }
            return null;
        }
        Class<?> raw = type.getRawClass();
        if (raw.isPrimitive() || raw.isEnum() || raw == Object.class || isOfAPlatform(raw)) {
            return null;
        }
        boolean isNamed = isNamed(type, mapper);
        if (raw.isSealed()) {
            Arrays.stream(raw.getPermittedSubclasses())
                    .map(mapper::constructType)
                    .forEach(todo::add);
            if (!isNamed && seen.size() > 1) {
                return raw.getName()
                        + " may be one of several classes, and its JSON does not say which; annotate it with"
                        + " @JsonTypeInfo";
            }
        }
        try {
            boolean isTakenApart =
                    mapper.getSerializerProviderInstance().findValueSerializer(type) instanceof BeanSerializer;
            String unread = isRead ? unreadable(type, isNamed, isTakenApart) : null;
            if (unread != null) {
                return unread;
            }
            return isTakenApart ? faultOfFields(type) : null;
        } catch (JsonMappingException | RuntimeException e) {
            // It may still be that all values are of subclasses that can be written: each run finds out.
            return isRead ? raw.getName() + " cannot be mapped: " + e.getMessage() : null;
        }
    }

    static boolean isOfAPlatform(Class<?> type) {
        String name = type.getName();
        return name.startsWith("java.") || name.startsWith("javax.") || name.startsWith("com.fasterxml.jackson.");
    }

    /** Whether JSON of it says which class it is. */
    static boolean isNamed(JavaType type, ObjectMapper mapper) {
        for (Class<?> level = type.getRawClass(); level != null; level = level.getSuperclass()) {
            if (level.isAnnotationPresent(JsonTypeInfo.class)
                    || Arrays.stream(level.getInterfaces())
                            .anyMatch(of -> of.isAnnotationPresent(JsonTypeInfo.class))) {
                return true;
            }
        }
        return mapper.getSerializationConfig()
                        .introspectClassAnnotations(type)
                        .getClassInfo()
                        .getAnnotation(JsonTypeInfo.class)
                != null;
    }

    private @Nullable String unreadable(JavaType type, boolean isNamed, boolean isTakenApart)
            throws JsonMappingException {
        Class<?> raw = type.getRawClass();
        if (raw.isMemberClass() && !Modifier.isStatic(raw.getModifiers()) && !raw.isInterface()) {
            return raw.getName() + " is an inner class, which cannot be made without its outer object; make it static";
        }
        JsonDeserializer<?> deserializer = deserializer(type);
        if (deserializer instanceof AbstractDeserializer) {
            return isNamed
                    ? null
                    : raw.getName() + " is abstract, and its JSON does not say which class it is; annotate it with"
                            + " @JsonTypeInfo";
        }
        if (isTakenApart && deserializer instanceof BeanDeserializerBase bean) {
            var maker = bean.getValueInstantiator();
            if (!maker.canCreateUsingDefault()
                    && !maker.canCreateFromObjectWith()
                    && !maker.canCreateUsingDelegate()
                    && !maker.canCreateUsingArrayDelegate()) {
                return isKotlin(raw) && !knowsKotlin()
                        ? raw.getName() + " is a Kotlin class, and the mapper has no module for these; put"
                                + " jackson-module-kotlin on the class path, or register it with the mapper that you give"
                        : raw.getName()
                                + " has no constructor that Jackson could use; make it a record, or annotate one"
                                + " with @JsonCreator";
            }
        }
        return null;
    }

    private static boolean isKotlin(Class<?> type) {
        return Arrays.stream(type.getAnnotations())
                .anyMatch(annotation -> annotation.annotationType().getName().equals(KOTLIN));
    }

    private boolean knowsKotlin() {
        return mapper.getRegisteredModuleIds().stream()
                .anyMatch(id -> String.valueOf(id).contains("kotlin"));
    }

    private JsonDeserializer<?> deserializer(JavaType type) throws JsonMappingException {
        var context = (DefaultDeserializationContext) mapper.getDeserializationContext();
        return context.createDummyInstance(mapper.getDeserializationConfig()).findRootValueDeserializer(type);
    }

    private @Nullable String faultOfFields(JavaType type) throws JsonMappingException {
        BeanDescription written = mapper.getSerializationConfig().introspect(type);
        Map<String, BeanPropertyDefinition> byField = new HashMap<>();
        List<BeanPropertyDefinition> computed = new ArrayList<>();
        List<String> fields = fields(type.getRawClass());
        for (BeanPropertyDefinition property : written.findProperties()) {
            if (!property.couldSerialize()) {
                continue;
            }
            AnnotatedMember accessor = property.getAccessor();
            todo.add(accessor.getType());
            AnnotatedMember field = property.getField();
            String name = field == null ? property.getInternalName() : field.getName();
            if (fields.contains(name)) {
                byField.put(name, property);
            } else {
                computed.add(property);
            }
        }
        AnnotatedMember any = written.findAnyGetter();
        BeanDeserializerBase reader = isRead && deserializer(type) instanceof BeanDeserializerBase bean ? bean : null;
        for (Class<?> level = type.getRawClass();
                level != null && !isOfAPlatform(level);
                level = level.getSuperclass()) {
            for (Field field : level.getDeclaredFields()) {
                if (!isState(field)) {
                    continue;
                }
                BeanPropertyDefinition property = byField.get(field.getName());
                Class<?> stored = field.getType();
                boolean hasGetterOfAnotherName = any != null && any.getRawType() == stored;
                for (BeanPropertyDefinition getter : computed) {
                    hasGetterOfAnotherName |= getter.getAccessor().getRawType() == stored;
                }
                if (property == null && !hasGetterOfAnotherName) {
                    return "the field " + field.getName() + " of " + level.getName()
                            + " is not written; give it a getter that Jackson sees and no @JsonIgnore, or make it transient"
                            + " if it does not count";
                }
                if (property != null && reader != null && !isRead(reader, property)) {
                    return "the field " + field.getName() + " of " + level.getName()
                            + " is written and never read; let Jackson set it, or make it transient if it does not count";
                }
            }
        }
        return null;
    }

    private static boolean isRead(BeanDeserializerBase reader, BeanPropertyDefinition property) {
        var maker = reader.getValueInstantiator();
        return reader.findProperty(property.getName()) != null
                || maker.canCreateUsingDelegate()
                || maker.canCreateUsingArrayDelegate();
    }

    private static List<String> fields(Class<?> type) {
        List<String> names = new ArrayList<>();
        for (Class<?> level = type; level != null && !isOfAPlatform(level); level = level.getSuperclass()) {
            for (Field field : level.getDeclaredFields()) {
                if (isState(field)) {
                    names.add(field.getName());
                }
            }
        }
        return names;
    }

    private static boolean isState(Field field) {
        int modifiers = field.getModifiers();
        return !Modifier.isStatic(modifiers) && !Modifier.isTransient(modifiers) && !field.isSynthetic();
    }
}
