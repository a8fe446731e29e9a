package dev.idempotency.testkit.process;

import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.HttpProviderSimulator;
import dev.idempotency.testkit.HttpProviderSimulator.Gate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeoutException;

/**
 * The {@link HttpProviderSimulator} in a process of its own, with a ledger that is forced to the disk: the oracle of a test whose
 * own processes are killed. It can hold a request at a gate, so that the sender is killed just there. Thread-safe.
 *
 * @since 0.1.0
 */
public final class ProviderProcess implements AutoCloseable {
    private static final Duration STARTUP = Duration.ofSeconds(60);
    private static final Duration ANSWER = Duration.ofSeconds(30);

    private final ChildJvm child;
    private final Path directory;
    private final URI uri;

    private ProviderProcess(ChildJvm child, Path directory, URI uri) {
        this.child = child;
        this.directory = directory;
        this.uri = uri;
    }

    /**
     * Starts a provider with an empty ledger.
     *
     * @param options as in {@link HttpProviderSimulator#main}, without {@code --ledger}, such as {@code --capabilities
     *     lookup,seal}
     * @return the provider, listening
     * @throws UncheckedIOException if it cannot be started
     * @throws IllegalStateException if it does not start with these options
     */
    public static ProviderProcess start(String... options) {
        Path directory;
        try {
            directory = Files.createTempDirectory("idempotency-provider");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        var args = new ArrayList<>(List.of(options));
        args.addAll(List.of("--ledger", ledger(directory).toString()));
        ChildJvm child = ChildJvm.start(HttpProviderSimulator.class, args.toArray(String[]::new));
        try {
            String ready = child.await(line -> line.startsWith("listening on "), STARTUP);
            return new ProviderProcess(
                    child, directory, URI.create("http://127.0.0.1:" + ready.substring("listening on ".length())));
        } catch (TimeoutException | IllegalStateException e) {
            child.close();
            throw new IllegalStateException("the provider did not start", e);
        } catch (InterruptedException e) {
            child.close();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the provider started", e);
        }
    }

    private static Path ledger(Path directory) {
        return directory.resolve("ledger");
    }

    /**
     * Where it listens.
     *
     * @return the address that {@code /charges} is added to
     */
    public URI uri() {
        return uri;
    }

    /**
     * What it really did, read from the file of its ledger.
     *
     * @return the effects in the order they happened
     * @throws UncheckedIOException if the file cannot be read
     */
    public List<Effect> effects() {
        try {
            return EffectLedger.read(ledger(directory));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Holds the next request to charge a reference at a gate, and no other, until {@link #letGo}.
     *
     * @param reference the caller's name for the thing
     * @param gate where
     * @throws UncheckedIOException if the provider cannot be told
     */
    public void hold(String reference, Gate gate) {
        String name = Objects.requireNonNull(gate, "gate")
                .name()
                .toLowerCase(Locale.ROOT)
                .replace('_', '-');
        ask("POST", "/gates", "{\"reference\":\"" + reference + "\",\"gate\":\"" + name + "\"}");
    }

    /**
     * Waits until a request stands at the gate of a reference, for at most ten seconds.
     *
     * @param reference the caller's name for the thing
     * @return whether one does
     * @throws UncheckedIOException if the provider cannot be asked
     */
    public boolean awaitHeld(String reference) {
        return ask("GET", "/gates?reference=" + encoded(reference), "").contains("true");
    }

    /**
     * Opens the gate of a reference: a request that stands there goes on, whether its sender lives or not.
     *
     * @param reference the caller's name for the thing
     * @throws UncheckedIOException if the provider cannot be told
     */
    public void letGo(String reference) {
        ask("DELETE", "/gates?reference=" + encoded(reference), "");
    }

    private static String encoded(String reference) {
        return URLEncoder.encode(reference, StandardCharsets.UTF_8);
    }

    private String ask(String method, String path, String body) {
        try {
            var response =
                    PlainHttp.exchange(method, URI.create(uri + path), Map.of(), body, ANSWER, PlainHttp.Hooks.NONE);
            if (response.status() / 100 != 2) {
                throw new IOException(method + " " + path + " was answered with " + response);
            }
            return response.body();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills the provider and removes its ledger. */
    @Override
    public void close() {
        child.close();
        Directories.delete(directory);
    }
}
