package dev.idempotency.docs.release;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** The sources of this project in a folder of their own, for a Maven of their own. */
record WorkingCopy(Path folder) {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Set<String> BUILT = Set.of("target", ".git", ".jqwik-database");

    /** How a build has ended, and what it has said. */
    record Build(int exit, String log) {
        boolean succeeded() {
            return exit == 0;
        }
    }

    static WorkingCopy into(Path folder) throws IOException {
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path from, BasicFileAttributes attributes) throws IOException {
                if (BUILT.contains(from.getFileName().toString())) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                Files.createDirectories(folder.resolve(ROOT.relativize(from).toString()));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path from, BasicFileAttributes attributes) throws IOException {
                if (attributes.isRegularFile()) {
                    Files.copy(from, folder.resolve(ROOT.relativize(from).toString()));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return new WorkingCopy(folder);
    }

    /** Changes one file; fails if there is nothing to change. */
    void change(String file, String text, String by) throws IOException {
        Path path = folder.resolve(file);
        String before = Files.readString(path);
        if (!before.contains(text)) {
            throw new AssertionError(file + " has no " + text);
        }
        Files.writeString(path, before.replace(text, by));
    }

    /** Moves all poms to another version. */
    void version(String from, String to) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path pom : files.filter(file -> file.endsWith("pom.xml")).toList()) {
                Files.writeString(
                        pom,
                        Files.readString(pom)
                                .replace("<version>" + from + "</version>", "<version>" + to + "</version>"));
            }
        }
    }

    Build maven(Map<String, String> environment, List<String> arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(
                List.of(Path.of(System.getProperty("maven.home"), "bin", "mvn").toString(), "-B", "-ntp"));
        if ("offline=true".equals(System.getProperty("maven.options"))) {
            command.add("-o");
        }
        command.addAll(arguments);
        Path log = Files.createTempFile(folder, "maven", ".log");
        var builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(environment);
        int exit = builder.start().waitFor();
        return new Build(exit, Files.readString(log, StandardCharsets.UTF_8));
    }

    /** A local repository that has all that the real one has, but nothing of this project; the real one is not written to. */
    static Path repository(Path folder) throws IOException {
        Path real = Path.of(System.getProperty("maven.repository"));
        link(real, Files.createDirectory(folder), "dev");
        link(real.resolve("dev"), Files.createDirectory(folder.resolve("dev")), "idempotency");
        return folder;
    }

    /** Takes the links out of such a repository. */
    static void unlink(Path repository) throws IOException {
        for (Path folder : List.of(repository, repository.resolve("dev"))) {
            try (Stream<Path> entries = Files.list(folder)) {
                for (Path link : entries.filter(Files::isSymbolicLink).toList()) {
                    Files.delete(link);
                }
            }
        }
    }

    private static void link(Path from, Path to, String without) throws IOException {
        if (Files.isDirectory(from)) {
            try (Stream<Path> entries = Files.list(from)) {
                for (Path entry : entries.filter(one -> Files.isDirectory(one) && !one.endsWith(without))
                        .toList()) {
                    Files.createSymbolicLink(to.resolve(entry.getFileName()), entry);
                }
            }
        }
    }
}
