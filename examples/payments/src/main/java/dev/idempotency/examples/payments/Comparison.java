package dev.idempotency.examples.payments;

import dev.idempotency.testkit.Fault;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The same orders through the same faults and kills, three times: with no protection, with a blind takeover and with the
 * library. One caller for each order, so that every charge beyond the first is the work of a fault.
 */
final class Comparison {
    /** What a network and a provider do; no declines and refusals, which are answers. */
    private static final String FAULTS = "reply-lost=0.1,reset-after=0.1,reset-before=0.1,error-after=0.05,"
            + "error-before=0.05,slow=0.05,delayed=0.05,max=3";

    private static final String PAGE = """
            # Faults and duplicates

            What becomes of the same orders under the same faults without any protection, with what most idempotency libraries do, and
            with this library. This page was written by its own command, from a run:

            ```sh
            %s
            ```

            %s
            - **Unprotected**: the caller tries again until it has an answer.
            - **Blind takeover**, [as usual](migrating.md#what-an-old-state-means-here): a record in the same PostgreSQL, reserved before the call in one
              atomic step. Whoever finds it waits, and gets the
              recorded charge. The record is deleted when the call throws, and taken over when its lease has lapsed, because its process died.
              That stops repeats and concurrent runs, and takes each failure for proof that nothing happened.
            - **This library**, with the records in PostgreSQL and the recovery policy `lookupThenReexecute`.

            The provider is a simulator in a process of its own. It knows no idempotency keys, so that nothing but the protection prevents a
            second charge; it can be asked for the charges of an order, which only the library does. Each order has one caller, who tries again after every failure, so
            that every duplicate is the work of a fault. *Charges*, *Duplicates* (beyond the first of each order) and *Faults* are the
            provider's own counts; *Kills* are of the process that pays, by `kill -9`, each with up to %d calls on their way. Kills count as faults in the rate.
            Fewer faults hit the library because it makes fewer calls: a doubt that is ended by a lookup needs no second one.

            Faults of the first table: `%s`, seed %d. What happens to the n-th request of an order depends on the seed, the order and n, and on nothing else; the kills
            come at moments drawn from the seed. So the counts differ a little from run to run.
            """;

    private static final String TABLE = """
            | Protection | Orders | Faults | Kills | Charges | Duplicates | Duplicates per 1,000 faults | In doubt at the end |
            |---|---|---|---|---|---|---|---|
            %s
            """;

    private static final String KILLS_ALONE = """
            Kills alone, without a single fault on the way to the provider:

            """;

    private static final List<Protection> ALL = List.of(Protection.NONE, Protection.BLIND_TAKEOVER, Protection.LIBRARY);

    private final Path file;
    private final List<String> settings;

    /** What one run came to. */
    private record Row(Protection protection, int orders, long faults, int kills, Report report) {
        private static String name(Protection protection) {
            return switch (protection) {
                case NONE -> "unprotected";
                case BLIND_TAKEOVER -> "blind takeover";
                case LIBRARY -> "this library";
            };
        }

        String text() {
            long rate = Math.round(1000.0 * report.duplicates() / Math.max(1, faults + kills));
            return "| %s | %d | %d | %d | %d | %d | %d | %d |"
                    .formatted(
                            name(protection),
                            orders,
                            faults,
                            kills,
                            report.effects(),
                            report.duplicates(),
                            rate,
                            report.inDoubt());
        }
    }

    private Comparison(Path file, List<String> settings) {
        this.file = file;
        this.settings = settings;
    }

    /**
     * Reads the command line.
     *
     * @param args {@code --compare}, a file, and options that hold for all runs
     */
    static Comparison of(String... args) throws Options.UsageException {
        if (args.length < 2) {
            throw new Options.UsageException("--compare needs the name of a file to write");
        }
        var comparison =
                new Comparison(Path.of(args[1]), List.copyOf(Arrays.asList(args).subList(2, args.length)));
        var unused = comparison.options(Protection.LIBRARY);
        return comparison;
    }

    private Options options(Protection protection, String... more) throws Options.UsageException {
        var args = new ArrayList<>(settings);
        args.addAll(List.of(more));
        args.addAll(List.of("--store", "postgres", "--repeat", "1", "--each-order-once"));
        if (!args.contains("--faults")) {
            args.addAll(List.of("--faults", FAULTS));
        }
        args.addAll(
                switch (protection) {
                    case NONE -> List.of("--unprotected");
                    case BLIND_TAKEOVER -> List.of("--blind-takeover");
                    case LIBRARY -> List.of("--recovery", RecoveryChoice.LOOKUP.option());
                });
        Options options = Options.parse(args.toArray(String[]::new));
        // The provider of all three can do what the library's policy needs, and no more.
        return options.withRecovery(RecoveryChoice.LOOKUP);
    }

    /**
     * Runs all three, and writes the page. Without faults or kills of the user's choice they run a second time, with kills
     * alone.
     *
     * @return the exit status of the program
     */
    int run(PrintStream out)
            throws IOException, InterruptedException, RunFailedException, Orders.UnusableException,
                    Options.UsageException {
        var rows = new ArrayList<Row>(rows(out));
        String tables = table(rows);
        if (!settings.contains("--faults") && !settings.contains("--kills")) {
            List<Row> killed = rows(out, "--faults", "none", "--kills", "30");
            tables += "\n" + KILLS_ALONE + table(killed);
            rows.addAll(killed);
        }
        String page = page(tables);
        out.println();
        out.print(page);
        Files.writeString(file, page);
        return rows.stream().mapToInt(row -> row.report().exitStatus()).max().orElse(0);
    }

    private List<Row> rows(PrintStream out, String... more)
            throws IOException, InterruptedException, RunFailedException, Orders.UnusableException,
                    Options.UsageException {
        var rows = new ArrayList<Row>();
        for (Protection protection : ALL) {
            out.println();
            out.println("== " + Row.name(protection) + " " + String.join(" ", more));
            rows.add(row(options(protection, more), out));
        }
        return rows;
    }

    private static Row row(Options options, PrintStream out)
            throws IOException, InterruptedException, RunFailedException, Orders.UnusableException {
        var orders = Orders.read(options);
        try (var provider = Provider.of(options)) {
            var crashes = new Crashes(options, orders, provider, out);
            Report report = crashes.run();
            Map<String, Long> chosen = new ChargeClient(provider.uri(), options.timeout(), answer -> {}).faults();
            long faults = chosen.entrySet().stream()
                    .filter(fault -> !fault.getKey().equals(Fault.NONE.label()))
                    .mapToLong(Map.Entry::getValue)
                    .sum();
            return new Row(options.protection(), orders.ids().size(), faults, crashes.kills(), report);
        }
    }

    private static String table(List<Row> rows) {
        return TABLE.formatted(rows.stream().map(Row::text).collect(Collectors.joining("\n")));
    }

    private String page(String tables) throws Options.UsageException {
        Options options = options(Protection.LIBRARY);
        String more = settings.isEmpty() ? "" : " " + String.join(" ", settings);
        return PAGE.formatted(
                "java -jar examples/payments/target/payments.jar --compare " + file + more,
                tables,
                options.workers(),
                options.faults(),
                options.seed());
    }
}
