package dev.idempotency.cli;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What the console answers. Immutable, as long as nobody writes into the body. */
final class Response {
    private final int status;
    private final String type;
    private final byte[] body;
    private final @Nullable Target location;
    private final @Nullable String cookie;

    private Response(int status, String type, byte[] body, @Nullable Target location, @Nullable String cookie) {
        this.status = status;
        this.type = type;
        this.body = body;
        this.location = location;
        this.cookie = cookie;
    }

    static Response page(int status, Html page) {
        return new Response(
                status, "text/html; charset=utf-8", page.write().getBytes(StandardCharsets.UTF_8), null, null);
    }

    static Response css(byte[] css) {
        return new Response(200, "text/css; charset=utf-8", css, null, null);
    }

    static Response see(Target other) {
        return new Response(303, "text/plain; charset=utf-8", new byte[0], other, null);
    }

    /** The same, and the browser keeps this. */
    Response with(String other) {
        return new Response(status, type, body, location, other);
    }

    int status() {
        return status;
    }

    String type() {
        return type;
    }

    byte[] body() {
        return body;
    }

    /** Where to go instead; null unless this is a redirection. */
    @Nullable
    Target location() {
        return location;
    }

    /** What the browser keeps; null for nothing. */
    @Nullable
    String cookie() {
        return cookie;
    }
}
