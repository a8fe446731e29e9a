package dev.idempotency.examples.payments;

import dev.idempotency.testkit.HttpProviderSimulator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The provider: somebody else's, or the simulator in a process of its own, which ends with this one.
 *
 * @param uri the address that {@code /charges} is added to
 * @param process the simulator; null for somebody else's
 */
record Provider(URI uri, @Nullable Process process) implements AutoCloseable {
    static Provider of(Options options) throws IOException {
        return options.providerUrl() == null ? simulator(options) : new Provider(options.providerUrl(), null);
    }

    private static Provider simulator(Options options) throws IOException {
        // Delayed requests arrive after a fifth of the transit; slow answers come when their callers have given up.
        long delay = options.transit().toMillis() / 5;
        long slow = options.timeout().toMillis() * 3 / 2;
        String capabilities = options.recovery().capabilities();
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                HttpProviderSimulator.class.getName(),
                "--exit-with-parent",
                "--seed",
                Long.toString(options.seed()),
                "--faults",
                options.faults(),
                "--delay-ms",
                Long.toString(delay),
                "--slow-ms",
                Long.toString(slow),
                "--capabilities",
                capabilities));
        if (capabilities.contains("native")) {
            command.addAll(List.of("--window", "PT24H"));
        }
        if (capabilities.contains("lookup")) {
            command.addAll(List.of("--lag", options.lag().toString()));
        }
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String ready =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)).readLine();
        if (ready == null || !ready.matches("listening on \\d+")) {
            process.destroyForcibly();
            throw new IOException("the simulator did not start: " + ready);
        }
        return new Provider(URI.create("http://127.0.0.1:" + ready.substring("listening on ".length())), process);
    }

    @Override
    public void close() {
        if (process != null) {
            process.destroy();
        }
    }
}
