package dev.idempotency.examples.payments;

import dev.idempotency.testkit.FaultPlan;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The command line.
 *
 * @param orders the CSV file; null for the one that comes with this example
 * @param limit how many of its rows
 * @param workers how many calls at once
 * @param repeat how many callers for each row
 * @param recovery what ends a doubt
 * @param store where records stand
 * @param storeUrl a server of the user's own for it; null for one that the run starts
 * @param kills how often the paying process is killed, if it is one of its own
 * @param protection what stands between callers and provider
 * @param isEachOrderOnce whether rows are left out whose order an earlier row has
 * @param providerUrl somebody else's provider; null for the simulator
 * @param faults the simulator's fault plan
 * @param seed of the fault plan and of the moments of the kills
 * @param timeout how long a call may take before its caller gives it up
 * @param transit how long after a request was sent the provider may still act on it
 * @param lag how long after an effect the provider's lookup may still miss it
 */
record Options(
        @Nullable Path orders,
        int limit,
        int workers,
        int repeat,
        RecoveryChoice recovery,
        StoreChoice store,
        @Nullable String storeUrl,
        int kills,
        Protection protection,
        boolean isEachOrderOnce,
        @Nullable URI providerUrl,
        String faults,
        long seed,
        Duration timeout,
        Duration transit,
        Duration lag) {

    static final String HELP = """
            Usage: java -jar payments.jar [options]

            Charges each order of a CSV file once, through a provider that loses replies, fails after the effect, answers
            late and is called by several callers at once. The last line counts the result in the provider's own ledger:
            effects=N duplicates=D lost=L in-doubt=K

              --orders FILE         the orders; see README.md for the columns (default: the bundled 1000 orders)
              --limit N             the first N rows only
              --workers N           calls at once (default 16)
              --repeat N            callers for each row, all at the same time (default 2)
              --recovery POLICY     what ends a doubt: hold, lookup, native, native-lookup or seal
                                    (default native-lookup; hold with --provider-url, of which nothing is known)
              --store STORE         where records stand: caffeine (default), in this process; or postgres or redis, on a
                                    server that the run starts. Then a process of its own pays, is killed with kill -9
                                    at random moments and started again with the same orders
              --jdbc-url URL        with --store postgres: records go to this server, into the table payments_example,
                                    which is created; and emptied, unless --provider-url is given too
              --redis-url URL       with --store redis: records go to this server, under the prefix payments-example;
                                    those of earlier runs are removed, unless --provider-url is given too
              --kills N             how often the paying process is killed (default 10; not with --store caffeine)
              --unprotected         the same callers, the same retries and kills without the library, to see what it
                                    prevents
              --blind-takeover      the same with what most idempotency libraries do instead: a record with a lease, which is
                                    deleted when the call fails, and taken over when it lapses (with --store postgres)
              --compare FILE        the same orders, one caller for each, through the same faults and kills, without any
                                    protection, with --blind-takeover and with the library; writes the table of duplicates
                                    to FILE; unless --faults or --kills are given, of kills alone too. Takes --limit,
                                    --workers, --kills, --faults, --seed and the times. Must come first
              --each-order-once     leaves out rows whose order an earlier row has
              --faults SPEC         the simulator's faults: default, none, or a list such as reply-lost=0.05,max=2
              --seed N              of the faults and the kills (default 1); the same seed, the same faults
              --provider-url URL    charge at this provider instead of the simulator; see README.md for what it must speak
              --timeout-ms N        how long a call may take (default 500; 2000 with --provider-url)
              --transit-ms N        how long after it was sent the provider may still act on a request (default 2000)
              --lag-ms N            how long after a charge the provider's lookup may still miss it (default 0)
              --help                this text

            Exit status: 0 if nothing was charged twice and no answer was wrong; with --unprotected and
            --blind-takeover, if the run ended and could be counted. 1 if something was, or a server could not be used. 2 if the options or the orders are
            wrong; nothing was charged then.
            """;

    private static final int DEFAULT_KILLS = 10;

    private static final Set<String> WITH_VALUE = Set.of(
            "--orders",
            "--limit",
            "--workers",
            "--repeat",
            "--recovery",
            "--store",
            "--jdbc-url",
            "--redis-url",
            "--kills",
            "--faults",
            "--seed",
            "--provider-url",
            "--timeout-ms",
            "--transit-ms",
            "--lag-ms");

    private static final Set<String> WITHOUT_VALUE = Set.of("--unprotected", "--blind-takeover", "--each-order-once");

    /** A command line that cannot be used; the message says why. */
    static final class UsageException extends Exception {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    static Options parse(String... args) throws UsageException {
        Map<String, String> given = given(args);
        URI providerUrl = providerUrl(given);
        boolean isForeign = providerUrl != null;
        Protection protection = protection(given);
        if (isForeign && given.containsKey("--faults")) {
            throw new UsageException("--faults are the simulator's; leave them out with --provider-url");
        }
        StoreChoice store = store(given.getOrDefault("--store", "caffeine"));
        if (!store.outlivesItsProcess() && given.containsKey("--kills")) {
            throw new UsageException(
                    "--kills needs a store that is not in the process that is killed, such as" + " --store postgres");
        }
        long seed = number(given, "--seed", 1, Long.MIN_VALUE, Long.MAX_VALUE);
        return new Options(
                orders(given),
                (int) number(given, "--limit", Integer.MAX_VALUE, 1, Integer.MAX_VALUE),
                (int) number(given, "--workers", 16, 1, 1000),
                (int) number(given, "--repeat", 2, 1, 100),
                recovery(given.getOrDefault("--recovery", isForeign ? "hold" : "native-lookup")),
                store,
                storeUrl(given, store, protection),
                (int) number(given, "--kills", store.outlivesItsProcess() ? DEFAULT_KILLS : 0, 0, 1000),
                protection,
                given.containsKey("--each-order-once"),
                providerUrl,
                faults(given.getOrDefault("--faults", "default"), seed),
                seed,
                Duration.ofMillis(number(given, "--timeout-ms", isForeign ? 2000 : 500, 10, 600_000)),
                Duration.ofMillis(number(given, "--transit-ms", 2000, 10, 600_000)),
                Duration.ofMillis(number(given, "--lag-ms", 0, 0, 600_000)));
    }

    private static Map<String, String> given(String... args) throws UsageException {
        var given = new HashMap<String, String>();
        for (int i = 0; i < args.length; i++) {
            String option = args[i];
            String value = "";
            if (WITH_VALUE.contains(option)) {
                if (++i == args.length) {
                    throw new UsageException(option + " needs a value");
                }
                value = args[i];
            } else if (!WITHOUT_VALUE.contains(option)) {
                throw new UsageException("no option is called '" + option + "'");
            }
            if (given.put(option, value) != null) {
                throw new UsageException(option + " comes twice");
            }
        }
        return given;
    }

    private static Protection protection(Map<String, String> given) throws UsageException {
        boolean isUnprotected = given.containsKey("--unprotected");
        boolean isBlind = given.containsKey("--blind-takeover");
        if (isUnprotected && isBlind) {
            throw new UsageException("--unprotected and --blind-takeover: only one of them");
        }
        if ((isUnprotected || isBlind) && given.containsKey("--recovery")) {
            throw new UsageException(
                    (isBlind ? "--blind-takeover" : "--unprotected") + " has no recovery; leave out --recovery");
        }
        if (isBlind && !given.getOrDefault("--store", "").equals(StoreChoice.POSTGRES.option())) {
            throw new UsageException("--blind-takeover needs --store postgres");
        }
        if (isBlind) {
            return Protection.BLIND_TAKEOVER;
        }
        return isUnprotected ? Protection.NONE : Protection.LIBRARY;
    }

    /** The same with another policy, or, without the library, with a provider that can do what that policy needs. */
    Options withRecovery(RecoveryChoice other) {
        return new Options(
                orders,
                limit,
                workers,
                repeat,
                other,
                store,
                storeUrl,
                kills,
                protection,
                isEachOrderOnce,
                providerUrl,
                faults,
                seed,
                timeout,
                transit,
                lag);
    }

    boolean isWithLibrary() {
        return protection == Protection.LIBRARY;
    }

    private static long number(Map<String, String> given, String option, long otherwise, long min, long max)
            throws UsageException {
        String value = given.get(option);
        if (value == null) {
            return otherwise;
        }
        try {
            long number = Long.parseLong(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Refused below, as a number out of range is.
        }
        throw new UsageException(option + " needs a whole number from " + min + " to " + max + ", not '" + value + "'");
    }

    private static @Nullable Path orders(Map<String, String> given) throws UsageException {
        String value = given.get("--orders");
        try {
            return value == null ? null : Path.of(value);
        } catch (InvalidPathException e) {
            throw new UsageException("--orders needs a file name, not '" + value + "'");
        }
    }

    private static RecoveryChoice recovery(String value) throws UsageException {
        for (RecoveryChoice choice : RecoveryChoice.values()) {
            if (choice.option().equals(value)) {
                return choice;
            }
        }
        throw new UsageException("--recovery must be hold, lookup, native, native-lookup or seal, not '" + value + "'");
    }

    private static StoreChoice store(String value) throws UsageException {
        for (StoreChoice choice : StoreChoice.values()) {
            if (choice.option().equals(value)) {
                return choice;
            }
        }
        throw new UsageException("--store must be caffeine, postgres or redis, not '" + value + "'");
    }

    private static @Nullable String storeUrl(Map<String, String> given, StoreChoice store, Protection protection)
            throws UsageException {
        for (StoreChoice other : StoreChoice.values()) {
            if (other != store && given.containsKey(other.urlOption())) {
                throw new UsageException(other.urlOption() + " needs --store " + other.option());
            }
        }
        String value = given.get(store.urlOption());
        if (value != null && protection == Protection.NONE) {
            throw new UsageException("--unprotected has no store; leave out " + store.urlOption());
        }
        if (value != null && !value.startsWith(store.urlPrefix())) {
            throw new UsageException(store.urlOption() + " needs an address that begins with " + store.urlPrefix()
                    + ", not '" + value + "'");
        }
        return value;
    }

    private static String faults(String spec, long seed) throws UsageException {
        try {
            FaultPlan.parse(spec, seed);
            return spec;
        } catch (IllegalArgumentException e) {
            throw new UsageException("--faults: " + e.getMessage());
        }
    }

    /** With or without a slash, or the charges' own path, at its end: the address that {@code /charges} is added to. */
    private static @Nullable URI providerUrl(Map<String, String> given) throws UsageException {
        String value = given.get("--provider-url");
        if (value == null) {
            return null;
        }
        try {
            URI uri = URI.create(value.replaceAll("/+$", "").replaceAll("/charges$", ""));
            if (Set.of("http", "https").contains(Objects.requireNonNullElse(uri.getScheme(), ""))
                    && uri.getHost() != null
                    && uri.getQuery() == null
                    && uri.getFragment() == null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Refused below, as an address of another kind is.
        }
        throw new UsageException("--provider-url needs an address such as http://localhost:8080, not '" + value + "'");
    }

    /**
     * The command line of a process that pays, at servers that are there already.
     *
     * @param provider where to charge
     * @param storeUrl where records stand; null without the library
     */
    List<String> forPaying(URI provider, @Nullable String storeUrl) {
        var args = new ArrayList<>(List.of(
                "--limit", Integer.toString(limit),
                "--workers", Integer.toString(workers),
                "--repeat", Integer.toString(repeat),
                "--store", store.option(),
                "--provider-url", provider.toString(),
                "--timeout-ms", Long.toString(timeout.toMillis()),
                "--transit-ms", Long.toString(transit.toMillis()),
                "--lag-ms", Long.toString(lag.toMillis())));
        if (orders != null) {
            args.addAll(List.of("--orders", orders.toString()));
        }
        if (isEachOrderOnce) {
            args.add("--each-order-once");
        }
        if (storeUrl == null) {
            args.add("--unprotected");
        } else {
            args.addAll(List.of(store.urlOption(), storeUrl));
            args.addAll(isWithLibrary() ? List.of("--recovery", recovery.option()) : List.of("--blind-takeover"));
        }
        return args;
    }
}
