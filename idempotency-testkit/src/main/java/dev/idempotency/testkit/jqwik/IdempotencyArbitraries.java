package dev.idempotency.testkit.jqwik;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import dev.idempotency.testkit.FaultPlan;
import dev.idempotency.testkit.StoreFault;
import dev.idempotency.testkit.StoreFaultPlan;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import net.jqwik.api.Tuple.Tuple2;

/**
 * Generators of what the library works with, the awkward values included. Thread-safe.
 *
 * @since 0.1.0
 */
public final class IdempotencyArbitraries {
    private static final List<String> AWKWARD = List.of(
            ":",
            "/",
            "a:b",
            "'; --",
            "\\",
            "%",
            "_",
            "*",
            "{}",
            "\u00e9",
            "e\u0301",
            "\u6f22\u5b57",
            "\ud83d\ude80",
            "\u05e9\u05dc\u05d5\u05dd",
            "0",
            "null",
            "x".repeat(100));

    private IdempotencyArbitraries() {}

    /**
     * Keys of all lengths and scripts.
     *
     * @return a generator that shrinks to one letter in scope and value
     */
    public static Arbitrary<IdempotencyKey> keys() {
        return Combinators.combine(text(IdempotencyKey.MAX_SCOPE), text(IdempotencyKey.MAX_VALUE))
                .as(IdempotencyKey::new);
    }

    /**
     * Pairs of different keys that look alike: they join to the same text, or differ only in case, accents or spaces.
     *
     * @return a generator of pairs that are never equal
     */
    public static Arbitrary<Tuple2<IdempotencyKey, IdempotencyKey>> lookalikeKeys() {
        var word = Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(10);
        var joined = Combinators.combine(word, word, word, Arbitraries.of(":", "/", "|", "-", ""))
                .as((a, b, c, by) -> Tuple.of(new IdempotencyKey(a + by + b, c), new IdempotencyKey(a, b + by + c)));
        var twisted = Combinators.combine(
                        word,
                        word,
                        Arbitraries.of(
                                Tuple.of("a", "A"),
                                Tuple.of("\u00e9", "e\u0301"),
                                Tuple.of("x", "x "),
                                Tuple.of("0", "O"),
                                Tuple.of("ss", "\u00df")))
                .as((scope, value, twist) -> Tuple.of(
                        new IdempotencyKey(scope, value + twist.get1()),
                        new IdempotencyKey(scope, value + twist.get2())));
        return Arbitraries.oneOf(joined, twisted);
    }

    /**
     * Fingerprints.
     *
     * @return a generator of two dozen values, so that equal ones meet
     */
    public static Arbitrary<Fingerprint> fingerprints() {
        return Arbitraries.integers()
                .between(0, 23)
                .map(number -> new Fingerprint(
                        number % 8 == 7 ? "another" : Fingerprint.JCS_SHA256, "%064x".formatted(number * 7919)));
    }

    /**
     * Attempt tokens.
     *
     * @return a generator of tokens that depend on jqwik's seed only; two are equal by accident only
     */
    public static Arbitrary<AttemptToken> tokens() {
        return Arbitraries.bytes()
                .array(byte[].class)
                .ofSize(16)
                .map(bytes -> new AttemptToken(HexFormat.of().formatHex(bytes)));
    }

    /**
     * Results and declines: empty ones, text, any bytes, large ones. For results that may be absent, inject nulls.
     *
     * @return a generator that shrinks to an empty result
     */
    public static Arbitrary<StoredResult> results() {
        var any = Arbitraries.bytes().array(byte[].class).ofMinSize(0).ofMaxSize(40);
        var text = Arbitraries.of(AWKWARD).map(each -> each.getBytes(StandardCharsets.UTF_8));
        var large = Arbitraries.integers().between(10_000, 140_000).map(byte[]::new);
        var bytes = Arbitraries.frequencyOf(Tuple.of(6, any), Tuple.of(3, text), Tuple.of(1, large));
        return Combinators.combine(
                        Arbitraries.of(StoredResult.Kind.class),
                        Arbitraries.of("json", "utf8", "v2; lang=\u00fc"),
                        bytes)
                .as(StoredResult::new);
    }

    /**
     * Recovery terms of every policy, with durations down to the microsecond, or none.
     *
     * @return a generator
     */
    public static Arbitrary<RecoveryTerms> terms() {
        var duration = durations(Duration.ofDays(36_525)).injectNull(0.2);
        return Combinators.combine(
                        Arbitraries.of(RecoveryTerms.Policy.class),
                        Arbitraries.of(RecoveryTerms.WhenMissing.class),
                        duration,
                        duration)
                .as(RecoveryTerms::new);
    }

