package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Fingerprints: what is the same payload, and what is not. */
final class CanonicalTest {
    private static final ObjectMapper JSON =
            Idempotency.on(CaffeineIdempotencyStore.create()).json();

    private record Charge(String order, long amount, String currency) {}

    private record Reordered(String currency, String order, int amount) {}

    private record Price(Object amount) {}

    private record Raw(@JsonRawValue String json) {}

    private static final class Failing {
        public String getSecret() {
            throw new IllegalStateException("cannot be read");
        }
    }

    private static final class Node {
        public Node next;
    }

    private static String of(Object payload) {
        return Canonical.fingerprint(payload, JSON).digest();
    }

    // ---- frozen: a new release must give the same fingerprints, or every retry would be a mismatch

    @Test
    void fingerprint_isFrozen() {
        assertThat(Canonical.fingerprint(new Charge("o-1", 100, "EUR"), JSON))
                .isEqualTo(new Fingerprint(
                        "jcs-sha256", "4d6391dd4c82694f946e73e00235b2ee5398db062961d5fe6569be82015187ed"));
        assertThat(of(null)).isEqualTo("1d8fc6ceb1f94c6326d6d5483d258fcb2e179e9869325b245d105c2219bf69fd");
        assertThat(of("text")).isEqualTo("3fe5850a7e2e9ae6b1f23c333f2ffbe21495fde945b6485d24fcf58169414f8b");
        assertThat(of(Map.of())).isEqualTo("e10808d43975dc400731053386849f864f297e6c4f7519c380f3dbaf7067a840");
    }

    // ---- the same payload

    static Stream<Arguments> samePayloads() {
        var map = new LinkedHashMap<String, Object>();
        map.put("order", "o-1");
        map.put("amount", BigInteger.valueOf(100));
        map.put("currency", "EUR");
        return Stream.of(
                Arguments.of(new Charge("o-1", 100, "EUR"), new Reordered("EUR", "o-1", 100)),
                Arguments.of(new Charge("o-1", 100, "EUR"), map),
                Arguments.of(new TreeMap<>(map), map),
                Arguments.of(new Price(1), new Price(1L)),
                Arguments.of(new Price(1), new Price(1.0)),
                Arguments.of(new Price(1), new Price((short) 1)),
                Arguments.of(new Price(1), new Price(1.0f)),
                Arguments.of(new Price(1), new Price(new BigDecimal("1.00"))),
                Arguments.of(new Price(100), new Price(new BigDecimal("1E+2"))),
                Arguments.of(new Price(0), new Price(-0.0)),
                Arguments.of(new Price(0.1), new Price(new BigDecimal("0.1"))),
                Arguments.of(new Price(1e21), new Price(1.0e21)),
                Arguments.of(new Price(9007199254740992L), new Price(9007199254740992.0)),
                Arguments.of(
                        new Price(new BigDecimal("0.10000000000000000001")),
                        new Price(new BigDecimal("0.100000000000000000010"))),
                Arguments.of(List.of(1, 2), new int[] {1, 2}),
                Arguments.of(
                        Instant.parse("2026-01-02T03:04:05Z"),
                        OffsetDateTime.of(2026, 1, 2, 3, 4, 5, 0, ZoneOffset.UTC)),
                Arguments.of(LocalDate.of(2026, 1, 2), "2026-01-02"),
                Arguments.of(Duration.ofMillis(90_500), new BigDecimal("90.5")));
    }

    @ParameterizedTest
    @MethodSource("samePayloads")
    void samePayload_hasTheSameFingerprint(Object one, Object other) {
        assertThat(of(one)).isEqualTo(of(other));
    }

    @Test
    void layoutOfTheMapper_doesNotMatter() {
        var indenting = JSON.copy().enable(SerializationFeature.INDENT_OUTPUT);
        var charge = new Charge("o-1", 100, "EUR");

        assertThat(Canonical.fingerprint(charge, indenting)).isEqualTo(Canonical.fingerprint(charge, JSON));
    }

    // ---- near misses

