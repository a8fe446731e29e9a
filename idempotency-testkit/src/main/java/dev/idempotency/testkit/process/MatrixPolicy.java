package dev.idempotency.testkit.process;

import dev.idempotency.ProviderProfile;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** How the orders of a crash matrix are recovered, and what their provider can do for it: no more than the policy needs. */
enum MatrixPolicy {
    HOLD(Provider.LOOKUP_AND_SEAL),
    LOOKUP_HOLD(Provider.LOOKUP_AND_SEAL),
    LOOKUP_REEXECUTE(Provider.LOOKUP_AND_SEAL),
    LOOKUP_CLOSE(Provider.LOOKUP_AND_SEAL),
    NATIVE(Provider.NATIVE_KEYS),
    NATIVE_THEN_LOOKUP(Provider.SHORT_WINDOW),
    SEAL(Provider.LOOKUP_AND_SEAL),
    SEAL_CLOSE(Provider.LOOKUP_AND_SEAL),

    /** The effect is in the store's own database. */
    SAME_TRANSACTION(Provider.LOOKUP_AND_SEAL),

    /** Not the engine: what peers do. A lapsed attempt is taken over blindly, any failure deletes, a record is overwritten. */
    PEER_LIKE(Provider.LOOKUP_AND_SEAL),
    /** Not the engine: says that it is done before it is. */
    RECORDS_FIRST(Provider.LOOKUP_AND_SEAL);

    /** The providers of a matrix. A provider that knows native keys would hide the duplicates of the other policies. */
    enum Provider {
        LOOKUP_AND_SEAL("--capabilities lookup,seal"),
        NATIVE_KEYS("--capabilities native"),
        SHORT_WINDOW("--capabilities native,lookup --window PT6S");

        private final String options;

        Provider(String options) {
            this.options = options;
        }

        String[] options() {
            return options.split(" ", -1);
        }
    }

    static final Duration LEASE = Duration.ofMillis(1500);
    static final Duration WAIT = Duration.ofSeconds(8);

    /** The longest time between a process's last check and its first byte. It is never frozen just there. */
    private static final Duration PAUSE = Duration.ofMillis(500);
    /** The longest time between the first byte and the effect: processes are frozen and requests are held in there. */
    static final Duration TRANSIT = Duration.ofSeconds(3);

    private static final Duration SHORT_WINDOW = Duration.ofSeconds(6);
    /** G = W - P - D: for so long a native key is sent again. */
    static final Duration RESEND_WITHIN = SHORT_WINDOW.minus(PAUSE).minus(TRANSIT);

    private static final Set<CrashPoint> ALWAYS = EnumSet.of(
            CrashPoint.CP01_BEFORE_RESERVE,
            CrashPoint.CP02_RESERVE_WITHOUT_REPLY,
            CrashPoint.CP03_RESERVED,
            CrashPoint.CP04_CHECKED,
            CrashPoint.CP05_PART_OF_REQUEST,
            CrashPoint.CP06_BEFORE_EFFECT,
            CrashPoint.CP07_BEFORE_RESPONSE,
            CrashPoint.CP08_PART_OF_RESPONSE,
            CrashPoint.CP09_BEFORE_DECODE,
            CrashPoint.CP10_BEFORE_RECORD,
            CrashPoint.CP11_RECORD_WITHOUT_REPLY,
            CrashPoint.CP12_BEFORE_ANSWER,
            CrashPoint.CP13_RENEWAL,
            CrashPoint.CP14_LAPSED,
            CrashPoint.CP20_DECISION_READ,
            CrashPoint.CP21_OVERRIDE_REVIEWED,
            CrashPoint.CP23_BEFORE_RELEASE,
            CrashPoint.CP24_BEFORE_MARK_IN_DOUBT);

    private final Provider provider;

    MatrixPolicy(Provider provider) {
        this.provider = provider;
    }

    Provider provider() {
        return provider;
    }

