package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.State;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is recorded is what everybody gets, the first caller too. */
final class SameAnswerTest {
    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create();
    private final Idempotency idempotency = Idempotency.on(store);
    private final AtomicInteger calls = new AtomicInteger();

    @AfterEach
    void close() {
        idempotency.close();
    }

    private <O> Operation<String, O> returning(Class<O> type, O result) {
        return idempotency
                .operation("pay", String.class, type)
                .key(order -> order)
                .calling((order, attempt) -> {
                    calls.incrementAndGet();
                    return result;
                });
    }

    record At(String id, OffsetDateTime at, ZonedDateTime zoned) {}

    record Untyped(Map<String, Object> values, JsonNode tree, Number number) {}

    record Big(String text, BigInteger integer, BigDecimal decimal, Map<String, Integer> named) {}

    static Stream<Object> results() {
        return Stream.of(
                new At(
                        "a",
                        OffsetDateTime.parse("2026-01-01T00:30+02:00"),
                        ZonedDateTime.parse("2026-01-01T00:30+01:00[Europe/Berlin]")),
                new Untyped(
                        Map.of("amount", new BigDecimal("12345678901234567.89"), "price", new BigDecimal("10.00")),
                        JsonNodeFactory.instance
                                .objectNode()
                                .set("price", DecimalNode.valueOf(new BigDecimal("10.00"))),
                        new BigDecimal("0.10")),
                // Beyond what Jackson reads by default.
                new Big(
                        "x".repeat(20_000_001),
                        BigInteger.TEN.pow(1100),
                        new BigDecimal(BigInteger.TEN.pow(1100).add(BigInteger.ONE), 3),
                        Map.of("n".repeat(50_001), 1)));
    }

    @ParameterizedTest(name = "{index}") // some are megabytes of text
    @MethodSource("results")
    <O> void execute_resultThatJsonCanHold_comesBackAsItWasReturned(O result) {
        @SuppressWarnings("unchecked")
        var type = (Class<O>) result.getClass();
        var pay = idempotency
                .operation("pay", String.class, type)
                .key(order -> order)
                .largestResult(100_000_000)
                .calling((order, attempt) -> {
                    calls.incrementAndGet();
                    return result;
                });

        O first = pay.execute("o-1");
        O again = pay.execute("o-1");

        assertThat(first.equals(result))
                .as("what the first caller gets is what was returned")
                .isTrue();
        assertThat(again.equals(result))
                .as("what later callers get is what was returned")
                .isTrue();
        assertThat(calls).hasValue(1);
    }

    /** A bean of which one property is not written by its own class. */
    static class Charge {
        public String id = "";

        @JsonProperty(access = JsonProperty.Access.WRITE_ONLY)
        public String secret = "";
    }

    /** Encodes without the secret, as a codec of the user's may. */
    private static final class Forgetful implements Codec<Charge> {
        @Override
        public String id() {
            return "forgetful";
        }

        @Override
        public byte[] encode(Charge charge) {
            return charge.id.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public Charge decode(byte[] bytes) {
            var charge = new Charge();
            charge.id = new String(bytes, StandardCharsets.UTF_8);
            return charge;
        }
    }

    @Test
    void execute_codecThatLosesAField_theFirstCallerSeesItToo() {
        var pay = idempotency
                .operation("pay", String.class, Charge.class)
                .key(order -> order)
                .codec(new Forgetful())
                .calling((order, attempt) -> {
                    var charge = new Charge();
                    charge.id = order;
                    charge.secret = "s";
                    return charge;
                });

        Charge first = pay.execute("o-1");

        assertThat(first.id).isEqualTo("o-1");
        assertThat(first.secret).isEmpty();
        assertThat(pay.execute("o-1")).usingRecursiveComparison().isEqualTo(first);
    }

    /** Writes what it does not read. */
    private static final class OneWay implements Codec<String> {
        private boolean reads;

        @Override
        public String id() {
            return "one-way";
        }

