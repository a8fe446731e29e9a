package dev.idempotency.examples.payments;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The main class of the process that is killed: it pays all orders of the file, each time it is started, and knows nothing of
 * the time before. What happens goes into a {@link Pipe}.
 */
final class PayingProcess {
    private PayingProcess() {}

    /**
     * Pays.
     *
     * @param args as {@link Options#forPaying} has them
     */
    public static void main(String[] args) throws Exception {
        var options = Options.parse(args);
        var orders = Orders.read(options);
        var payments =
                new Payments(options, orders, Objects.requireNonNull(options.providerUrl()), new Pipe(System.out));
        List<Integer> answered = answered();
        switch (options.protection()) {
            case NONE -> payments.withoutLibrary(answered);
            case BLIND_TAKEOVER -> {
                try (var pool = Postgres.pool(Objects.requireNonNull(options.storeUrl()))) {
                    payments.withBlindTakeover(pool);
                }
            }
            case LIBRARY -> {
                try (var opened = options.store().open(Objects.requireNonNull(options.storeUrl()))) {
                    payments.withLibrary(opened.store());
                }
            }
        }
        System.exit(0);
    }

    /** The lines of the rows whose callers have their answers: the first line of standard input. */
    private static List<Integer> answered() throws IOException {
        String line = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
        return line == null || line.isEmpty()
                ? List.of()
                : new ArrayList<>(
                        Arrays.stream(line.split(" ")).map(Integer::valueOf).toList());
    }
}
