package dev.idempotency.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that the command line names. */
final class InputFile {
    private static final long LARGEST = 16L << 20;

    private InputFile() {}

    static byte[] read(String option, Path file) {
        try {
            if (Files.size(file) > LARGEST) {
                throw Failure.usage(option + ": " + file + " has more than " + LARGEST + " bytes");
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw Failure.usage(option + ": " + file + " cannot be read");
        }
    }
}
