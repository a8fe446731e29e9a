package dev.idempotency.docs.release;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Stages a release twice, in two folders, signed with a key that is thrown away. Needs {@code gpg}. For minutes: by name alone.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ReleaseTest {
    private static final List<String> MODULES = List.of("core", "testkit", "jdbc", "redis", "slack", "cli");

    private Map<String, String> environment;
    private Path first;
    private Path second;

    @BeforeAll
    void stage(@TempDir Path temporary) throws Exception {
        Path keys = Files.createDirectory(
                temporary.resolve("keys"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        environment = Map.of("GNUPGHOME", keys.toString());
        gpg(
                "--batch",
                "--passphrase",
                "",
                "--quick-generate-key",
                "Thrown away <nobody@example.invalid>",
                "rsa2048",
                "sign",
                "1d");
        first = staged(temporary.resolve("one"));
        second = staged(temporary.resolve("somewhere/else"));
    }

    private void gpg(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("gpg"));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        var process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    /** The version is one of a release, and the addresses are some that a release may have. */
    private Path staged(Path folder) throws Exception {
        var copy = WorkingCopy.into(folder);
        copy.version("0.1.0-SNAPSHOT", "0.1.0");
        for (String pom : List.of("pom.xml", "idempotency-bom/pom.xml")) {
            copy.change(pom, "idempotency.invalid", "idempotency.example");
        }
        var build = copy.maven(
                environment, List.of("-P", "release", "deploy", "-DskipTests", "-Djacoco.skip", "-pl", modules()));
        assertThat(build.succeeded()).as(build.log()).isTrue();
        return folder.resolve("target/staging/dev/idempotency");
    }

    private static String modules() {
        return ".,idempotency-bom,idempotency-" + String.join(",idempotency-", MODULES);
    }

    private static Map<String, String> digests(Path staging) throws Exception {
        var digests = new TreeMap<String, String>();
        try (Stream<Path> files = Files.walk(staging)) {
            for (Path file : files.filter(one -> one.toString().matches(".*\\.(jar|pom|json)"))
                    .toList()) {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
                digests.put(staging.relativize(file).toString(), HexFormat.of().formatHex(digest));
            }
        }
        return digests;
    }

    @Test
    void builds_ofTheSameSourcesInTwoFolders_areTheSameBytes() throws Exception {
        assertThat(digests(first)).hasSizeGreaterThan(5 * MODULES.size()).isEqualTo(digests(second));
    }

    @Test
    void modules_haveAllThatARepositoryAsksFor() {
        for (String module : MODULES) {
            String name = "idempotency-" + module + "/0.1.0/idempotency-" + module + "-0.1.0";
            for (String part : List.of(".pom", ".jar", "-sources.jar", "-javadoc.jar", "-cyclonedx.json")) {
                assertThat(first.resolve(name + part)).isNotEmptyFile();
            }
        }
        assertThat(first.resolve("idempotency-bom/0.1.0/idempotency-bom-0.1.0.pom"))
                .isNotEmptyFile();
        assertThat(first.resolve("idempotency-parent/0.1.0/idempotency-parent-0.1.0.pom"))
                .isNotEmptyFile();
    }

    @Test
    void files_areAllSigned() throws Exception {
        for (String file : digests(first).keySet()) {
            gpg(
                    "--verify",
                    first.resolve(file + ".asc").toString(),
                    first.resolve(file).toString());
        }
    }

    @Test
    void sbom_namesWhatTheModuleNeeds() throws Exception {
        assertThat(first.resolve("idempotency-jdbc/0.1.0/idempotency-jdbc-0.1.0-cyclonedx.json"))
                .content()
                .contains("\"bomFormat\" : \"CycloneDX\"")
                .contains("pkg:maven/dev.idempotency/idempotency-core@0.1.0")
                .contains("pkg:maven/org.postgresql/postgresql@");
    }

    @Test
    void release_withoutARepositoryOfItsOwn_isRefused(@TempDir Path folder) throws Exception {
        var copy = WorkingCopy.into(folder.resolve("copy"));
        copy.version("0.1.0-SNAPSHOT", "0.1.0");

        var build = copy.maven(environment, List.of("-P", "release", "validate", "-pl", "."));

        assertThat(build.succeeded()).as(build.log()).isFalse();
        assertThat(build.log()).contains("A release names its repository");
    }
}
