package dev.idempotency.cli;

import dev.idempotency.Admin.Ruling;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** People and the digests of their secrets. Immutable. */
final class TokenFile implements Authenticator {
    private static final Logger LOG = LoggerFactory.getLogger(TokenFile.class);
    private static final int SHORTEST = 16;
    private static final int FEWEST_DIFFERENT = 8;

    private static final class Person {
        private final String name;
        private final byte[] secret;
        private final byte[] nameAndSecret;

        Person(String name, String secret) {
            this.name = name;
            this.secret = digest(secret);
            this.nameAndSecret = digest(name + ":" + secret);
        }
    }

    private final List<Person> people;

    private TokenFile(List<Person> people) {
        this.people = List.copyOf(people);
    }

    static TokenFile read(Path file) throws IOException {
        requireOwn(file);
        List<Person> people = new ArrayList<>();
        int number = 0;
        for (String line : Files.readAllLines(file)) {
            number++;
            if (!line.isBlank() && !line.startsWith("#")) {
                people.add(person(line, number, people));
            }
        }
        if (people.isEmpty()) {
            throw new IllegalArgumentException("the token file names nobody; it needs lines of name:secret");
        }
        return new TokenFile(people);
    }

    /** Who can write the file can decide under any name; who can read it, too. */
    private static void requireOwn(Path file) throws IOException {
        if (Files.getFileAttributeView(file, PosixFileAttributeView.class) == null) {
            return;
        }
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        if (permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new IllegalArgumentException(
                    "every user of this machine can write the token file, and so act under any name: chmod 600");
        }
        if (permissions.contains(PosixFilePermission.OTHERS_READ)) {
            LOG.warn("Every user of this machine can read the token file, and so act under any name of it: chmod 600");
        }
    }

    private static Person person(String line, int number, List<Person> others) {
        int colon = line.indexOf(':');
        if (colon < 1 || line.length() - colon - 1 < SHORTEST) {
            throw new IllegalArgumentException(
                    "line " + number + " of the token file is not name:secret with a secret of" + " at least "
                            + SHORTEST + " characters");
        }
        if (line.substring(colon + 1).chars().distinct().count() < FEWEST_DIFFERENT) {
            throw new IllegalArgumentException(
                    "line " + number + " of the token file has a secret that is easily guessed: it" + " has fewer than "
                            + FEWEST_DIFFERENT + " different characters");
        }
        String name = line.substring(0, colon).strip();
        try {
            new Ruling(name, "-", "-");
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("line " + number + " of the token file has no usable name", e);
        }
        var person = new Person(name, line.substring(colon + 1));
        for (Person other : others) {
            if (other.name.equalsIgnoreCase(name) || MessageDigest.isEqual(other.secret, person.secret)) {
                throw new IllegalArgumentException(
                        "line " + number + " of the token file has a name or a secret that another line has");
            }
        }
        return person;
    }

    @Override
    public @Nullable String user(Function<String, @Nullable String> header) {
        String credentials = header.apply("Authorization");
        if (credentials == null) {
            return null;
        }
        if (credentials.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return find(credentials.substring(7).strip(), person -> person.secret);
        }
        if (!credentials.regionMatches(true, 0, "Basic ", 0, 6)) {
            return null;
        }
        try {
            byte[] pair = Base64.getDecoder().decode(credentials.substring(6).strip());
            return find(new String(pair, StandardCharsets.UTF_8), person -> person.nameAndSecret);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Looks at each person, found or not: the time it takes tells nothing. */
    private @Nullable String find(String brought, Function<Person, byte[]> of) {
        byte[] digest = digest(brought);
        String found = null;
        for (Person person : people) {
            if (MessageDigest.isEqual(of.apply(person), digest)) {
                found = person.name;
            }
        }
        return found;
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