    boolean isEngine() {
        return this != PEER_LIKE && this != RECORDS_FIRST;
    }

    /** Whether every doubt ends without a person. */
    boolean resolves() {
        return this != HOLD && this != LOOKUP_HOLD;
    }

    /** Whether it is only safe if no request is under way for longer than its bound. */
    boolean isBounded() {
        return this == LOOKUP_REEXECUTE || this == LOOKUP_CLOSE || this == NATIVE_THEN_LOOKUP;
    }

    String operation() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The points that an order of this policy can come to. */
    Set<CrashPoint> points() {
        Set<CrashPoint> points = EnumSet.copyOf(ALWAYS);
        switch (this) {
            case HOLD -> points.add(CrashPoint.CP22_PURGE);
            case LOOKUP_HOLD -> points.add(CrashPoint.CP15_FOUND);
            case LOOKUP_CLOSE -> points.addAll(EnumSet.of(CrashPoint.CP15_FOUND, CrashPoint.CP16_MISSING));
            case LOOKUP_REEXECUTE ->
                points.addAll(EnumSet.of(CrashPoint.CP15_FOUND, CrashPoint.CP16_MISSING, CrashPoint.CP17_REEXECUTED));
            case NATIVE -> points.add(CrashPoint.CP18_RESENT);
            case NATIVE_THEN_LOOKUP -> points.addAll(EnumSet.range(CrashPoint.CP15_FOUND, CrashPoint.CP18_RESENT));
            case SEAL -> {
                points.addAll(EnumSet.range(CrashPoint.CP15_FOUND, CrashPoint.CP17_REEXECUTED));
                points.add(CrashPoint.CP19_SEALED);
            }
            case SEAL_CLOSE ->
                points.addAll(EnumSet.of(CrashPoint.CP15_FOUND, CrashPoint.CP16_MISSING, CrashPoint.CP19_SEALED));
            case SAME_TRANSACTION -> {
                points.removeAll(EnumSet.of(
                        CrashPoint.CP05_PART_OF_REQUEST,
                        CrashPoint.CP06_BEFORE_EFFECT,
                        CrashPoint.CP08_PART_OF_RESPONSE,
                        CrashPoint.CP09_BEFORE_DECODE,
                        CrashPoint.CP14_LAPSED,
                        CrashPoint.CP24_BEFORE_MARK_IN_DOUBT));
                points.add(CrashPoint.CP17_REEXECUTED);
            }
            case PEER_LIKE, RECORDS_FIRST -> points.clear();
        }
        return points;
    }

    <I, O> Recovery<I, O> recovery(Recovery.Lookup<I, O> lookup, Recovery.Seal<I, O> seal) {
        Quiescence quiescence = Quiescence.of(TRANSIT, Duration.ZERO)
                .withPause(PAUSE)
                .withClockError(Duration.ZERO)
                .withPeriod(PAUSE.plus(TRANSIT).plusMillis(100));
        return switch (this) {
            case HOLD, SAME_TRANSACTION, PEER_LIKE, RECORDS_FIRST -> Recovery.hold();
            case LOOKUP_HOLD -> Recovery.lookup(lookup);
            case LOOKUP_REEXECUTE -> Recovery.lookupThenReexecute(lookup, quiescence);
            case LOOKUP_CLOSE -> Recovery.lookupThenClose(lookup, quiescence);
            case NATIVE -> Recovery.nativeKey(profile(ProviderProfile.ENDLESS));
            case NATIVE_THEN_LOOKUP -> Recovery.nativeKeyThenLookup(profile(SHORT_WINDOW), lookup, quiescence);
            case SEAL -> Recovery.seal(seal);
            case SEAL_CLOSE -> Recovery.sealThenClose(seal);
        };
    }

    private static ProviderProfile profile(Duration window) {
        return ProviderProfile.of("simulator", "its options", ProviderProfile.KeyFormat.uuid(), window)
                .withBounds(PAUSE, TRANSIT)
                .withClockError(Duration.ZERO);
    }
}