    /**
     * Durations from zero, in whole microseconds: what every store can keep.
     *
     * @param longest the longest one
     * @return a generator that shrinks to zero
     * @throws NullPointerException if {@code longest} is null
     */
    public static Arbitrary<Duration> durations(Duration longest) {
        var micros = longest.toSeconds() * 1_000_000 + longest.toNanosPart() / 1_000;
        return Arbitraries.longs()
                .between(0, micros)
                .map(each -> Duration.ofSeconds(each / 1_000_000, each % 1_000_000 * 1_000));
    }

    /**
     * Times between 2000 and 2100, in whole microseconds.
     *
     * @return a generator
     */
    public static Arbitrary<Instant> instants() {
        return durations(Duration.ofDays(36_525)).map(Instant.parse("2000-01-01T00:00:00Z")::plus);
    }

    /**
     * Lines of evidence of every kind, with and without a result.
     *
     * @return a generator
     */
    public static Arbitrary<Evidence> evidence() {
        var small = Combinators.combine(Arbitraries.of(StoredResult.Kind.class), Arbitraries.of(AWKWARD))
                .as((kind, text) -> new StoredResult(kind, "utf8", text.getBytes(StandardCharsets.UTF_8)));
        return Combinators.combine(
                        Arbitraries.of(Evidence.Kind.class),
                        instants(),
                        Arbitraries.integers().between(1, 9),
                        Arbitraries.of(AWKWARD),
                        small.injectNull(0.6))
                .as(Evidence::new);
    }

    /**
     * Records in every state that fit their state: only a completed one has a result, only one in flight a lease, only an
     * open one may lack a fingerprint. Their other times are unset: a store sets them.
     *
     * @param key the key that all of them are of
     * @return a generator
     * @throws NullPointerException if the key is null
     */
    public static Arbitrary<IdempotencyRecord> records(IdempotencyKey key) {
        return Combinators.combine(
                        Arbitraries.of(State.class),
                        fingerprints(),
                        tokens(),
                        Arbitraries.integers().between(1, 5),
                        Arbitraries.integers().between(1, 9),
                        terms(),
                        results(),
                        evidence().list().ofMaxSize(4))
                .as((state, fingerprint, token, generation, attempt, terms, result, evidence) -> new IdempotencyRecord(
                        key,
                        generation,
                        state == State.OPEN && attempt % 2 == 0 ? null : fingerprint,
                        state,
                        1,
                        token,
                        attempt,
                        "native-" + generation,
                        terms,
                        state == State.COMPLETED ? result : null,
                        state.isUnresolved() && generation % 2 == 0
                                ? new StoredRequest("request", result.bytes())
                                : null,
                        evidence,
                        Times.UNSET));
    }

    /**
     * Plans of what goes wrong with a provider.
     *
     * @return a generator of seeded plans; each value is a plan of its own, with its own counters
     */
    public static Arbitrary<FaultPlan> faultPlans() {
        return Combinators.combine(Arbitraries.longs(), Arbitraries.of("none", "default", "reply-lost=0.5,max=2"))
                .as((seed, spec) -> FaultPlan.parse(spec, seed));
    }

    /**
     * Plans of what goes wrong with a store, the process that asks it living on.
     *
     * @return a generator that shrinks to a plan by which nothing goes wrong
     */
    public static Arbitrary<StoreFaultPlan> storeFaultPlans() {
        return Arbitraries.of(
                        StoreFault.NONE, StoreFault.NOT_WRITTEN, StoreFault.PERHAPS_WRITTEN, StoreFault.REPLY_LOST)
                .array(StoreFault[].class)
                .ofMaxSize(20)
                .map(StoreFaultPlan::scripted);
    }

    /**
     * Plans by which a process dies at one of its steps.
     *
     * @param steps the last step that it may die at, from 1
     * @return a generator that shrinks to death before the first step
     * @throws IllegalArgumentException if {@code steps} is below 1
     */
    public static Arbitrary<StoreFaultPlan> crashPlans(int steps) {
        if (steps < 1) {
            throw new IllegalArgumentException("steps is " + steps + "; it must be at least 1");
        }
        return Combinators.combine(
                        Arbitraries.integers().between(1, steps),
                        Arbitraries.of(StoreFault.CRASH_BEFORE, StoreFault.CRASH_AFTER))
                .as(StoreFaultPlan::at);
    }

    private static Arbitrary<String> text(int longest) {
        var letters = Arbitraries.strings().alpha().numeric().ofMinLength(1).ofMaxLength(20);
        var unicode = Arbitraries.strings()
                .withCharRange('!', '~')
                .withCharRange('\u00a1', '\u024f')
                .withCharRange('\u4e00', '\u4eff')
                .ofMinLength(1)
                .ofMaxLength(longest);
        return Arbitraries.oneOf(letters, Arbitraries.of(AWKWARD), unicode);
    }
}
