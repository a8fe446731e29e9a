package dev.idempotency.docs.release;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The comparison with the previous release, tried on the real core: it is put as 0.1.0 and as 1.0.0 into a repository that is
 * thrown away, then changed and compared. For minutes: by name alone.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ApiBaselineTest {
    private static final String SOURCES = "idempotency-core/src/main/java/dev/idempotency/";
    private static final String OFFERED = "public @Nullable Fingerprint offered()";
    private static final String CREATED = "MismatchException(IdempotencyKey key";
    private static final String SNAPSHOT = "0.1.0-SNAPSHOT";

    private Path folder;
    private Path repository;

    @BeforeAll
    void release(@TempDir Path temporary) throws Exception {
        folder = temporary;
        repository = WorkingCopy.repository(temporary.resolve("repository"));
        for (String version : List.of("0.1.0", "1.0.0")) {
            var copy = copy(version);
            Files.writeString(
                    copy.folder().resolve(SOURCES + "Gone.java"), "package dev.idempotency;\n\nfinal class Gone {}\n");
            copy.change(SOURCES + "MismatchException.java", CREATED, "void gone() {}\n\n    " + CREATED);
            var build = copy.maven(Map.of(), arguments("install"));
            assertThat(build.succeeded()).as(build.log()).isTrue();
        }
    }

    /** The folder goes with all that is in it: the links first, so that nothing can follow them. */
    @AfterAll
    void unlink() throws Exception {
        WorkingCopy.unlink(repository);
    }

    private WorkingCopy copy(String version) throws Exception {
        var copy = WorkingCopy.into(Files.createTempDirectory(folder, "core"));
        copy.version(SNAPSHOT, version);
        return copy;
    }

    private List<String> arguments(String... more) {
        var arguments = new ArrayList<>(List.of(
                "-pl",
                "idempotency-core",
                "-am",
                "-Dmaven.repo.local=" + repository,
                "-Dmaven.test.skip",
                "-Djacoco.skip",
                "-Dspotless.check.skip",
                "-Denforcer.skip",
                "-Ddoclint=-Xdoclint:none"));
        arguments.addAll(List.of(more));
        return arguments;
    }

    /** The change, the release before, the version that is being built, and whether that is allowed. */
    @ParameterizedTest
    @CsvSource({
        "package-private removed,  0.1.0, 0.1.1-SNAPSHOT, yes",
        "method removed,           0.1.0, 0.1.1-SNAPSHOT, METHOD_REMOVED",
        "method removed,           1.0.0, 1.1.0-SNAPSHOT, METHOD_REMOVED",
        "method removed,           1.0.0, 2.0.0-SNAPSHOT, yes",
        "method added,             1.0.0, 1.1.0-SNAPSHOT, yes",
        "store must do more,       1.0.0, 1.1.0-SNAPSHOT, METHOD_ADDED_TO_INTERFACE",
        "experimental removed,     1.0.0, 1.0.1-SNAPSHOT, yes",
    })
    void change_sinceARelease_isJudged(String change, String baseline, String version, String allowed)
            throws Exception {
        var copy = copy(version);
        change(copy, change);

        var build = copy.maven(Map.of(), arguments("verify", "-Dapi.baseline=" + baseline));

        if (allowed.equals("yes")) {
            assertThat(build.succeeded()).as(build.log()).isTrue();
            assertThat(build.log()).contains("japicmp");
        } else {
            assertThat(build.succeeded()).as(build.log()).isFalse();
            assertThat(build.log()).contains("japicmp").contains(allowed);
        }
    }

    private static void change(WorkingCopy copy, String change) throws Exception {
        switch (change) {
            case "method removed" ->
                copy.change(SOURCES + "MismatchException.java", OFFERED, OFFERED.replace("offered", "renamed"));
            case "method added" ->
                copy.change(
                        SOURCES + "MismatchException.java",
                        CREATED,
                        "public int added() {\n        return 1;\n    }\n\n    " + CREATED);
            case "store must do more" ->
                copy.change(
                        SOURCES + "store/WakingStore.java",
                        "public interface WakingStore extends IdempotencyStore {",
                        "public interface WakingStore extends IdempotencyStore {\n /** More. */\n void more();\n");
            case "experimental removed" -> copy.change(SOURCES + "NearCache.java", "public void drop(", "void drop(");
            default ->
                assertThat(change)
                        .as("what the releases had and this one has not")
                        .isEqualTo("package-private removed");
        }
    }

    @Test
    void baseline_thatDoesNotExist_breaksTheBuild() throws Exception {
        var build = copy("0.1.1-SNAPSHOT").maven(Map.of(), arguments("verify", "-Dapi.baseline=0.0.9"));

        assertThat(build.succeeded()).as(build.log()).isFalse();
        assertThat(build.log()).contains("0.0.9");
    }
}
