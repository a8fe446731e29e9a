package dev.idempotency;

import com.fasterxml.jackson.databind.Module;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ServiceLoader;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Modules of Jackson's own without which some classes can be written and not read. */
final class Modules {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);
    private static final Set<String> WANTED = Set.of(
            "com.fasterxml.jackson.module.kotlin.KotlinModule",
            "com.fasterxml.jackson.module.paramnames.ParameterNamesModule");

    private Modules() {}

    /** The same mapper with those that are on the class path. */
    static ObjectMapper present(ObjectMapper mapper) {
        ObjectMapper own = mapper.copy();
        try {
            ServiceLoader.load(Module.class, Module.class.getClassLoader()).stream()
                    .filter(module -> WANTED.contains(module.type().getName()))
                    .forEach(module -> own.registerModule(module.get()));
        } catch (Throwable e) {
            // One that does not fit this Jackson is no reason not to start: a type that needs it is refused.
            LOG.warn("A module of Jackson cannot be used; values are read and written without it", e);
        }
        return own;
    }
}
