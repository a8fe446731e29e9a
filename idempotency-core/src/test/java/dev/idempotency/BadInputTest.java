package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.jsontype.BasicPolymorphicTypeValidator;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.State;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What builders say to null, to negative and absurd values, and to contradictions: which argument, what, and what else. */
final class BadInputTest {
    private static final Idempotency IDEMPOTENCY = Idempotency.on(CaffeineIdempotencyStore.create());
    private static final Duration TICK = Duration.ofNanos(1);

    private interface Setter extends BiFunction<Operation.Builder<String, String>, Duration, Object> {}

    private static Operation.Builder<String, String> operation() {
        return IDEMPOTENCY.operation("pay", String.class, String.class);
    }

    private static void refusedNull(String name, ThrowingCallable code) {
        assertThatNullPointerException().isThrownBy(code).withMessage(name);
    }

    private static void refused(String message, ThrowingCallable code) {
        assertThatIllegalArgumentException().isThrownBy(code).withMessage(message);
    }

    // ---- durations of an operation

    static Stream<Arguments> durations() {
        return Stream.of(
                durations("lease", Operation.Builder::lease, Duration.ofMillis(10), Duration.ofDays(1)),
                durations("callTimeout", Operation.Builder::callTimeout, Duration.ofMillis(10), Duration.ofDays(30)),
                durations(
                        "recoveryTimeout",
                        Operation.Builder::recoveryTimeout,
                        Duration.ofMillis(1),
                        Duration.ofDays(1)),
                durations("waitAtMost", Operation.Builder::waitAtMost, Duration.ZERO, Duration.ofDays(1)),
                durations("retention", Operation.Builder::retention, Duration.ofSeconds(1), Duration.ofDays(366)),
                durations("tombstone", Operation.Builder::tombstone, null, Duration.ofDays(366)),
                durations("retryHorizon", Operation.Builder::retryHorizon, null, Duration.ofDays(366)));
    }

