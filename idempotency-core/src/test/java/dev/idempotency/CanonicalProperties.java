package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.erdtman.jcs.JsonCanonicalizer;

/** A fingerprint does not see the order of fields, and sees everything else. */
final class CanonicalProperties {
    private static final ObjectMapper JSON =
            Idempotency.on(CaffeineIdempotencyStore.create()).json();

    @Property(tries = 500)
    void permutedFields_haveTheSameFingerprint(@ForAll("trees") Object tree, @ForAll Random random) {
        assertThat(of(shuffled(tree, random))).isEqualTo(of(tree));
    }

    @Property(tries = 500)
    void anyChangedLeaf_givesAnotherFingerprint(@ForAll("trees") Object tree, @ForAll Random random) {
        int leaves = leaves(tree);
        Assume.that(leaves > 0);
        Object changed = changed(tree, new int[] {random.nextInt(leaves)});

        assertThat(of(changed)).isNotEqualTo(of(tree));
    }

    @Property(tries = 500)
    void anAddedField_givesAnotherFingerprint(@ForAll("trees") Object tree) {
        var one = new LinkedHashMap<String, Object>();
        one.put("a", tree);
        var two = new LinkedHashMap<String, Object>(one);
        two.put("b", null);

        assertThat(of(two)).isNotEqualTo(of(one));
    }

    @Property(tries = 500)
    void twoTrees_haveOneFingerprintExactlyWhenTheyAreEqual(
            @ForAll("smallTrees") Object one, @ForAll("smallTrees") Object other) {
        assertThat(of(one).equals(of(other))).isEqualTo(one.equals(other));
    }

    /** Of what the library takes as we do: integers that a double holds, doubles, texts, and whatever is made of them. */
    @Property(tries = 1000)
    void canonicalForm_isThatOfTheReferenceImplementation(@ForAll Random random) throws IOException {
        Object tree = plain(random, 4);
        byte[] reference = new JsonCanonicalizer("[" + JSON.writeValueAsString(tree) + "]").getEncodedUTF8();

        assertThat(of(tree).digest()).isEqualTo(HexFormat.of().formatHex(Digests.sha256(reference)));
    }

    private static Object plain(Random random, int depth) {
        return switch (random.nextInt(depth == 0 ? 6 : 8)) {
            case 0 -> anyText(random);
            case 1 -> random.nextLong() >> (11 + random.nextInt(40));
            case 2 -> Double.longBitsToDouble(random.nextLong() & 0xBFFF_FFFF_FFFF_FFFFL);
            // Larger ones Java writes with needless digits before version 19, and so does the reference.
            case 3 -> random.nextFloat() * 1e6f;
            case 4 -> random.nextBoolean();
            case 5 -> anyText(random).getBytes(StandardCharsets.UTF_8);
            case 6 -> {
                var list = new ArrayList<Object>();
                for (int i = random.nextInt(4); i > 0; i--) {
                    list.add(plain(random, depth - 1));
                }
                yield list;
            }
            default -> {
                var map = new LinkedHashMap<String, Object>();
                for (int i = random.nextInt(5); i > 0; i--) {
                    map.put(anyText(random), plain(random, depth - 1));
                }
                yield map;
            }
        };
    }

