package dev.idempotency;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;

/**
 * The fingerprint of all that a request says, which is the default. A request type with a field that JSON leaves out is refused:
 * two requests that differ in it would be taken for one. Where a request may be of one of several classes, its class counts.
 */
final class WholeRequest<I> implements Function<I, Fingerprint> {
    /** Where the JSON says already which class it is, and where there is but one. */
    private static final String NO_KIND = "";

    private final Class<?> type;
    private final ObjectMapper mapper;
    private final ConcurrentMap<Class<?>, String> kinds = new ConcurrentHashMap<>();

    /**
     * Makes the function.
     *
     * @throws IllegalArgumentException if the JSON of the type does not say all of it
     */
    WholeRequest(Class<?> type, ObjectMapper mapper) {
        this.type = type;
        this.mapper = mapper;
        requireVisible(type);
    }

    @Override
    public Fingerprint apply(I request) {
        Class<?> actual = request.getClass();
        if (actual == type) {
            return Canonical.fingerprint(request, mapper);
        }
        String kind = kinds.get(actual);
        if (kind == null) {
            kind = kind(actual);
            kinds.put(actual, kind);
        }
        return Canonical.fingerprint(request, mapper, kind.equals(NO_KIND) ? null : kind);
    }

    private void requireVisible(Class<?> looked) {
        String fault = JsonShape.faultOfWritten(looked, mapper);
        if (fault != null) {
            throw new IllegalArgumentException(
                    "requests of type " + looked.getName() + " have no fingerprint that says all of them: " + fault
                            + "; or choose what counts with fingerprint(..)");
        }
    }

    /** As the class is called in its package: another package is no other request. */
    private String kind(Class<?> actual) {
        requireVisible(actual);
        boolean hasNoNameOfItsOwn = actual.isSynthetic()
                || actual.isHidden()
                || actual.isAnonymousClass()
                || Proxy.isProxyClass(actual)
                || actual.getName().contains("$$");
        if (Modifier.isFinal(type.getModifiers())
                || type.isEnum()
                || hasNoNameOfItsOwn
                || JsonShape.isOfAPlatform(actual)
                || JsonShape.isNamed(mapper.constructType(actual), mapper)) {
            return NO_KIND;
        }
        return actual.getName().substring(actual.getPackageName().length()).replaceFirst("^\\.", "");
    }
}
