package dev.idempotency.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Says who a request to the {@link OperationsConsole} comes from. That name is what the audit trail gets: whoever is told apart
 * here cannot act as somebody else. Must be thread-safe.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface Authenticator {
    /**
     * Looks at one request.
     *
     * @param header the request's headers by name, whatever the case of its letters: the first value, null when there is none
     * @return the user's name, as {@link dev.idempotency.Admin.Ruling#who} takes it; null to refuse
     */
    @Nullable
    String user(Function<String, @Nullable String> header);

    /**
     * Knows people by the secrets of a file: lines of {@code name:secret}, where blank lines and those that begin with
     * {@code #} do not count. Takes a name and its secret by HTTP Basic, or a secret alone as a Bearer token; compares in
     * constant time. Whoever shares a secret can act for the other, and approve his own wishes: give each person one.
     *
     * @param file the file, in UTF-8; read now, and not again. Keep it from other users of the machine
     * @return an authenticator; thread-safe
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException if the file has no line, a line that is not one, a name or a secret twice, a secret of
     *     less than 16 characters or less than 8 different ones, or if every user of the machine may write it; the message has no
     *     secret
     */
    static Authenticator tokenFile(Path file) throws IOException {
        return TokenFile.read(file);
    }
}
