package dev.idempotency.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * One atomic step on the server, and its SHA-1.
 *
 * <p>None of them but one claims to write nothing, so a replica refuses all of them at the start; the one refuses by itself.
 * Only a reservation is refused when memory is full: what was reserved can still be resolved.
 */
record Script(String text, String sha) {

    /** All steps. */
    record All(
            Script reserve,
            Script replace,
            Script find,
            Script peek,
            Script list,
            Script purge,
            Script append,
            Script audit) {
        static All load() {
            return load(UnaryOperator.identity());
        }

        /** Tests put their own clock into the text. */
        static All load(UnaryOperator<String> edit) {
            return new All(
                    script("reserve", "#!lua", edit),
                    script("replace", "#!lua flags=allow-oom", edit),
                    script("find", "#!lua flags=allow-oom", edit),
                    script("peek", "#!lua flags=no-writes,allow-oom", edit),
                    script("list", "#!lua flags=allow-oom", edit),
                    script("purge", "#!lua flags=allow-oom", edit),
                    script("append", "#!lua flags=allow-oom", edit),
                    script("audit", "#!lua flags=allow-oom", edit));
        }
    }

    private static Script script(String name, String shebang, UnaryOperator<String> edit) {
        return of(shebang, edit, "record", name);
    }

    /** One text out of some resources. */
    static Script of(String shebang, UnaryOperator<String> edit, String... names) {
        String text = edit.apply(
                shebang + "\n" + Arrays.stream(names).map(Script::resource).collect(Collectors.joining()));
        return new Script(text, HexFormat.of().formatHex(sha1(text)));
    }

    private static String resource(String name) {
        try (InputStream in = Script.class.getResourceAsStream(name + ".lua")) {
            if (in == null) {
                throw new IllegalStateException(name + ".lua is missing beside " + Script.class.getName());
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] sha1(String text) {
        try {
            return MessageDigest.getInstance("SHA-1").digest(Layout.bytes(text));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-1", e);
        }
    }
}
