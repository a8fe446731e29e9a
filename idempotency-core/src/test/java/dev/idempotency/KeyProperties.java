package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Two requests have one key exactly when all parts of it are equal. */
final class KeyProperties {
    private static final Operation<List<String>, String> ONE =
            operation().key(parts -> parts.get(0)).calling((request, attempt) -> "done");
    private static final Operation<List<String>, String> TWO =
            operation().key(parts -> parts.get(0), parts -> parts.get(1)).calling((request, attempt) -> "done");
    private static final Operation<List<String>, String> THREE = operation()
            .key(parts -> parts.get(0), parts -> parts.get(1), parts -> parts.get(2))
            .calling((request, attempt) -> "done");

    @SuppressWarnings("unchecked")
    private static Operation.Builder<List<String>, String> operation() {
        return Idempotency.on(CaffeineIdempotencyStore.create())
                .operation("pay", (Class<List<String>>) (Class<?>) List.class, String.class);
    }

    /** Mostly of the characters that frames are made of, so that parts run into each other if they can. */
    private static Arbitrary<String> part() {
        return Arbitraries.frequencyOf(
                net.jqwik.api.Tuple.of(
                        6,
                        Arbitraries.strings().withChars("1:a2").ofMinLength(1).ofMaxLength(6)),
                net.jqwik.api.Tuple.of(
                        2,
                        Arbitraries.strings().withChars("x1").ofMinLength(240).ofMaxLength(260)),
                net.jqwik.api.Tuple.of(
                        1,
                        Arbitraries.strings()
                                .alpha()
                                .ofMinLength(1)
                                .ofMaxLength(6)
                                .map(text -> "sha256:" + text)));
    }

    private static Arbitrary<List<List<String>>> pairs(int size) {
        Arbitrary<List<String>> requests = part().list().ofSize(size);
        return Combinators.combine(requests, requests).as(List::of);
    }

    @Provide
    Arbitrary<List<List<String>>> pairsOfOne() {
        return pairs(1);
    }

    @Provide
    Arbitrary<List<List<String>>> pairsOfTwo() {
        return pairs(2);
    }

    @Provide
    Arbitrary<List<List<String>>> pairsOfThree() {
        return pairs(3);
    }

    @Property
    void keysOfOnePart_areEqualExactlyWhenThePartIs(@ForAll("pairsOfOne") List<List<String>> pair) {
        check(ONE, pair);
    }

    @Property
    void keysOfTwoParts_areEqualExactlyWhenAllPartsAre(@ForAll("pairsOfTwo") List<List<String>> pair) {
        check(TWO, pair);
    }

    @Property
    void keysOfThreeParts_areEqualExactlyWhenAllPartsAre(@ForAll("pairsOfThree") List<List<String>> pair) {
        check(THREE, pair);
    }

    /** The same characters, cut at another place. */
    @Property
    void keysOfTheSameText_cutElsewhere_differ(@ForAll("pairsOfTwo") List<List<String>> pair) {
        String text = String.join("", pair.get(0));
        var keys = new java.util.HashSet<IdempotencyKey>();
        for (int cut = 1; cut < text.length(); cut++) {
            keys.add(TWO.keyOf(List.of(text.substring(0, cut), text.substring(cut))));
        }
        assertThat(keys).hasSize(text.length() - 1);
    }

    private static void check(Operation<List<String>, String> operation, List<List<String>> pair) {
        IdempotencyKey first = operation.keyOf(pair.get(0));
        IdempotencyKey second = operation.keyOf(pair.get(1));

        assertThat(first.equals(second)).isEqualTo(pair.get(0).equals(pair.get(1)));
        assertThat(first.value().length()).isBetween(1, IdempotencyKey.MAX_VALUE);
        assertThat(operation.keyOf(List.copyOf(pair.get(0)))).isEqualTo(first);
    }
}