    private static Arguments durations(String name, Setter setter, Duration least, Duration most) {
        return Arguments.of(name, setter, least, most);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("durations")
    void duration_beyondItsLimits_isRefusedWithTheLimit(String name, Setter setter, Duration least, Duration most) {
        var lowest = least == null ? Duration.ZERO : least;
        String tooLow = least == null ? "; it must not be negative" : "; it must be at least " + Durations.text(least);

        for (Duration low : List.of(lowest.minus(TICK), Duration.ofDays(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
            refused(name + " is " + Durations.text(low) + tooLow, () -> setter.apply(operation(), low));
        }
        for (Duration high : List.of(most.plus(TICK), Duration.ofSeconds(Long.MAX_VALUE))) {
            refused(
                    name + " is " + Durations.text(high) + "; it must be at most " + Durations.text(most),
                    () -> setter.apply(operation(), high));
        }
        refusedNull(name, () -> setter.apply(operation(), null));
        assertThat(setter.apply(operation(), lowest)).isInstanceOf(Operation.Builder.class);
        assertThat(setter.apply(operation(), most)).isInstanceOf(Operation.Builder.class);
    }

    @Test
    void operation_atEveryLimit_canBeBuilt() {
        assertThat(operation()
                        .key(request -> request)
                        .lease(Duration.ofDays(1))
                        .callTimeout(Duration.ofDays(30))
                        .recoveryTimeout(Duration.ofDays(1))
                        .waitAtMost(Duration.ofDays(1))
                        .retention(Duration.ofDays(366))
                        .tombstone(Duration.ofDays(366))
                        .retryHorizon(Duration.ofDays(365))
                        .calling((request, attempt) -> request)
                        .execute("a"))
                .isEqualTo("a");
    }

    // ---- the rest of an operation

    @Test
    void operation_nullArguments_areRefusedByName() {
        refusedNull("name", () -> IDEMPOTENCY.operation(null, String.class, String.class));
        refusedNull("requestType", () -> IDEMPOTENCY.operation("pay", null, String.class));
        refusedNull("resultType", () -> IDEMPOTENCY.operation("pay", String.class, null));
        refusedNull("tenant", () -> operation().tenant(null));
        refusedNull("payload", () -> operation().fingerprint(null));
        refusedNull("recovery", () -> operation().recovery(null));
        refusedNull("failures", () -> operation().failures(null));
        refusedNull("codec", () -> operation().codec(null));
        refusedNull("retry", () -> operation().retry(null));
        refusedNull("reason", () -> operation().acceptDuplicates(null));
        refusedNull("call", () -> operation().key(request -> request).calling(null));
        refusedNull("call", () -> operation().key(request -> request).callingAsync(null));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "a/b", "-a", ".a", "_a", "ä", "a:b", "pay!"})
    void operation_nameThatIsNone_isRefusedWithWhatWouldBeOne(String name) {
        refused(
                "name is '" + name + "'; it must be letters, digits, dots, hyphens and underscores",
                () -> IDEMPOTENCY.operation(name, String.class, String.class));
    }

    @Test
    void operation_nameThatIsBlankOrTooLong_isRefused() {
        refused("name is blank; it must name something", () -> IDEMPOTENCY.operation("", String.class, String.class));
        refused(
                "name has 101 characters; at most 100 are allowed",
                () -> IDEMPOTENCY.operation("a".repeat(101), String.class, String.class));
        refused(
                "name has a control character or a lone surrogate at position 3",
                () -> IDEMPOTENCY.operation("pay\n", String.class, String.class));
        assertThat(IDEMPOTENCY.operation("a0.B-c_d", String.class, String.class))
                .isNotNull();
        assertThat(IDEMPOTENCY.operation("7", String.class, String.class)).isNotNull();
    }

    @Test
    void acceptDuplicates_withoutAReason_isRefused() {
        refused("reason is blank; it must name something", () -> operation().acceptDuplicates(" "));
        refused(
                "reason has 1001 characters; at most 1000 are allowed",
                () -> operation().acceptDuplicates("a".repeat(1001)));
    }

    @Test
    void calling_withoutAKey_isRefusedWithWhatToDo() {
        assertThatIllegalStateException()
                .isThrownBy(() -> operation().calling((request, attempt) -> request))
                .withMessage("Operation 'pay' has no key; set it with key(..)");
        assertThatIllegalStateException()
                .isThrownBy(() -> operation().tenant(request -> "acme").callingAsync((request, attempt) -> null))
                .withMessage("Operation 'pay' has no key; set it with key(..)");
    }

    private static final class NoJson {}

    @Test
    void calling_withAResultTypeThatHasNoJson_isRefusedBeforeAnyCall() {
        refused(
                "values of type " + NoJson.class.getName()
                        + " cannot be written as JSON: Jackson finds nothing to write; or give the operation a codec of your own",
                () -> IDEMPOTENCY
                        .operation("pay", String.class, NoJson.class)
                        .key(request -> request)
                        .calling((request, attempt) -> new NoJson()));
    }

    private record NamedCodec(String id) implements Codec<String> {
        @Override
        public byte[] encode(String result) {
            return new byte[0];
        }

        @Override
        public String decode(byte[] bytes) {
            return "";
        }

        @Override
        public void check() {
            if (id.equals("unfit")) {
                throw new IllegalArgumentException("results of this kind are not for me");
            }
        }
    }

    @Test
    void calling_withACodecThatIsNone_isRefused() {
        refusedNull("codec id", () -> with(new NamedCodec(null)));
        refused("codec id is blank; it must name something", () -> with(new NamedCodec(" ")));
        refused("codec id has 65 characters; at most 64 are allowed", () -> with(new NamedCodec("a".repeat(65))));
        refused("results of this kind are not for me", () -> with(new NamedCodec("unfit")));
        assertThat(with(new NamedCodec("a".repeat(64)))).isNotNull();
    }

    private static Operation<String, String> with(Codec<String> codec) {
        return operation().key(request -> request).codec(codec).calling((request, attempt) -> request);
    }

    // ---- recoveries

    @Test
    void recovery_nullArguments_areRefusedByName() {
        Recovery.Lookup<String, String> lookup = (request, attempt) -> Finding.missing();
        var quiescence = Quiescence.of(Duration.ZERO, Duration.ZERO);
        refusedNull("lookup", () -> Recovery.lookup(null));
        refusedNull("lookup", () -> Recovery.lookupThenReexecute(null, quiescence));
        refusedNull("quiescence", () -> Recovery.lookupThenReexecute(lookup, null));
        refusedNull("lookup", () -> Recovery.lookupThenClose(null, quiescence));
        refusedNull("quiescence", () -> Recovery.lookupThenClose(lookup, null));
        refusedNull("profile", () -> Recovery.nativeKey(null));
        refusedNull("profile", () -> Recovery.nativeKeyThenLookup(null, lookup, quiescence));
        refusedNull("lookup", () -> Recovery.nativeKeyThenLookup(Providers.STRIPE_V1, null, quiescence));
        refusedNull("quiescence", () -> Recovery.nativeKeyThenLookup(Providers.STRIPE_V1, lookup, null));
        refusedNull("seal", () -> Recovery.seal(null));
        refusedNull("seal", () -> Recovery.sealThenClose(null));
    }

    // ---- the entry

    @Test
    void entry_nullArguments_areRefusedByName() {
        var builder = Idempotency.builder(CaffeineIdempotencyStore.create());
        refusedNull("store", () -> Idempotency.on(null));
        refusedNull("store", () -> Idempotency.builder(null));
        refusedNull("listener", () -> builder.listener(null));
        refusedNull("json", () -> builder.json(null));
        refusedNull("nanoTime", () -> builder.nanoTime(null));
        refusedNull("tokens", () -> builder.tokens(null));
        refusedNull("executor", () -> builder.executor(null));
        refusedNull("scheduler", () -> builder.scheduler(null));
    }

    @Test
    void entry_aMapperThatReadsTypeNames_isRefused() {
        var validator = BasicPolymorphicTypeValidator.builder()
                .allowIfSubType("dev.idempotency.")
                .build();
        ObjectMapper typed = JsonMapper.builder()
                .activateDefaultTyping(validator, ObjectMapper.DefaultTyping.NON_FINAL)
                .build();

        refused(
                "json has default typing switched on; stored data would name classes",
                () -> Idempotency.builder(CaffeineIdempotencyStore.create()).json(typed));
    }

    @Test
    void caffeineStore_badArguments_areRefused() {
        refused("maximumResults is 0; it must be at least 1", () -> CaffeineIdempotencyStore.create(0));
        refused("maximumResults is -1; it must be at least 1", () -> CaffeineIdempotencyStore.create(-1));
        refusedNull("ticker", () -> CaffeineIdempotencyStore.create(1, null, Instant.EPOCH));
        refusedNull("startTime", () -> CaffeineIdempotencyStore.create(1, () -> 0, null));
        refused(
                "limit is 0; it must be at least 1",
                () -> CaffeineIdempotencyStore.create().purge(0));
        refused(
                "limit is -1; it must be at least 1",
                () -> CaffeineIdempotencyStore.create().listUnresolved(null, -1));
    }

    // ---- values

    @Test
    void ruling_badTexts_areRefused() {
        refusedNull("who", () -> new Admin.Ruling(null, "wrong", "ch-1"));
        refusedNull("why", () -> new Admin.Ruling("Ada", null, "ch-1"));
        refusedNull("evidence", () -> new Admin.Ruling("Ada", "wrong", null));
        refused("who is blank; it must name something", () -> new Admin.Ruling("", "wrong", "ch-1"));
        refused("why is blank; it must name something", () -> new Admin.Ruling("Ada", " ", "ch-1"));
        refused("evidence is blank; it must name something", () -> new Admin.Ruling("Ada", "wrong", "\u2003"));
        refused(
                "who has 201 characters; at most 200 are allowed",
                () -> new Admin.Ruling("a".repeat(201), "wrong", "ch-1"));
        refused(
                "why has 1001 characters; at most 1000 are allowed",
                () -> new Admin.Ruling("Ada", "a".repeat(1001), "ch-1"));
        refused(
                "evidence has 1001 characters; at most 1000 are allowed",
                () -> new Admin.Ruling("Ada", "wrong", "a".repeat(1001)));
        refused(
                "why has a control character or a lone surrogate at position 5",
                () -> new Admin.Ruling("Ada", "wrong\n", "ch-1"));
        refused(
                "who has a control character or a lone surrogate at position 3",
                () -> new Admin.Ruling("Ada\u001b[31m", "wrong", "ch-1"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x200B, 0x202E, 0x2066, 0xFEFF, 0x2028, 0x2029, 0xE0041, 0xAD})
    void ruling_textThatLooksLikeAnother_isRefused(int character) {
        String name = "Ada" + Character.toString(character);
        String says =
                String.format("who has the character U+%04X, which is invisible or turns the direction", character);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Admin.Ruling(name, "wrong", "ch-1"))
                .withMessageStartingWith(says);
        assertThatIllegalArgumentException().isThrownBy(() -> new Admin.Ruling("Ada", name, "ch-1"));
        assertThatIllegalArgumentException().isThrownBy(() -> new Admin.Ruling("Ada", "wrong", name));
    }

    @Test
    void ruling_namesAndMarkupOfAllKinds_areKeptAsTheyAre() {
        for (String text : List.of(
                "O'Hara-Søren <b>",
                "\u0646\u06cc\u200c\u0627",
                "ada \ud83d\udc69\u200d\ud83d\udcbb",
                "a".repeat(200))) {
            assertThat(new Admin.Ruling(text, text, text).who()).isEqualTo(text);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "ada, ada, true",
        "ada, ADA, true",
        "ada, ' Ada  ', true",
        "ada, '\u00a0ada', true",
        "Ada Lovelace, 'ada   LOVELACE', true",
        "ada, \uff41\uff44\uff41, true",
        "ada, a\u200dda, true",
        "ada, adb, false",
        "Ada Lovelace, Ada, false"
    })
    void names_ofOnePerson_areTheSame(String one, String other, boolean same) {
        assertThat(Names.isSame(one, other)).isEqualTo(same);
        assertThat(Names.isSame(other, one)).isEqualTo(same);
    }

    @Test
    void query_badArguments_areRefused() {
        refusedNull("atLeast", () -> new Admin.Query(null, null, null, 1, null));
        refused(
                "state is COMPLETED; it must be IN_FLIGHT, IN_DOUBT or null",
                () -> new Admin.Query(State.COMPLETED, null, Duration.ZERO, 1, null));
        refused("limit is 0; it must be from 1 to 1000", () -> Admin.Query.all(0));
        refused("limit is 1001; it must be from 1 to 1000", () -> Admin.Query.all(1001));
        refused(
                "atLeast is -1 s; it must not be negative",
                () -> new Admin.Query(null, null, Duration.ofSeconds(-1), 1, null));
        refusedNull("last", () -> Admin.Query.all(1).next(null));
    }

    @Test
    void admin_badSettingsAndArguments_areRefused() {
        refusedNull("store", () -> Admin.on(null));
        var builder = Admin.builder(CaffeineIdempotencyStore.create());
        refusedNull("quiescence", () -> builder.quiescence(null));
        refused("quiescence is -1 s; it must not be negative", () -> builder.quiescence(Duration.ofSeconds(-1)));
        refusedNull("retention", () -> builder.retention(null));
        refused("retention is 0 s; it must be at least 1 ms", () -> builder.retention(Duration.ZERO));
        refusedNull("listener", () -> builder.listener(null));
        var admin = builder.build();
        var key = new IdempotencyKey("pay", "1");
        var ruling = new Admin.Ruling("ada", "why", "none");
        var fingerprint = new Fingerprint("a", "b");
        refusedNull("key", () -> admin.review(null));
        refusedNull("key", () -> admin.resolveExecuted(null, 1, null, ruling));
        refusedNull("ruling", () -> admin.resolveExecuted(key, 1, null, null));
        refusedNull("ruling", () -> admin.resolveNotExecuted(key, 1, null));
        refusedNull("ruling", () -> admin.reExecute(key, 1, null));
        refusedNull("ruling", () -> admin.reopen(key, 1, null));
        refusedNull("fingerprint", () -> admin.requestOverride(key, 1, null, ruling));
        refusedNull("ruling", () -> admin.requestOverride(key, 1, fingerprint, null));
        refusedNull("requestId", () -> admin.approveOverride(key, null, ruling));
        refusedNull("ruling", () -> admin.approveOverride(key, "id", null));
        refusedNull("requestId", () -> admin.refuseOverride(key, null, ruling));
        refusedNull("ruling", () -> admin.refuseOverride(key, "id", null));
        refused("limit is 0; it must be at least 1", () -> admin.audit(null, null, 0));
    }

    @Test
    void smallValues_nullArguments_areRefusedByName() {
        var key = new IdempotencyKey("pay", "1");
        refusedNull("type", () -> new IdempotencyEvent(null, key, 1, 1, ""));
        refusedNull("key", () -> new IdempotencyEvent(IdempotencyEvent.Type.FOUND, null, 1, 1, ""));
        refusedNull("detail", () -> new IdempotencyEvent(IdempotencyEvent.Type.FOUND, key, 1, 1, null));
        refusedNull("reason", () -> Finding.unknown(null));
        refusedNull("algorithm", () -> new Fingerprint(null, "b"));
        refusedNull("digest", () -> new Fingerprint("a", null));
        refusedNull("level", () -> new Guarantee(null, false, List.of(), List.of()));
        refusedNull("conditions", () -> new Guarantee(Guarantee.Level.F, false, null, List.of()));
        refusedNull("violations", () -> new Guarantee(Guarantee.Level.F, false, List.of(), null));
    }

    @Test
    void guarantee_isImmutable() {
        var lines = new ArrayList<>(List.of("P5: x"));
        var guarantee = new Guarantee(Guarantee.Level.F, false, lines, lines);
        lines.clear();

        assertThat(guarantee.conditions()).containsExactly("P5: x").isUnmodifiable();
        assertThat(guarantee.violations()).containsExactly("P5: x").isUnmodifiable();
        assertThatThrownBy(() -> new Guarantee(Guarantee.Level.F, false, Arrays.asList("a", null), List.of()))
                .isInstanceOf(NullPointerException.class);
    }

    @Test
    void events_thatAreAlarms() {
        assertThat(IdempotencyEvent.Type.values())
                .filteredOn(IdempotencyEvent.Type::isAlarm)
                .containsExactly(
                        IdempotencyEvent.Type.ORPHAN,
                        IdempotencyEvent.Type.CONFLICT,
                        IdempotencyEvent.Type.CONTRADICTION,
                        IdempotencyEvent.Type.DUPLICATE);
    }
}
