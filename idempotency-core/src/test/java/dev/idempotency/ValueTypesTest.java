package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import java.math.BigDecimal;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Types whose values JSON does not hold are found when the operation is built, and values when they are stored. */
final class ValueTypesTest {
    private final Idempotency idempotency = Idempotency.on(CaffeineIdempotencyStore.create());

    // ---- results

    /** As Lombok's {@code @Value} makes them. */
    static final class AllArguments {
        private final String id;

        AllArguments(String id) {
            this.id = id;
        }

        public String getId() {
            return id;
        }
    }

    @kotlin.Metadata
    static final class KotlinData {
        private final String id;

        KotlinData(String id) {
            this.id = id;
        }

        public String getId() {
            return id;
        }
    }

    class Inner {
        public String id = "";
    }

    interface Pay {
        String id();
    }

    record Nested(String id, List<Pay> pays) {}

    static class NoGetter {
        private long amount;

        public String id = "";

        public long amount() {
            return amount;
        }
    }

    record WriteOnly(
            String id,

            @JsonProperty(access = JsonProperty.Access.WRITE_ONLY)
            String card) {}

    static class Ignored {
        public String id = "";

        @JsonIgnore
        public String customer = "";
    }

    record ReadOnly(
            String id,

            @JsonProperty(access = JsonProperty.Access.READ_ONLY)
            String card) {}

    record Inside(Optional<Map<String, WriteOnly[]>> cards) {}

    static class Base {
        private String secret = "";

        String secret() {
            return secret;
        }
    }

    static class Derived extends Base {
        public String id = "";
    }

    static class Generic<T> {
        public T value;
    }

    static Stream<Arguments> unfit() {
        return Stream.of(
                Arguments.of(AllArguments.class, "AllArguments has no constructor that Jackson could use"),
                Arguments.of(KotlinData.class, "KotlinData is a Kotlin class, and the mapper has no module for these"),
                Arguments.of(Inner.class, "Inner is an inner class"),
                Arguments.of(Pay.class, "Pay is abstract, and its JSON does not say which class it is"),
                Arguments.of(Nested.class, "Pay is abstract, and its JSON does not say which class it is"),
                Arguments.of(NoGetter.class, "the field amount of " + NoGetter.class.getName() + " is not written"),
                Arguments.of(WriteOnly.class, "the field card of " + WriteOnly.class.getName() + " is not written"),
                Arguments.of(Ignored.class, "the field customer of " + Ignored.class.getName() + " is not written"),
                Arguments.of(ReadOnly.class, "the field card of " + ReadOnly.class.getName() + " is written and never"),
                Arguments.of(Inside.class, "the field card of " + WriteOnly.class.getName() + " is not written"),
                Arguments.of(Derived.class, "the field secret of " + Base.class.getName() + " is not written"),
                Arguments.of(List.class, "java.util.List does not say what is in it"),
                Arguments.of(Map.class, "java.util.Map does not say what is in it"),
                Arguments.of(Optional.class, "java.util.Optional does not say what is in it"),
                Arguments.of(Generic.class, "Generic does not say what is in it"),
                Arguments.of(Object.class, "java.lang.Object does not say what is in it"));
    }

