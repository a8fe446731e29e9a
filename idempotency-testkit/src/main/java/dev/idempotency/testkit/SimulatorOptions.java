package dev.idempotency.testkit;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The command line of {@link HttpProviderSimulator#main}. Every message of a refused command line is for people. */
record SimulatorOptions(
        String host,
        int port,
        @Nullable Path ledger,
        ProviderBehavior behavior,
        FaultPlan faults,
        Duration slow,
        Duration delay,
        boolean exitWithParent) {

    private static final Set<String> WITH_VALUE = Set.of(
            "--host",
            "--port",
            "--ledger",
            "--seed",
            "--faults",
            "--slow-ms",
            "--delay-ms",
            "--capabilities",
            "--window",
            "--lag");
    private static final String EXIT_WITH_PARENT = "--exit-with-parent";

    static SimulatorOptions parse(String... args) {
        var given = given(args);
        var ledger = given.get("--ledger");
        return new SimulatorOptions(
                given.getOrDefault("--host", "127.0.0.1"),
                (int) number(given, "--port", 0, 0, 65_535),
                ledger == null ? null : path(ledger),
                behavior(given),
                FaultPlan.parse(
                        given.getOrDefault("--faults", "none"),
                        number(given, "--seed", 0, Long.MIN_VALUE, Long.MAX_VALUE)),
                Duration.ofMillis(number(given, "--slow-ms", 2000, 0, Integer.MAX_VALUE)),
                Duration.ofMillis(number(given, "--delay-ms", 1000, 0, Integer.MAX_VALUE)),
                given.containsKey(EXIT_WITH_PARENT));
    }

    private static Map<String, String> given(String... args) {
        var given = new HashMap<String, String>();
        for (var i = 0; i < args.length; i++) {
            var option = args[i];
            String value;
            if (option.equals(EXIT_WITH_PARENT)) {
                value = "";
            } else if (!WITH_VALUE.contains(option)) {
                throw new IllegalArgumentException("no option is called '" + option + "'; known are "
                        + WITH_VALUE.stream().sorted().toList() + " and " + EXIT_WITH_PARENT);
            } else if (++i == args.length) {
                throw new IllegalArgumentException(option + " needs a value");
            } else {
                value = args[i];
            }
            if (given.put(option, value) != null) {
                throw new IllegalArgumentException(option + " comes twice");
            }
        }
        return given;
    }

    private static ProviderBehavior behavior(Map<String, String> given) {
        var behavior = ProviderBehavior.none().withInProgress409();
        var capabilities = given.getOrDefault("--capabilities", "native,lookup,seal");
        var window = given.get("--window");
        var lag = given.get("--lag");
        for (var capability : capabilities.split(",", -1)) {
            behavior = switch (capability.strip()) {
                case "none" -> behavior;
                case "native" ->
                    window == null ? behavior.withNativeKey() : behavior.withNativeKey(duration("--window", window));
                case "lookup" -> behavior.withLookup(lag == null ? Duration.ZERO : duration("--lag", lag));
                case "seal" -> behavior.withSeal();
                case "stored-errors" -> behavior.withStoredErrors();
                default ->
                    throw new IllegalArgumentException("no capability is called '" + capability
                            + "'; known are native, lookup, seal, stored-errors, none");
            };
        }
        if (window != null && !behavior.nativeKey()) {
            throw new IllegalArgumentException("--window needs the capability native");
        }
        if (lag != null && !behavior.lookup()) {
            throw new IllegalArgumentException("--lag needs the capability lookup");
        }
        return behavior;
    }

    private static long number(Map<String, String> given, String option, long otherwise, long min, long max) {
        var value = given.get(option);
        if (value == null) {
            return otherwise;
        }
        try {
            var number = Long.parseLong(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // refused below, as a number out of range is
        }
        throw new IllegalArgumentException(
                option + " needs a whole number from " + min + " to " + max + ", not '" + value + "'");
    }

    private static Duration duration(String option, String value) {
        try {
            return Duration.parse(value);
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException(option + " needs a duration such as PT24H, not '" + value + "'", e);
        }
    }

    private static Path path(String value) {
        try {
            return Path.of(value);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("--ledger needs a file name, not '" + value + "'", e);
        }
    }
}