    static Stream<Arguments> nearMisses() {
        return Stream.of(
                Arguments.of(new Charge("o-1", 100, "EUR"), new Charge("o-1", 101, "EUR")),
                Arguments.of(new Charge("o-1", 100, "EUR"), new Charge("o-1 ", 100, "EUR")),
                Arguments.of(new Charge("o-1", 100, "EUR"), new Charge("o-1", 100, null)),
                Arguments.of(new Charge("o-1", 100, "EUR"), new Charge("O-1", 100, "EUR")),
                Arguments.of(new Price(1), new Price("1")),
                Arguments.of(new Price(true), new Price("true")),
                Arguments.of(new Price(null), new Price("null")),
                Arguments.of(new Price(null), Map.of()),
                Arguments.of(new Price(""), new Price(null)),
                Arguments.of(new Price(List.of()), new Price(null)),
                Arguments.of(new Price(List.of()), new Price(Map.of())),
                Arguments.of(new Price(List.of(1, 2)), new Price(List.of(2, 1))),
                Arguments.of(new Price(List.of(1)), new Price(1)),
                Arguments.of(new Price(List.of(List.of(1), 2)), new Price(List.of(1, List.of(2)))),
                Arguments.of(new Price(1), new Price(-1)),
                Arguments.of(new Price(1), new Price(1.0000000000000002)),
                Arguments.of(new Price(0.1), new Price(new BigDecimal("0.10000000000000000555"))),
                Arguments.of(new Price(9007199254740992L), new Price(9007199254740993L)),
                Arguments.of(new Price(-9007199254740992L), new Price(-9007199254740993L)),
                Arguments.of(new Price(9007199254740993L), new Price(9007199254740994L)),
                Arguments.of(new Price(Long.MAX_VALUE), new Price(Long.MAX_VALUE - 1)),
                Arguments.of(
                        new Price(new BigInteger("100000000000000000000000000000000000000000000000000001")),
                        new Price(new BigInteger("100000000000000000000000000000000000000000000000000002"))),
                Arguments.of(
                        new Price(new BigDecimal("1.00000000000000000001")),
                        new Price(new BigDecimal("1.00000000000000000002"))),
                Arguments.of(new Price("\u00e9"), new Price("e\u0301")),
                Arguments.of(new Price("a\u0000"), new Price("a")),
                Arguments.of(new Price("a\\u0000"), new Price("a\u0000")),
                Arguments.of(Map.of("a", Map.of("b", 1)), Map.of("a.b", 1)),
                Arguments.of(Map.of("a", 1, "b", 2), Map.of("a", 2, "b", 1)),
                Arguments.of(Instant.parse("2026-01-02T03:04:05Z"), Instant.parse("2026-01-02T03:04:05.000000001Z")),
                Arguments.of("", null));
    }

    @ParameterizedTest
    @MethodSource("nearMisses")
    void nearMiss_hasAnotherFingerprint(Object one, Object other) {
        assertThat(of(one)).isNotEqualTo(of(other));
    }

    /** RFC 8785 knows doubles only; beyond them a number is taken as the text of its exact value. */
    @Test
    void number_thatNoDoubleHolds_isTakenAsItsText() {
        assertThat(of(new Price(9007199254740992L))).isNotEqualTo(of(new Price("9007199254740992")));
        assertThat(of(new Price(9007199254740993L))).isEqualTo(of(new Price("9007199254740993")));
        assertThat(of(new Price(new BigDecimal("1E+30")))).isEqualTo(of(new Price("1" + "0".repeat(30))));
        assertThat(of(new Price(new BigDecimal("0.100000000000000000010"))))
                .isEqualTo(of(new Price("0.10000000000000000001")));
    }

    // ---- no canonical form

    static Stream<Arguments> unusable() {
        var cyclicList = new ArrayList<Object>();
        cyclicList.add(cyclicList);
        var cyclicNode = new Node();
        cyclicNode.next = cyclicNode;
        var nested = new ArrayList<Object>();
        for (int i = 0; i < 100_000; i++) {
            nested = new ArrayList<>(List.of(nested));
        }
        return Stream.of(
                Arguments.of(new Price(Double.NaN), "the number at $.amount is not finite"),
                Arguments.of(new Price(Double.POSITIVE_INFINITY), "the number at $.amount is not finite"),
                Arguments.of(new Price(Float.NEGATIVE_INFINITY), "the number at $.amount is not finite"),
                Arguments.of(new Price(List.of(1, Double.NaN)), "the number at $.amount[1] is not finite"),
                Arguments.of(new Price(new BigDecimal("1E+401")), "the number at $.amount has too many digits"),
                Arguments.of(new Price(new BigDecimal("1E-401")), "the number at $.amount has too many digits"),
                Arguments.of(new Price(BigInteger.TEN.pow(400)), "the number at $.amount has too many digits"),
                Arguments.of(new Price("a\uD83D"), "the text at $.amount has a lone surrogate"),
                Arguments.of(new Price("\uDE00"), "the text at $.amount has a lone surrogate"),
                Arguments.of(new Price("\uD83D\uD83D\uDE00"), "the text at $.amount has a lone surrogate"),
                Arguments.of(Map.of("a", Map.of("\uD83D", 1)), "the text at $.a has a lone surrogate"),
                Arguments.of(new Raw("{\"a\":1}"), "the value at $.json is not JSON"),
                Arguments.of(cyclicList, ""),
                Arguments.of(cyclicNode, ""),
                Arguments.of(nested, ""),
                Arguments.of(new Object(), ""),
                Arguments.of(new Failing(), ""));
    }

