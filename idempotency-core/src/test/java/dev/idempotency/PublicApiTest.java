package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.store.StoreException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds the compiled public types against {@code docs/api.md}. */
final class PublicApiTest {
    private static final Path CLASSES = Path.of("target", "classes");

    private static List<Class<?>> publicTypes() {
        try (Stream<Path> files = Files.walk(CLASSES)) {
            return files.map(file -> CLASSES.relativize(file).toString().replace('\\', '/'))
                    .filter(name -> name.startsWith("dev/") && name.endsWith(".class"))
                    .filter(name -> !name.contains("$") && !name.endsWith("package-info.class"))
                    .map(name ->
                            name.substring(0, name.length() - ".class".length()).replace('/', '.'))
                    .sorted()
                    .<Class<?>>map(PublicApiTest::load)
                    .filter(type -> Modifier.isPublic(type.getModifiers()))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, PublicApiTest.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    private static Stream<List<String>> forEverybody() {
        return MarkdownTable.rows("api.md", "Type", "What it is").stream();
    }

    private static Stream<List<String>> forOperators() {
        return MarkdownTable.rows("api.md", "Type", "What it is for").stream();
    }

    @Test
    void forEverybody_pageAndClassesAreEqual() {
        assertThat(Stream.concat(forEverybody(), forOperators()).map(row -> row.get(0)))
                .containsExactlyInAnyOrderElementsOf(publicTypes().stream()
                        .filter(type -> type.getPackageName().equals("dev.idempotency"))
                        .map(Class::getSimpleName)
                        .toList());
    }

    @Test
    void forStoreAuthors_pageAndClassesAreEqual() {
        assertThat(MarkdownTable.rows("api.md", "Package", "Type", "What it is").stream()
                        .map(row -> row.get(0) + "." + row.get(1)))
                .containsExactlyInAnyOrderElementsOf(publicTypes().stream()
                        .filter(type -> !type.getPackageName().equals("dev.idempotency"))
                        .map(Class::getName)
                        .toList());
    }

    @Test
    void forEverybody_thereAreAtMost25() {
        assertThat(forEverybody()).hasSizeBetween(1, 25);
    }

    @Test
    void classes_areFinal_unlessTheyAreMadeToBeExtended() {
        assertThat(publicTypes())
                .filteredOn(type -> !type.isInterface() && !Modifier.isFinal(type.getModifiers()))
                .containsExactly(IdempotencyException.class, StoreException.class);
    }

    @Test
    void everyLine_saysSomething() {
        assertThat(Stream.concat(forEverybody(), forOperators()))
                .allSatisfy(row -> assertThat(row.get(1)).hasSizeGreaterThan(20).endsWith("."));
        assertThat(MarkdownTable.rows("api.md", "Package", "Type", "What it is"))
                .allSatisfy(row -> assertThat(row.get(2)).hasSizeGreaterThan(20).endsWith("."));
    }
}
