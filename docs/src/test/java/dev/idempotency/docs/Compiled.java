package dev.idempotency.docs;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The classes of the modules, to hold the guides against. */
final class Compiled {
    private Compiled() {}

    /** The public types of a module that are no members of others. */
    static Stream<Class<?>> publicTypes(Class<?> one) throws Exception {
        return beside(one).filter(type -> Modifier.isPublic(type.getModifiers()) && type.getEnclosingClass() == null);
    }

    /** The classes compiled beside this one, without anonymous ones: in a folder, or in a jar once it is packaged. */
    static Stream<Class<?>> beside(Class<?> one) throws Exception {
        Path location =
                Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI());
        if (Files.isDirectory(location)) {
            return below(location, one);
        }
        try (var jar = FileSystems.newFileSystem(location)) {
            return below(jar.getPath("/"), one);
        }
    }

    private static Stream<Class<?>> below(Path root, Class<?> one) {
        try (var files = Files.walk(root)) {
            return files
                    .filter(file -> file.toString().endsWith(".class"))
                    .map(file -> root.relativize(file).toString().replaceAll("[/\\\\]", "."))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .filter(name -> !name.endsWith("-info") && !name.matches(".*\\$\\d+.*"))
                    .<Class<?>>map(name -> load(name, one))
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Class<?> load(String name, Class<?> beside) {
        try {
            return Class.forName(name, false, beside.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
