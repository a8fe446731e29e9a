package dev.idempotency.examples.payments;

import dev.idempotency.ProviderProfile;
import dev.idempotency.ProviderProfile.KeyFormat;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import java.time.Duration;

/** The recovery policies, each with what it needs of a provider. The simulator is given just that, and no more. */
enum RecoveryChoice {
    /** Needs nothing; a person ends each doubt. */
    HOLD("hold", "none"),
    /** Needs {@code GET /charges?reference=}. */
    LOOKUP("lookup", "lookup"),
    /** Needs that the provider knows a native key again. */
    NATIVE("native", "native"),
    /** Needs both. */
    NATIVE_LOOKUP("native-lookup", "native,lookup"),
    /** Needs {@code POST /charges/seal}. */
    SEAL("seal", "seal");

    /** How long the provider must remember a native key: part of the contract in README.md. */
    private static final Duration WINDOW = Duration.ofHours(24);

    /**
     * The longest time from the library's last check to the first byte sent: up to {@link ChargeClient#CONNECT_TIMEOUT} for
     * the connection, and a second for a busy machine.
     */
    private static final Duration PAUSE = ChargeClient.CONNECT_TIMEOUT.plusSeconds(1);

    private final String option;
    private final String capabilities;

    RecoveryChoice(String option, String capabilities) {
        this.option = option;
        this.capabilities = capabilities;
    }

    String option() {
        return option;
    }

    /** What the simulator is told to be able to do. */
    String capabilities() {
        return capabilities;
    }

    Recovery<Order, Charge> recovery(ChargeClient client, Options options) {
        Recovery.Lookup<Order, Charge> lookup = (order, attempt) -> client.lookup(order);
        return switch (this) {
            case HOLD -> Recovery.hold();
            case LOOKUP -> Recovery.lookupThenReexecute(lookup, quiescence(options));
            case NATIVE -> Recovery.nativeKey(profile());
            case NATIVE_LOOKUP -> Recovery.nativeKeyThenLookup(profile(), lookup, quiescence(options));
            case SEAL -> Recovery.seal((order, attempt) -> client.seal(order, attempt.nativeKey()));
        };
    }

    /** With the default bounds of the library, a minute of pause and five of transit: the window is long enough. */
    private static ProviderProfile profile() {
        return ProviderProfile.of("The payment provider", "README.md of this example", KeyFormat.uuid(), WINDOW);
    }

    /**
     * Short, because a run is: the transit is {@code --transit-ms}, which the simulator's delayed requests keep five times
     * over.
     */
    private static Quiescence quiescence(Options options) {
        return Quiescence.of(options.transit(), options.lag())
                .withPause(PAUSE)
                .withClockError(options.store().clockError());
    }

    /**
     * How long a caller goes on asking about a charge in doubt: under hold just long enough for an answer that comes late,
     * else for every fault of the default plan (at most three for one order), each with its quiescence.
     */
    Duration patience(Options options) {
        return this == HOLD
                ? options.timeout()
                : quiescence(options).period().multipliedBy(4).plusSeconds(5);
    }
}