    @ParameterizedTest
    @MethodSource("unfit")
    void calling_resultTypeThatDoesNotComeBackFromJson_isRefusedBeforeTheFirstCharge(Class<?> type, String why) {
        var builder = idempotency.operation("pay", String.class, type).key(order -> order);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.calling((order, attempt) -> null))
                .withMessageContaining(why)
                .withMessageContaining("give the operation a codec of your own");
    }

    @ParameterizedTest
    @MethodSource("unfit")
    void keepRequests_requestTypeThatDoesNotComeBackFromJson_isRefused(Class<?> type, String why) {
        var builder = idempotency
                .operation("pay", type, String.class)
                .key(order -> "1")
                .fingerprint(order -> "1")
                .keepRequests();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.calling((order, attempt) -> "done"))
                .withMessageContaining(why);
    }

    record Paid(String id, BigDecimal amount) {
        public boolean isPaid() {
            return true;
        }
    }

    static final class Bean {
        private final List<String> lines = new ArrayList<>();
        private boolean isOpen;
        private transient int hash;

        public List<String> getLines() {
            return lines;
        }

        public boolean isOpen() {
            return isOpen;
        }

        public void setOpen(boolean open) {
            isOpen = open;
        }

        public int getTotal() {
            return lines.size();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Bean that && lines.equals(that.lines) && isOpen == that.isOpen;
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
    @JsonSubTypes({@JsonSubTypes.Type(Card.class), @JsonSubTypes.Type(Cash.class)})
    sealed interface Means permits Card, Cash {}

    record Card(String number) implements Means {}

    record Cash(String number) implements Means {}

    record Many(
            Map<String, List<Paid>> paid,
            Optional<Means> means,
            Set<TimeUnit> units,
            JsonNode node,
            Object any,
            int[] is) {}

    static final class Charges extends ArrayList<Paid> {
        private static final long serialVersionUID = 1L;
    }

    static Stream<Class<?>> fit() {
        return Stream.of(
                Paid.class,
                Bean.class,
                Means.class,
                Card.class,
                Many.class,
                Charges.class,
                Paid[].class,
                JsonNode.class,
                String.class,
                Integer.class,
                boolean.class,
                TimeUnit.class,
                OffsetDateTime.class,
                Void.class,
                byte[].class);
    }

    @ParameterizedTest
    @MethodSource("fit")
    void calling_typesThatComeBack_areTaken(Class<?> type) {
        assertThat(idempotency
                        .operation("result", String.class, type)
                        .key(order -> order)
                        .calling((order, attempt) -> null))
                .isNotNull();
        assertThat(idempotency
                        .operation("request", type, String.class)
                        .key(order -> "1")
                        .keepRequests()
                        .calling((order, attempt) -> "done"))
                .isNotNull();
    }

    /** What a getter computes is not asked for when the result is read. */
    @Test
    void execute_resultWithComputedGetters_isReplayed() {
        var bean = new Bean();
        bean.getLines().add("a");
        bean.setOpen(true);
        var counted = idempotency
                .operation("bean", String.class, Bean.class)
                .key(order -> order)
                .calling((order, attempt) -> bean);
        var paid = idempotency
                .operation("paid", String.class, Paid.class)
                .key(order -> order)
                .calling((order, attempt) -> new Paid("ch-1", new BigDecimal("10.00")));

        for (int i = 0; i < 2; i++) {
            assertThat(counted.execute("o-1")).isEqualTo(bean);
            assertThat(paid.execute("o-1")).isEqualTo(new Paid("ch-1", new BigDecimal("10.00")));
        }
    }

    // ---- requests

    @ParameterizedTest
    @ValueSource(classes = {NoGetter.class, WriteOnly.class, Ignored.class, Inside.class, Derived.class})
    void calling_requestTypeWithFieldsThatTheFingerprintCannotSee_isRefused(Class<?> type) {
        var builder = idempotency.operation("pay", type, String.class).key(order -> "1");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.calling((order, attempt) -> "done"))
                .withMessageContaining("have no fingerprint that says all of them: the field ")
                .withMessageEndingWith("or choose what counts with fingerprint(..)");
        assertThat(builder.fingerprint(order -> "1").calling((order, attempt) -> "done"))
                .isNotNull();
    }

    sealed interface Order permits Charge, Refund {}

    record Charge(String id, long amount) implements Order {}

    record Refund(String id, long amount) implements Order {}

    record Wrapping(String id, Order order) {}

    @Test
    void execute_refundUnderTheKeyOfACharge_isRefused() {
        var order = idempotency
                .operation("order", Order.class, String.class)
                .key(one -> "o-1")
                .calling((one, attempt) -> one.getClass().getSimpleName() + " made");
        assertThat(order.execute(new Charge("o-1", 5))).isEqualTo("Charge made");

        assertThatThrownBy(() -> order.execute(new Refund("o-1", 5))).isInstanceOf(MismatchException.class);
        assertThat(order.execute(new Charge("o-1", 5))).isEqualTo("Charge made");
    }

    @Test
    void calling_requestWithAFieldThatMayBeOneOfSeveralClasses_isRefused() {
        var builder = idempotency.operation("pay", Wrapping.class, String.class).key(Wrapping::id);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.calling((order, attempt) -> "done"))
                .withMessageContaining("Order may be one of several classes, and its JSON does not say which");
    }

    /** The same as before this counted: those who have records and final classes keep their digests. */
    @Test
    void fingerprint_ofARecord_andOfASubclass() {
        var mapper = idempotency.json();
        var ofRecord = idempotency
                .operation("charge", Charge.class, String.class)
                .key(Charge::id)
                .calling((order, attempt) -> "done");
        var ofInterface = idempotency
                .operation("order", Order.class, String.class)
                .key(order -> "1")
                .calling((order, attempt) -> "done");
        var ofMeans = idempotency
                .operation("means", Means.class, String.class)
                .key(order -> "1")
                .calling((order, attempt) -> "done");
        var ofMap = idempotency
                .operation("map", Map.class, String.class)
                .key(order -> "1")
                .calling((order, attempt) -> "done");
        var charge = new Charge("o-1", 5);

        assertThat(ofRecord.fingerprintOf(charge)).isEqualTo(Canonical.fingerprint(charge, mapper));
        assertThat(ofInterface.fingerprintOf(charge))
                .isNotEqualTo(Canonical.fingerprint(charge, mapper))
                .isEqualTo(Canonical.fingerprint(charge, mapper, "ValueTypesTest$Charge"));
        assertThat(ofMeans.fingerprintOf(new Card("1"))).isEqualTo(Canonical.fingerprint(new Card("1"), mapper));
        assertThat(ofMap.fingerprintOf(Map.of("a", 1)))
                .isEqualTo(ofMap.fingerprintOf(new HashMap<>(Map.of("a", 1))))
                .isEqualTo(Canonical.fingerprint(Map.of("a", 1), mapper));
    }

    // ---- sets

    record Tagged(Set<String> tags, Collection<TimeUnit> units, Map<String, Set<List<Set<Integer>>>> deep) {}

    /** In another process the elements of {@code Set.of(..)} and of a {@code HashSet} of enums come in another order. */
    @Test
    void fingerprint_ofSets_doesNotDependOnTheirOrder() {
        Set<String> one = new LinkedHashSet<>(List.of("gift", "express", "fragile"));
        Set<String> other = new LinkedHashSet<>(List.of("fragile", "gift", "express"));
        Set<TimeUnit> units = new LinkedHashSet<>(List.of(TimeUnit.DAYS, TimeUnit.HOURS));
        Set<TimeUnit> reversed = new LinkedHashSet<>(List.of(TimeUnit.HOURS, TimeUnit.DAYS));
        Set<List<Set<Integer>>> deep = new LinkedHashSet<>(
                List.of(List.of(new LinkedHashSet<>(List.of(10, 9))), List.of(new LinkedHashSet<>(List.of(1, 2)))));
        Set<List<Set<Integer>>> turned = new LinkedHashSet<>(
                List.of(List.of(new LinkedHashSet<>(List.of(2, 1))), List.of(new LinkedHashSet<>(List.of(9, 10)))));
        var pay = idempotency
                .operation("pay", Tagged.class, String.class)
                .key(order -> "1")
                .calling((order, attempt) -> "done");

        Fingerprint first = pay.fingerprintOf(new Tagged(one, units, Map.of("a", deep)));

        assertThat(pay.fingerprintOf(new Tagged(other, reversed, Map.of("a", turned))))
                .isEqualTo(first);
        assertThat(pay.fingerprintOf(new Tagged(new TreeSet<>(one), EnumSet.copyOf(units), Map.of("a", deep))))
                .isEqualTo(first);
        assertThat(pay.fingerprintOf(new Tagged(Set.of("gift", "express"), units, Map.of("a", deep))))
                .isNotEqualTo(first);
        assertThat(pay.fingerprintOf(new Tagged(one, List.of(TimeUnit.DAYS, TimeUnit.HOURS), Map.of())))
                .isNotEqualTo(pay.fingerprintOf(new Tagged(one, List.of(TimeUnit.HOURS, TimeUnit.DAYS), Map.of())));
    }

    /** Sorted sets of text and of numbers keep the digests that they have always had. */
    @Test
    void fingerprint_ofASortedSet_isThatOfItsList() {
        for (Set<?> set : List.of(
                new TreeSet<>(List.of(9, 10, 100, -1)),
                new TreeSet<>(List.of("a", "a!", "a b", "B", "\u00e9")),
                new TreeSet<>(List.of(new BigDecimal("0.5"), new BigDecimal("12"))),
                new TreeSet<>(List.of(1.5, 1e10)),
                new HashSet<>(List.of("one")))) {
            assertThat(Canonical.fingerprint(set, idempotency.fingerprints()))
                    .isEqualTo(Canonical.fingerprint(new ArrayList<>(set), idempotency.json()));
        }
    }

    record Price(float price) {}

    /** Java 17 writes this float with more digits than Java 19 and later do. */
    @Test
    void fingerprint_ofAFloat_isTheSameOnEveryJava() {
        float value = 2.0e-45f;
        float known = Float.intBitsToFloat(0x5bb3d421);

        assertThat(Canonical.fingerprint(new Price(value), idempotency.json()))
                .isEqualTo(Canonical.fingerprint(Map.of("price", 1.4e-45), idempotency.json()));
        assertThat(Canonical.fingerprint(new Price(known), idempotency.json()).digest())
                .isEqualTo(Canonical.fingerprint(Map.of("price", 1.0123452E17), idempotency.json())
                        .digest());
        assertThat(Canonical.fingerprint(new Price(19.99f), idempotency.json()))
                .isEqualTo(Canonical.fingerprint(Map.of("price", 19.99), idempotency.json()));
    }

    // ---- kept requests

    record Moved(String id, OffsetDateTime at, ZonedDateTime zoned, Set<TimeUnit> units, Map<String, Object> more) {
        public boolean isBig() {
            return true;
        }
    }

    @Test
    void keepRequests_requestsThatJsonCanHold_areRecovered() throws Exception {
        var moved = new Moved(
                "1",
                OffsetDateTime.parse("2026-01-01T00:30+02:00"),
                ZonedDateTime.parse("2026-01-01T00:30+01:00[Europe/Berlin]"),
                Set.of(TimeUnit.DAYS, TimeUnit.HOURS, TimeUnit.SECONDS),
                Map.of("amount", new BigDecimal("12345678901234567.89")));
        var pay = idempotency
                .operation("pay", Moved.class, String.class)
                .key(Moved::id)
                .keepRequests()
                .recovery(Recovery.lookup((order, attempt) -> Finding.found(order.equals(moved) ? "same" : "other")))
                .calling((order, attempt) -> {
                    throw new IllegalStateException("no reply");
                });
        var kept = pay.spec.keep(moved, pay.keyOf(moved), pay.fingerprintOf(moved));

        assertThat(kept).isNotNull();
        assertThat(pay.spec.requests().decode(kept.bytes())).isEqualTo(moved);
    }

    record At(String id, OffsetDateTime at) {}

    /** A mapper that writes times as numbers forgets their offsets, and with them the request. */
    @Test
    void keepRequests_requestThatDoesNotComeBackAsItWent_isRefusedBeforeAnythingIsWritten() {
        var store = CaffeineIdempotencyStore.create();
        var calls = new AtomicInteger();
        var codec = new Codec<At>() {
            @Override
            public String id() {
                return "drops";
            }

            @Override
            public byte[] encode(At at) {
                return new byte[0];
            }

            @Override
            public At decode(byte[] bytes) {
                return new At("o-1", OffsetDateTime.MIN);
            }
        };
        var pay = Idempotency.builder(store)
                .json(JsonMapper.builder().addModule(new JavaTimeModule()).build())
                .build()
                .operation("pay", At.class, String.class)
                .key(At::id)
                .keepRequests(codec)
                .calling((order, attempt) -> "effect-" + calls.incrementAndGet());
        var request = new At("o-1", OffsetDateTime.parse("2026-01-01T00:30+02:00"));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> pay.execute(request))
                .withMessageStartingWith(
                        "request of operation 'pay' is another one when it is decoded again, by its key or"
                                + " its fingerprint, so nobody could recover it, and nothing was written");
        assertThat(store.find(pay.keyOf(request)).record()).isNull();
        assertThat(calls).hasValue(0);
    }

    // ---- names

    @Test
    void calling_nameOfAnotherOperationWithOtherTypes_isRefused() {
        idempotency
                .operation("pay", String.class, Paid.class)
                .key(order -> order)
                .calling((order, attempt) -> new Paid(order, BigDecimal.ONE));

        assertThatIllegalStateException()
                .isThrownBy(() -> idempotency
                        .operation("pay", String.class, Card.class)
                        .key(order -> order)
                        .calling((order, attempt) -> new Card(order)))
                .withMessageStartingWith("There is an operation 'pay' already, from java.lang.String to "
                        + Paid.class.getName() + "; one from java.lang.String to " + Card.class.getName());
        assertThat(idempotency
                        .operation("pay", String.class, Paid.class)
                        .key(order -> order)
                        .calling((order, attempt) -> new Paid(order, BigDecimal.ONE)))
                .isNotNull();
    }
}
