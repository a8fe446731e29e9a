package dev.idempotency.testkit.process;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.Deflater;

/**
 * What a child of this class path loads at its start, as the JVM itself archives it (class data sharing): with it a child starts
 * with half of the work. One child is started to write it and ends by itself; whoever finds no archive, or one that does not fit,
 * starts as ever. Thread-safe.
 */
final class StartArchive implements AutoCloseable {
    private final Path directory;
    private final String classPath;

    private StartArchive(Path directory, String classPath) {
        this.directory = directory;
        this.classPath = classPath;
    }

    /** An archive that nobody has written yet. */
    static StartArchive create() {
        try {
            Path directory = Files.createTempDirectory("idempotency-archive");
            return new StartArchive(directory, jarsOnly(directory));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** This process's class path, with a jar for each directory: the JVM archives nothing of a directory. */
    private static String jarsOnly(Path directory) throws IOException {
        List<String> entries = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path path = Path.of(entry);
            if (!entry.isEmpty() && Files.isDirectory(path)) {
                Path jar = directory.resolve(entries.size() + ".jar");
                pack(path, jar);
                entries.add(jar.toString());
            } else {
                entries.add(entry);
            }
        }
        return String.join(File.pathSeparator, entries);
    }

    private static void pack(Path classes, Path jar) throws IOException {
        try (var out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.walk(classes)) {
            out.setLevel(Deflater.NO_COMPRESSION);
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                out.putNextEntry(
                        new JarEntry(classes.relativize(file).toString().replace('\\', '/')));
                Files.copy(file, out);
                out.closeEntry();
            }
        }
    }

    private Path file() {
        return directory.resolve("classes.jsa");
    }

    /** For a child that is to write the archive when it ends; it must not be killed. */
    List<String> toWrite() {
        return List.of("-Xlog:disable", "-XX:ArchiveClassesAtExit=" + directory.resolve("being-written.jsa"));
    }

    /** The child that was to write it has ended. */
    void written() {
        try {
            Files.move(directory.resolve("being-written.jsa"), file(), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            // No archive, no gain.
        }
    }

    /** For every other child. */
    List<String> toRead() {
        return Files.exists(file()) ? List.of("-Xlog:disable", "-XX:SharedArchiveFile=" + file()) : List.of();
    }

    /** For all of them. */
    String classPath() {
        return classPath;
    }

    @Override
    public void close() {
        Directories.delete(directory);
    }
}