    @ParameterizedTest
    @MethodSource("unusable")
    void payloadWithoutACanonicalForm_isRefusedWithItsTypeAndWhy(Object payload, String why) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Canonical.fingerprint(payload, JSON))
                .withMessageStartingWith(
                        "request of type " + payload.getClass().getName() + " has no canonical JSON form: " + why)
                .withMessageEndingWith("; choose what counts with fingerprint(..)")
                .withMessageNotContaining("null");
    }

    @Test
    void number_atTheLimitOfItsDigits_isTaken() {
        assertThat(of(new Price(new BigDecimal("1E+400")))).isNotEqualTo(of(new Price(new BigDecimal("1E+399"))));
        assertThat(of(new Price(BigInteger.TEN.pow(399)))).isNotEqualTo(of(new Price(BigInteger.TEN.pow(398))));
    }

    @Test
    void surrogatePairs_areText() {
        assertThat(of(new Price("\uD83D\uDE00"))).isNotEqualTo(of(new Price("\uD83D\uDE01")));
        assertThat(of(Map.of("\uD83D\uDE00", 1, "\uFB33", 2)))
                .isEqualTo(of(new TreeMap<>(Map.of("\uFB33", 2, "\uD83D\uDE00", 1))));
    }

    @Test
    void operation_takesOnlyWhatItsPayloadFunctionChooses() {
        var operation = Idempotency.on(CaffeineIdempotencyStore.create())
                .operation("pay", Charge.class, String.class)
                .key(Charge::order)
                .fingerprint(charge -> Arrays.asList(charge.order(), charge.amount()))
                .calling((request, attempt) -> "done");
        var whole = Idempotency.on(CaffeineIdempotencyStore.create())
                .operation("pay", Charge.class, String.class)
                .key(Charge::order)
                .calling((request, attempt) -> "done");

        assertThat(operation.fingerprintOf(new Charge("o-1", 100, "EUR")))
                .isEqualTo(operation.fingerprintOf(new Charge("o-1", 100, "USD")))
                .isNotEqualTo(operation.fingerprintOf(new Charge("o-1", 101, "EUR")));
        assertThat(whole.fingerprintOf(new Charge("o-1", 100, "EUR")))
                .isNotEqualTo(whole.fingerprintOf(new Charge("o-1", 100, "USD")));
    }

    @Test
    void operation_whosePayloadFunctionReturnsNull_hasTheFingerprintOfNull() {
        var operation = Idempotency.on(CaffeineIdempotencyStore.create())
                .operation("pay", String.class, String.class)
                .key(request -> request)
                .fingerprint(request -> null)
                .calling((request, attempt) -> "done");

        assertThat(operation.fingerprintOf("a").digest()).isEqualTo(of(null));
    }

    @Test
    void fingerprint_ofBadParts_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Fingerprint(" ", "aa"))
                .withMessage("algorithm must have 1 to 32 characters");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Fingerprint("a".repeat(33), "aa"))
                .withMessage("algorithm must have 1 to 32 characters");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Fingerprint("a", ""))
                .withMessage("digest must have 1 to 128 characters");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Fingerprint("a", "a".repeat(129)))
                .withMessage("digest must have 1 to 128 characters");
        assertThat(new Fingerprint("a".repeat(32), "a".repeat(128)).digest()).hasSize(128);
        assertThat(Collections.singleton(new Fingerprint("a", "b"))).contains(new Fingerprint("a", "b"));
    }

    private record WithNote(String order, Optional<String> note) {}

    @Test
    void fingerprint_ofAnOptionalField_isThatOfItsValue() {
        var present = Canonical.fingerprint(new WithNote("o-1", Optional.of("gift")), JSON);

        assertThat(present).isEqualTo(Canonical.fingerprint(Map.of("order", "o-1", "note", "gift"), JSON));
        assertThat(present).isNotEqualTo(Canonical.fingerprint(new WithNote("o-1", Optional.empty()), JSON));
    }

    @Test
    void json_ofAResultWithAnOptionalField_readsBackEqual() throws Exception {
        var codec = new JsonCodec<WithNote>(WithNote.class, JSON);
        var result = new WithNote("o-1", Optional.of("gift"));

        assertThat(codec.decode(codec.encode(result))).isEqualTo(result);
    }
}
