package dev.idempotency.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The library on a class path that has no Micrometer. */
final class WithoutMicrometerTest {
    private static final Path CLASSES = Path.of("target", "classes");

    private final URLClassLoader loader = withoutMicrometer();

    /** Run in the other class loader. */
    public static final class Charging implements Callable<String> {
        @Override
        public String call() {
            try (var idempotency = Idempotency.builder(CaffeineIdempotencyStore.create())
                    .listener(event -> {})
                    .build()) {
                return idempotency
                        .operation("charge", String.class, String.class)
                        .key(order -> order)
                        .calling((order, attempt) -> "ok")
                        .execute("o-1");
            }
        }
    }

    /** Run in the other class loader. */
    public static final class Measuring implements Callable<String> {
        @Override
        public String call() {
            try (var metrics = IdempotencyMetrics.of(CaffeineIdempotencyStore.create())) {
                return metrics.toString();
            }
        }
    }

    private static URLClassLoader withoutMicrometer() {
        var urls = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.contains("micrometer"))
                .map(WithoutMicrometerTest::url)
                .toArray(URL[]::new);
        return new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
    }

    private static URL url(String entry) {
        try {
            return Path.of(entry).toUri().toURL();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void close() throws IOException {
        loader.close();
    }

    private Object run(Class<?> body) throws ReflectiveOperationException {
        Class<?> there = loader.loadClass(body.getName());
        assertThat(there).isNotSameAs(body);
        var made = there.getConstructor().newInstance();
        return there.getMethod("call").invoke(made);
    }

    @Test
    void micrometer_isNotThere() {
        assertThatThrownBy(() -> loader.loadClass("io.micrometer.core.instrument.MeterRegistry"))
                .isInstanceOf(ClassNotFoundException.class);
        assertThatThrownBy(() -> run(Measuring.class))
                .isInstanceOf(InvocationTargetException.class)
                .hasCauseInstanceOf(NoClassDefFoundError.class);
    }

    @Test
    void operation_isExecuted() throws Exception {
        assertThat(run(Charging.class)).isEqualTo("ok");
    }

    @Test
    void classes_outsideOfMetrics_allLoadWithTheirMembers() throws Exception {
        var loaded = new ArrayList<String>();
        int members = 0;
        try (var files = Files.walk(CLASSES)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".class")).toList()) {
                String name = CLASSES.relativize(file)
                        .toString()
                        .replaceAll("[/\\\\]", ".")
                        .replaceAll("\\.class$", "");
                if (!name.startsWith("dev.idempotency.metrics.") && !name.endsWith("-info")) {
                    Class<?> type = Class.forName(name, true, loader);
                    members += type.getDeclaredMethods().length
                            + type.getDeclaredFields().length
                            + type.getDeclaredConstructors().length;
                    loaded.add(name);
                }
            }
        }

        assertThat(loaded).hasSizeGreaterThan(50);
        assertThat(members).isGreaterThan(200);
    }
}
