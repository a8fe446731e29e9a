package dev.idempotency.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "serve",
        description = {
            "Serve the console to browsers, on this machine only by default. Ends with Ctrl+C.",
            "Beyond the loopback interface it needs --token-file, and a proxy that ends TLS before it."
        },
        footer = {
            "",
            "  idempotency serve --port 8080",
            "Behind a proxy, for the people of a file with lines of name:secret:",
            "  idempotency serve --bind 10.0.0.7 --token-file people.txt --allow-host ops.example.com",
            "With the provider one click away:",
            "  idempotency serve --provider-url 'charge-card=https://dashboard.example/payments?key={nativeKey}'",
            "With the fields that people need to see:",
            "  idempotency serve --show charge-card=orderId,amount"
        })
final class ServeCommand extends OperatorCommand {
    @Mixin
    private final StoreOptions store = new StoreOptions();

    @Option(names = "--port", paramLabel = "N", description = "Where it listens; 0 for any free port. Default: 8080.")
    private int port = 8080;

    @Option(names = "--bind", paramLabel = "ADDRESS", description = "On which address. Default: 127.0.0.1.")
    private String bind = "127.0.0.1";

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "Lines of name:secret, one for each person: who decides is then who signs in.")
    private @Nullable Path tokens;

    @Option(
            names = "--allow-host",
            paramLabel = "HOST[:PORT]",
            description = "A name that browsers reach it by, such as a proxy's. Can be given again.")
    private List<String> hosts = List.of();

    @Option(
            names = "--zone",
            paramLabel = "ZONE",
            description = "Write times in this zone too, beside UTC, such as Europe/Berlin. Default: the system's.")
    private @Nullable ZoneId zone;

    @Option(
            names = "--provider-url",
            paramLabel = "OPERATION=URL",
            description = {
                "Where people find an operation's writes at the provider, with {nativeKey} or {key} in the URL. Can be given"
                        + " again."
            })
    private Map<String, String> providers = Map.of();

    @Option(
            names = "--show",
            paramLabel = "OPERATION=FIELD,..",
            description = {
                "Which fields of an operation's kept requests and results may be looked at; nothing else of them is shown"
                        + " then. Can be given again."
            })
    private Map<String, String> shown = Map.of();

    ServeCommand(Environment environment) {
        super(environment);
    }

    @Override
    boolean isBounded() {
        return false;
    }

    @Override
    void run(Output output) {
        if (port < 0 || port > 65535) {
            throw Failure.usage("--port must be from 0 to 65535");
        }
        var address = new InetSocketAddress(bind, port);
        if (address.isUnresolved()) {
            throw Failure.usage("--bind: there is no such address");
        }
        Authenticator people = people();
        try (var open = store.open(environment())) {
            OperationsConsole.Builder builder =
                    OperationsConsole.builder(open.admin()).address(address);
            if (people != null) {
                builder.authenticator(people);
            }
            try (OperationsConsole console = start(builder)) {
                if (output.isJson()) {
                    output.document(Json.object()
                            .put("outcome", "serving")
                            .put("url", console.uri().toString()));
                } else {
                    output.line("Console: " + console.uri() + " (ends with Ctrl+C)");
                }
                awaitEnd();
            }
        }
    }

    private @Nullable Authenticator people() {
        if (tokens == null) {
            return null;
        }
        try {
            return Authenticator.tokenFile(tokens);
        } catch (IOException e) {
            throw Failure.usage("--token-file cannot be read");
        } catch (IllegalArgumentException e) {
            throw Failure.usage("--token-file: " + e.getMessage());
        }
    }

    private OperationsConsole start(OperationsConsole.Builder builder) {
        try {
            hosts.forEach(builder::allowHost);
            providers.forEach(builder::providerUrl);
            shown.forEach((operation, fields) ->
                    builder.show(operation, List.of(fields.strip().split("\\s*,\\s*"))));
            if (zone != null) {
                builder.zone(zone);
            }
            return builder.start();
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw Failure.usage(String.valueOf(e.getMessage()));
        } catch (UncheckedIOException e) {
            throw Failure.usage(e.getMessage() + ": is the port taken?");
        }
    }

    /** Until this thread is interrupted, or the process is ended. */
    private static void awaitEnd() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
