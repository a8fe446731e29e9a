package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneId;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Currency;
import java.util.Date;
import java.util.GregorianCalendar;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys, and how an operation makes them of requests. */
final class KeyTest {
    private record Order(Object first, Object second, Object third, String tenant) {}

    private enum Money {
        EUR
    }

    /** Says nothing about its value, but has equal hashes for equal values. */
    private static final class Opaque {
        @Override
        public int hashCode() {
            return 42;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Opaque;
        }
    }

    private static Operation.Builder<Order, String> operation() {
        return Idempotency.on(CaffeineIdempotencyStore.create()).operation("pay", Order.class, String.class);
    }

    private static IdempotencyKey of(Operation.Builder<Order, String> builder, Order order) {
        return builder.calling((request, attempt) -> "done").keyOf(order);
    }

    private static IdempotencyKey single(Object part) {
        return of(operation().key(Order::first), new Order(part, null, null, null));
    }

    private static IdempotencyKey framed(Object first, Object second) {
        return of(operation().key(Order::first, Order::second), new Order(first, second, null, null));
    }

    // ---- one part

    @Test
    void key_ofOnePart_isItsText() {
        var id = UUID.fromString("6a0f2b1c-0000-4000-8000-000000000001");

        assertThat(single("order-1")).isEqualTo(new IdempotencyKey("pay", "order-1"));
        assertThat(single(17L).value()).isEqualTo("17");
        assertThat(single(id).value()).isEqualTo(id.toString());
        assertThat(single(Money.EUR).value()).isEqualTo("EUR");
        assertThat(single(" a ").value()).isEqualTo(" a ");
    }

    @Test
    void key_longerThanAColumn_isADigest() {
        assertThat(single("x".repeat(255)).value()).isEqualTo("x".repeat(255));
        assertThat(single("x".repeat(256)).value())
                .isEqualTo("sha256:85e62acd750c4eb56b7b6a1d66dca5bfaac5f062608a1a893410d0288936c09a");
        assertThat(single("x".repeat(256))).isNotEqualTo(single("x".repeat(257)));
    }

    /** Otherwise a request could choose the digest of another's long key as its own. */
    @Test
    void key_thatLooksLikeADigest_isDigestedItself() {
        String digest = single("x".repeat(256)).value();

        assertThat(single(digest).value()).startsWith("sha256:").isNotEqualTo(digest);
        assertThat(single("sha256:").value()).hasSize(7 + 64);
        assertThat(single("SHA256:1").value()).isEqualTo("SHA256:1");
        assertThat(single("sha256").value()).isEqualTo("sha256");
    }

    // ---- several parts

    @Test
    void key_ofSeveralParts_isFramedByTheirLengths() {
        assertThat(framed("a", "b:c").value()).isEqualTo("1:a3:b:c");
        assertThat(framed("a:b", "c").value()).isEqualTo("3:a:b1:c");
        assertThat(framed(1, 12)).isNotEqualTo(framed(11, 2));
        assertThat(of(operation().key(Order::first, Order::second, Order::third), new Order("a", "b", "c", null))
                        .value())
                .isEqualTo("1:a1:b1:c");
    }

    @Test
    void key_ofSeveralParts_longerThanAColumn_isADigest() {
        // "3:abc" and "246:" leave room for 246 characters.
        assertThat(framed("abc", "x".repeat(246)).value()).hasSize(255).startsWith("3:abc246:x");
        assertThat(framed("abc", "x".repeat(247)).value()).hasSize(71).startsWith("sha256:");
        assertThat(framed("x".repeat(200), "x".repeat(201))).isNotEqualTo(framed("x".repeat(201), "x".repeat(200)));
    }

    // ---- tenants

