package dev.idempotency.cli;

import dev.idempotency.IdempotencyKey;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Where a link or a form of the console goes: a path of its own with parameters, or the provider's. Immutable. */
final class Target {
    private final String text;

    private Target(String text) {
        this.text = text;
    }

    static Target path(String path) {
        if (!path.matches("/[a-z./]*")) {
            throw new IllegalArgumentException("no path of this console: " + path);
        }
        return new Target(path);
    }

    /** A place on the same page. */
    static Target here(String id) {
        if (!id.matches("[a-z0-9-]+")) {
            throw new IllegalArgumentException("no id of this console: " + id);
        }
        return new Target("#" + id);
    }

    static Target key(IdempotencyKey key) {
        return path("/key").with("scope", key.scope()).with("key", key.value());
    }

    /** An address of somebody else's, for people to follow. */
    static Target outside(String address) {
        if (!address.matches("(?i)https?://[^\\s\"'<>\\\\]+")) {
            throw new IllegalArgumentException("no address that people may be led to");
        }
        return new Target(address);
    }

    /** The same with a parameter more; without it when there is no value. */
    Target with(String name, @Nullable String value) {
        if (value == null || value.isEmpty()) {
            return this;
        }
        return new Target(text + (text.contains("?") ? "&" : "?") + name + "="
                + URLEncoder.encode(value, StandardCharsets.UTF_8));
    }

    String text() {
        return text;
    }
}