    /** Control characters, everything that has an escape, and all planes. */
    private static String anyText(Random random) {
        var text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            int c = switch (random.nextInt(4)) {
                case 0 -> random.nextInt(0x30);
                case 1 -> random.nextInt(0x80);
                case 2 -> random.nextInt(0xD800);
                default -> 0xE000 + random.nextInt(0x11_0000 - 0xE000);
            };
            text.appendCodePoint(c);
        }
        return text.toString();
    }

    private static Fingerprint of(Object payload) {
        return Canonical.fingerprint(payload, JSON);
    }

    @Provide
    Arbitrary<Object> trees() {
        return Arbitraries.randomValue(random -> tree(random, 4));
    }

    private static Object tree(Random random, int depth) {
        int kind = random.nextInt(depth == 0 ? 6 : 9);
        return switch (kind) {
            case 0 -> text(random);
            case 1 -> random.nextInt(2001) - 1000;
            case 2 -> random.nextLong();
            case 3 -> random.nextBoolean() ? random.nextGaussian() : random.nextDouble() * 1e300;
            case 4 -> BigDecimal.valueOf(random.nextLong(), 25);
            case 5 -> random.nextBoolean();
            case 6 -> {
                var list = new ArrayList<Object>();
                for (int i = random.nextInt(4); i > 0; i--) {
                    list.add(tree(random, depth - 1));
                }
                yield list;
            }
            default -> {
                var fields = new LinkedHashMap<String, Object>();
                for (int i = random.nextInt(5); i > 0; i--) {
                    fields.put(text(random), tree(random, depth - 1));
                }
                yield fields;
            }
        };
    }

    /** Letters, quotes and the like, characters beyond the first plane and some that sort differently by code point. */
    private static String text(Random random) {
        int[] alphabet = {'a', 'b', '"', '\\', '/', '\n', 0, 0x7F, 0xE9, 0x20AC, 0xFB33, 0x1F600, 0x10FFFF, ' '};
        var text = new StringBuilder();
        for (int i = random.nextInt(5); i > 0; i--) {
            text.appendCodePoint(alphabet[random.nextInt(alphabet.length)]);
        }
        return text.toString();
    }

    /** Of few values and few names, so that two are often equal, or nearly so. */
    @Provide
    Arbitrary<Object> smallTrees() {
        Arbitrary<Object> leaf = Arbitraries.of((Object) "1", 1, "", "a", true, "true", 2);
        Arbitrary<Object> list = leaf.list().ofMaxSize(2).map(Object.class::cast);
        return Arbitraries.oneOf(
                leaf,
                list,
                list.list().ofMaxSize(2).map(Object.class::cast),
                Arbitraries.maps(Arbitraries.of("a", "b"), leaf).ofMaxSize(2).map(Object.class::cast));
    }

    private static Object shuffled(Object tree, Random random) {
        if (tree instanceof Map<?, ?> fields) {
            var names = new ArrayList<Object>(fields.keySet());
            Collections.shuffle(names, random);
            var copy = new LinkedHashMap<Object, Object>();
            names.forEach(name -> copy.put(name, shuffled(fields.get(name), random)));
            return copy;
        }
        if (tree instanceof List<?> list) {
            return list.stream().map(element -> shuffled(element, random)).toList();
        }
        return tree;
    }

    private static int leaves(Object tree) {
        if (tree instanceof Map<?, ?> fields) {
            return fields.values().stream()
                    .mapToInt(CanonicalProperties::leaves)
                    .sum();
        }
        if (tree instanceof List<?> list) {
            return list.stream().mapToInt(CanonicalProperties::leaves).sum();
        }
        return 1;
    }

    /** A copy with the leaf changed at which the count comes to zero. */
    private static Object changed(Object tree, int[] count) {
        if (tree instanceof Map<?, ?> fields) {
            var copy = new LinkedHashMap<Object, Object>();
            fields.forEach((name, value) -> copy.put(name, changed(value, count)));
            return copy;
        }
        if (tree instanceof List<?> list) {
            var copy = new ArrayList<Object>();
            list.forEach(element -> copy.add(changed(element, count)));
            return copy;
        }
        return count[0]-- == 0 ? other(tree) : tree;
    }

    private static Object other(Object leaf) {
        if (leaf instanceof String text) {
            return text + "x";
        }
        if (leaf instanceof Integer number) {
            return number + 1;
        }
        if (leaf instanceof Long number) {
            return number + 1;
        }
        if (leaf instanceof Double number) {
            return Math.nextUp(number);
        }
        if (leaf instanceof BigDecimal number) {
            return number.add(number.ulp());
        }
        return !(Boolean) leaf;
    }
}