    @Test
    void tenant_becomesPartOfTheScope() {
        var builder = operation().key(Order::first).tenant(Order::tenant);

        assertThat(of(builder, new Order("1", null, null, "acme"))).isEqualTo(new IdempotencyKey("pay/acme", "1"));
        assertThat(of(operation().tenant(Order::tenant).key(Order::first), new Order("1", null, null, "acme")))
                .isEqualTo(new IdempotencyKey("pay/acme", "1"));
        assertThat(of(builder, new Order("1", null, null, "other")).scope()).isEqualTo("pay/other");
    }

    @Test
    void tenant_withTheLongestName_fitsTheLongestScope() {
        var name = "n".repeat(100);
        var operation = Idempotency.on(CaffeineIdempotencyStore.create())
                .operation(name, Order.class, String.class)
                .key(Order::first)
                .tenant(Order::tenant)
                .calling((request, attempt) -> "done");

        assertThat(operation.keyOf(new Order("1", null, null, "t".repeat(99))).scope())
                .hasSize(IdempotencyKey.MAX_SCOPE);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> operation.keyOf(new Order("1", null, null, "t".repeat(100))))
                .withMessageEndingWith(": tenant has 100 characters; at most 99 are allowed");
    }

    @Test
    void tenant_thatIsNullOrBlank_isRefused() {
        var builder = operation().key(Order::first).tenant(Order::tenant);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> of(builder, new Order("1", null, null, null)))
                .withMessage(
                        "Operation 'pay' takes no key of this request, and nothing was written: its tenant is null;"
                                + " every request needs one");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of(builder, new Order("1", null, null, " ")))
                .withMessageEndingWith(": tenant is blank; it must name something");
    }

    // ---- bad parts

    static Stream<Function<Object, IdempotencyKey>> makers() {
        return Stream.of(
                KeyTest::single,
                part -> framed(part, "b"),
                part -> framed("a", part),
                part -> of(
                        operation().key(Order::first, Order::second, Order::third), new Order("a", "b", part, null)));
    }

    @ParameterizedTest
    @MethodSource("makers")
    void key_partThatIsBad_isRefusedWithAReason(Function<Object, IdempotencyKey> maker) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> maker.apply(null))
                .withMessageStartingWith("Operation 'pay' takes no key of this request, and nothing was written: ")
                .withMessageEndingWith(" is null; a key is made of what every request has");
        refused(maker, "", "a part of the key is blank; it must name something");
        refused(maker, " \t", "a part of the key is blank; it must name something");
        refused(maker, "a\nb", "a part of the key has a control character or a lone surrogate at position 1");
        refused(maker, "\u0000", "a part of the key has a control character or a lone surrogate at position 0");
        refused(maker, "ab\u0085", "a part of the key has a control character or a lone surrogate at position 2");
        refused(maker, "a\uD83D", "a part of the key has a control character or a lone surrogate at position 1");
        refused(maker, "\uDE00a", "a part of the key has a control character or a lone surrogate at position 0");
        refused(maker, "\uD83Da", "a part of the key has a control character or a lone surrogate at position 0");
        refused(maker, "x".repeat(8193), "a part of the key has 8193 characters; at most 8192 are allowed");
        assertThat(maker.apply("x".repeat(8192)).value()).startsWith("sha256:");
        assertThat(maker.apply("\uD83D\uDE00").value()).contains("\uD83D\uDE00");
    }

    private static final String TAKE =
            ", whose text need not say its value in every process; take text, whole numbers, an enum,"
                    + " a UUID, a date or time of java.time, or a list or record of these. If its toString() says its value, call that";
    private static final String SORT =
            ", whose order may differ from process to process; take a sorted list, or a field of the request";
    private static final String EMPTY =
            ", which may be empty, and then all requests without a value would be one; take what every request has";
    private static final String ZONE = ", whose text depends on the time zone of the process; take its toInstant()";
    private static final String DIGITS =
            ", whose text differs between versions of Java; take a BigDecimal, or a long of minor units";

    private record Token(byte[] bytes) {}

    private record Ordered(String order, List<Integer> lines, Currency currency, int number) {}

    /** The text of an array is another one in each process, so that a retry after a crash would be a new write. */
    @ParameterizedTest
    @MethodSource("makers")
    void key_partWhoseTextMayDifferInTheNextProcess_isRefused(Function<Object, IdempotencyKey> maker) {
        refused(maker, new byte[] {1}, "a part of the key is a byte[]" + TAKE);
        refused(maker, new String[] {"a"}, "a part of the key is a java.lang.String[]" + TAKE);
        refused(maker, new Object(), "a part of the key is a java.lang.Object" + TAKE);
        refused(maker, new Opaque(), "a part of the key is a dev.idempotency.KeyTest$Opaque" + TAKE);
        refused(maker, Clock.systemUTC(), "a part of the key is a java.time.Clock$SystemClock" + TAKE);
        refused(maker, new AtomicLong(1), "a part of the key is a java.util.concurrent.atomic.AtomicLong" + TAKE);
        refused(maker, new TreeSet<>(Set.of("a")), "a part of the key is a java.util.TreeSet" + SORT);
        refused(maker, new HashMap<>(), "a part of the key is a java.util.HashMap" + SORT);
        refused(maker, new ArrayDeque<>(List.of("a")), "a part of the key is a java.util.ArrayDeque" + SORT);
        refused(maker, Optional.of("x"), "a part of the key is a java.util.Optional" + EMPTY);
        refused(maker, Optional.empty(), "a part of the key is a java.util.Optional" + EMPTY);
        refused(maker, OptionalInt.of(1), "a part of the key is a java.util.OptionalInt" + EMPTY);
        refused(maker, new Date(0), "a part of the key is a java.util.Date" + ZONE);
        refused(maker, new GregorianCalendar(), "a part of the key is a java.util.GregorianCalendar" + ZONE);
        refused(maker, 1.5, "a part of the key is a java.lang.Double" + DIGITS);
        refused(maker, 1.5f, "a part of the key is a java.lang.Float" + DIGITS);
        assertThat(maker.apply("java.lang.Object@1b6d3586").value()).contains("java.lang.Object@1b6d3586");
    }

    @ParameterizedTest
    @MethodSource("makers")
    void key_partThatHidesOneOfThese_isRefusedWithItsPlace(Function<Object, IdempotencyKey> maker) {
        refused(maker, List.of(), "a part of the key is an empty list; it must name something");
        refused(maker, List.of(new byte[1]), "a part of the key has in a list a byte[]" + TAKE);
        refused(maker, Arrays.asList("a", null), "a part of the key is a list with a null in it; leave it out");
        refused(
                maker,
                List.of(new Token(new byte[1])),
                "a part of the key has in the field bytes of a dev.idempotency.KeyTest$Token a byte[]" + TAKE);
        refused(
                maker,
                new Token(null),
                "a part of the key is a dev.idempotency.KeyTest$Token whose bytes is null; a key is made of what every"
                        + " request has");
        Object deep = "a";
        for (int i = 0; i < 100; i++) {
            deep = List.of(deep);
        }
        refused(maker, deep, "a part of the key is nested too deeply; take fields of it instead");
    }

    @Test
    void key_partOfAnyTypeThatIsAllowed_saysItsValue() {
        var ordered = new Ordered("o-1", List.of(1, 2), Currency.getInstance("EUR"), 7);
        for (Object part : List.of(
                new StringBuilder("a"),
                (short) 1,
                (byte) 1,
                'c',
                true,
                new BigDecimal("1.50"),
                new BigInteger("12"),
                URI.create("https://example.com/1"),
                Instant.EPOCH,
                LocalDate.EPOCH,
                YearMonth.of(2026, 1),
                Duration.ofHours(1),
                ZoneId.of("Europe/Berlin"))) {
            assertThat(single(part).value()).isEqualTo(part.toString());
        }
        assertThat(single(List.of("a", "b")).value()).isEqualTo("[1:a1:b]");
        assertThat(single(ordered).value()).isEqualTo("Ordered[3:o-18:[1:11:2]3:EUR1:7]");
        assertThat(single(List.of(ordered)).value()).isEqualTo("[32:Ordered[3:o-18:[1:11:2]3:EUR1:7]]");
    }

    private record Place(String street, String city) {}

    private record Card(String number) {
        @Override
        public String toString() {
            return "Card[****]";
        }
    }

    /** The second write would be refused for the first one's payload, or be given its result. */
    @ParameterizedTest
    @MethodSource("makers")
    void execute_listsAndRecordsWithTheSameTextAndOtherValues_areTwoWrites(Function<Object, IdempotencyKey> maker) {
        assertThat(maker.apply(List.of("a, b"))).isNotEqualTo(maker.apply(List.of("a", "b")));
        assertThat(maker.apply(new Place("x, city=y", "z"))).isNotEqualTo(maker.apply(new Place("x", "y, city=z")));
        assertThat(maker.apply(new Place("x", "y"))).isEqualTo(maker.apply(new Place("x", "y")));
    }

    /** All cards would be one key, or the number would stand in the log. */
    @ParameterizedTest
    @MethodSource("makers")
    void key_recordThatHidesAComponentInItsText_isRefused(Function<Object, IdempotencyKey> maker) {
        var card = new Card("4711");
        String hidden =
                "dev.idempotency.KeyTest$Card whose toString() does not say its number; take what tells two writes"
                        + " apart, and may be seen in a log";
        refused(maker, card, "a part of the key is a " + hidden);
        refused(maker, List.of(card), "a part of the key has in a list a " + hidden);
    }

    // ---- a rule that does not move

    @Test
    void operation_whoseBuilderIsUsedAgain_keepsItsKeys() {
        var builder = operation().key(Order::first);
        var pay = builder.calling((request, attempt) -> "done");
        builder.tenant(Order::tenant).fingerprint(Order::second).calling((request, attempt) -> "done");
        var order = new Order("1", "2", null, "acme");

        assertThat(pay.keyOf(order)).isEqualTo(new IdempotencyKey("pay", "1"));
        assertThat(pay.fingerprintOf(order))
                .isEqualTo(operation()
                        .key(Order::first)
                        .calling((request, attempt) -> "done")
                        .fingerprintOf(order));
    }

    static Stream<Operation.Builder<Order, String>> drawn() {
        var count = new AtomicLong();
        return Stream.of(
                operation().key(order -> UUID.randomUUID()),
                operation().key(Order::first, order -> count.incrementAndGet()),
                operation().key(Order::first).tenant(order -> "t" + count.incrementAndGet()),
                operation().key(Order::first).fingerprint(order -> UUID.randomUUID()));
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void execute_keyOrFingerprintThatIsDrawn_isRefusedBeforeAnythingIsWritten(
            Operation.Builder<Order, String> builder) {
        var calls = new AtomicLong();
        var pay = builder.calling((request, attempt) -> "effect-" + calls.incrementAndGet());

        assertThatIllegalArgumentException()
                .isThrownBy(() -> pay.execute(new Order("1", "2", "3", "acme")))
                .withMessageMatching(
                        "the (key|fingerprint) of operation 'pay' is not the same each time it is taken of one"
                                + " request \\([0-9a-f]+, then [0-9a-f]+\\), so that a retry would be another write; make it of"
                                + " fields that a retry repeats, never of a clock or a random value. Nothing was written");
        assertThat(calls).hasValue(0);
    }

    /** As a key with the clock's hour in it, long after the first runs. */
    @Test
    void keyOf_functionThatMovesLater_isFoundAtALowRate() {
        var count = new AtomicLong();
        var pay = operation()
                .key(order -> Math.max(0, count.incrementAndGet() - 100))
                .calling((request, attempt) -> "done");
        var order = new Order("1", "2", "3", "acme");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> {
                    for (int i = 0; i < 2000; i++) {
                        pay.keyOf(order);
                    }
                })
                .withMessageContaining("is not the same each time");
        assertThat(count.get()).isBetween(1024L, 1100L);
    }

    private static void refused(Function<Object, IdempotencyKey> maker, Object part, String message) {
        assertThatThrownBy(() -> maker.apply(part))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Operation 'pay' takes no key of this request, and nothing was written: " + message);
    }

    @Test
    void key_functionThatThrows_passesItsExceptionOn() {
        var failure = new IllegalStateException("no order");
        var builder = operation().key(order -> {
            throw failure;
        });

        assertThatThrownBy(() -> of(builder, new Order(1, null, null, null))).isSameAs(failure);
    }

    @Test
    void keyOf_null_isRefusedByName() {
        var operation = operation().key(Order::first).calling((request, attempt) -> "done");

        assertThatNullPointerException().isThrownBy(() -> operation.keyOf(null)).withMessage("request");
        assertThatNullPointerException()
                .isThrownBy(() -> operation.fingerprintOf(null))
                .withMessage("request");
        assertThatNullPointerException()
                .isThrownBy(() -> operation.execute(null))
                .withMessage("request");
        assertThatNullPointerException()
                .isThrownBy(() -> operation.executeAsync(null))
                .withMessage("request");
    }

    @Test
    void key_setTwice_isRefused() {
        assertThatIllegalStateException()
                .isThrownBy(() -> operation().key(Order::first).key(Order::second))
                .withMessage("key was already set");
        assertThatIllegalStateException()
                .isThrownBy(() -> operation().key(Order::first).key(Order::first, Order::second))
                .withMessage("key was already set");
    }

    @Test
    void key_nullFunctions_areRefusedByName() {
        assertThatNullPointerException().isThrownBy(() -> operation().key(null)).withMessage("part");
        assertThatNullPointerException()
                .isThrownBy(() -> operation().key(null, Order::second))
                .withMessage("first");
        assertThatNullPointerException()
                .isThrownBy(() -> operation().key(Order::first, null))
                .withMessage("second");
        assertThatNullPointerException()
                .isThrownBy(() -> operation().key(Order::first, Order::second, (Function<Order, ?>) null))
                .withMessage("more[0]");
    }

    // ---- the key itself

    @Test
    void idempotencyKey_printsBothParts() {
        assertThat(new IdempotencyKey("pay", "order-1")).hasToString("pay:order-1");
    }

    @Test
    void idempotencyKey_namesItsOperation_withoutTheTenant() {
        assertThat(new IdempotencyKey("pay", "order-1").operation()).isEqualTo("pay");
        assertThat(new IdempotencyKey("pay/acme/eu", "order-1").operation()).isEqualTo("pay");
    }

    @Test
    void idempotencyKey_atItsLimits_isAccepted_andBeyondThemRefused() {
        new IdempotencyKey("s".repeat(IdempotencyKey.MAX_SCOPE), "v".repeat(IdempotencyKey.MAX_VALUE));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IdempotencyKey("s".repeat(201), "v"))
                .withMessage("scope has 201 characters; at most 200 are allowed");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IdempotencyKey("s", "v".repeat(256)))
                .withMessage("value has 256 characters; at most 255 are allowed");
    }

    @Test
    void idempotencyKey_nullParts_areRefusedByName() {
        assertThatNullPointerException()
                .isThrownBy(() -> new IdempotencyKey(null, "v"))
                .withMessage("scope");
        assertThatNullPointerException()
                .isThrownBy(() -> new IdempotencyKey("s", null))
                .withMessage("value");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a\u0007", "\uD800", "a\uDC00b"})
    void idempotencyKey_badText_isRefusedInEitherPart(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IdempotencyKey(text, "v"))
                .withMessageStartingWith("scope ");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IdempotencyKey("s", text))
                .withMessageStartingWith("value ");
    }
}