        @Override
        public byte[] encode(String text) {
            return text.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public String decode(byte[] bytes) {
            if (!reads) {
                throw new IllegalStateException("not today");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    @Test
    void execute_resultThatCannotBeReadAgain_theFirstCallerIsToldAndNothingIsCalledAgain() {
        var codec = new OneWay();
        var pay = idempotency
                .operation("pay", String.class, String.class)
                .key(order -> order)
                .codec(codec)
                .calling((order, attempt) -> "effect-" + calls.incrementAndGet());

        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> pay.execute("o-1"))
                    .isInstanceOf(ResultUnavailableException.class)
                    .hasMessageStartingWith(
                            "The operation ran, but its result cannot be decoded; no further call is made")
                    .hasRootCauseMessage("not today");
        }
        assertThat(calls).hasValue(1);

        codec.reads = true;
        assertThat(pay.execute("o-1")).isEqualTo("effect-1");
    }

    @Test
    void recovery_foundWhatCannotBeReadAgain_theCallerIsTold() {
        var codec = new OneWay();
        var pay = idempotency
                .operation("pay", String.class, String.class)
                .key(order -> order)
                .codec(codec)
                .recovery(Recovery.lookup((order, attempt) -> Finding.found("found")))
                .calling((order, attempt) -> {
                    throw new IllegalStateException("no reply");
                });

        assertThatThrownBy(() -> pay.execute("o-1")).isInstanceOf(ResultUnavailableException.class);

        codec.reads = true;
        assertThat(pay.execute("o-1")).isEqualTo("found");
    }

    /** Results change hands, and who gets one may do with it what he likes. */
    @Test
    void execute_manyCallersOfOneRun_eachGetsAListOfHisOwn() throws Exception {
        var called = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var pay = idempotency
                .operation("pay", String.class, Lines.class)
                .key(order -> order)
                .calling((order, attempt) -> {
                    called.countDown();
                    assertThat(go.await(30, TimeUnit.SECONDS)).isTrue();
                    return new Lines(new ArrayList<>(List.of("line 1", "line 2")));
                });

        var futures = new ArrayList<CompletableFuture<Lines>>();
        futures.add(pay.executeAsync("o-1"));
        assertThat(called.await(30, TimeUnit.SECONDS)).isTrue();
        futures.add(pay.executeAsync("o-1"));
        futures.add(pay.executeAsync("o-1"));
        go.countDown();

        for (var future : futures) {
            Lines lines = future.get(30, TimeUnit.SECONDS);
            assertThat(lines.lines()).containsExactly("line 1", "line 2");
            lines.lines().remove(0);
        }
        assertThat(pay.execute("o-1").lines()).containsExactly("line 1", "line 2");
    }

    record Lines(List<String> lines) {}

    record Version1(String id) {}

    record Version2(String id, String receiptUrl) {}

    /** Also with a mapper of the user's, which refuses unknown properties unless somebody has thought of it. */
    @Test
    void execute_resultOfANewerVersionWithAFieldMore_isReplayed() {
        var entry = Idempotency.builder(store).json(new ObjectMapper()).build();
        entry.operation("pay", String.class, Version2.class)
                .key(order -> order)
                .calling((order, attempt) -> new Version2(order, "https://example.com"))
                .execute("o-1");

        for (var older :
                List.of(Idempotency.builder(store).json(new ObjectMapper()).build(), idempotency)) {
            var pay = older.operation("pay", String.class, Version1.class)
                    .key(order -> order)
                    .calling((order, attempt) -> new Version1("called again"));
            assertThat(pay.execute("o-1")).isEqualTo(new Version1("o-1"));
        }
    }

    record Renamed(String reference) {}

    record HalfRenamed(String id, String url) {}

    /** Else a result would come back with nulls in it, and nobody would know. */
    @Test
    void execute_resultOfAnotherType_isNotTakenForThisOne() {
        returning(Version2.class, new Version2("ch-1", "https://example.com")).execute("o-1");

        for (Class<?> other : List.of(Renamed.class, HalfRenamed.class, Charge2.class)) {
            var pay = Idempotency.on(store)
                    .operation("pay", String.class, other)
                    .key(order -> order)
                    .calling((order, attempt) -> {
                        throw new AssertionError("called again");
                    });
            assertThatThrownBy(() -> pay.execute("o-1")).isInstanceOf(ResultUnavailableException.class);
        }
    }

    static class Charge2 {
        public String reference;
    }

    @Test
    void json_aMapperThatCannotBeCopied_isRefusedAsABadArgument() {
        var own = new ObjectMapper() {
            private static final long serialVersionUID = 1L;
        };

        assertThatThrownBy(() -> Idempotency.builder(store).json(own))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cannot be copied");
    }

    @Test
    void execute_resultLargerThanTheLimit_isRecordedAsMadeAndNotOfferedToTheStoreWithoutEnd() {
        var pay = idempotency
                .operation("pay", String.class, String.class)
                .key(order -> order)
                .largestResult(10)
                .calling((order, attempt) -> {
                    calls.incrementAndGet();
                    // Two quotes are part of the JSON.
                    return "x".repeat(order.equals("fits") ? 8 : 9);
                });

        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> pay.execute("large"))
                    .isInstanceOf(ResultUnavailableException.class)
                    .hasMessageStartingWith(
                            "The operation ran, but its result was too large to be kept; no further call is made");
        }
        assertThat(calls).hasValue(1);
        assertThat(store.find(pay.keyOf("large")).record().state()).isEqualTo(State.COMPLETED);
        assertThat(pay.execute("fits")).isEqualTo("x".repeat(8));
        assertThatThrownBy(() ->
                        idempotency.operation("pay", String.class, String.class).largestResult(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("largestResult is 0; it must be at least 1");
    }

    @Test
    void decline_withAnyTextOfTheProviders_isADecline() {
        for (String reason : new String[] {"", "  ", null, "a".repeat(2001), "a".repeat(1999) + "\uD83D\uDE00"}) {
            var pay = idempotency
                    .operation("decline-" + calls.incrementAndGet(), String.class, String.class)
                    .key(order -> order)
                    .calling((order, attempt) -> {
                        throw new DeclinedException(reason);
                    });
            String expected = reason == null || reason.isBlank()
                    ? "no reason given"
                    : "a".repeat(reason.length() == 2001 && reason.endsWith("a") ? 2000 : 1999);

            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> pay.execute("o-1"))
                        .isInstanceOfSatisfying(
                                DeclinedException.class,
                                declined -> assertThat(declined.reason()).isEqualTo(expected));
            }
        }
        assertThat(new DeclinedException("a".repeat(2000)).reason()).hasSize(2000);
    }
}
