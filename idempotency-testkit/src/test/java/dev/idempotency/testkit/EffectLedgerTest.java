package dev.idempotency.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EffectLedgerTest {

    @TempDir
    private Path directory;

    private static Effect effect(String id, @Nullable String nativeKey, String reference) {
        return new Effect(
                id, nativeKey, reference, "{\"text\":\"a\\nb ü\"}", Instant.parse("2026-01-01T00:00:00.5Z"), "r-" + id);
    }

    @Test
    void queries_afterAppends_findEffectsInOrder() {
        var ledger = EffectLedger.inMemory();
        var one = effect("1", "k1", "order-1");
        var two = effect("2", null, "order-2");
        var three = effect("3", "k1", "order-1");
        ledger.append(one);
        ledger.append(two);
        ledger.append(three);

        assertThat(ledger.count()).isEqualTo(3);
        assertThat(ledger.effects()).containsExactly(one, two, three);
        assertThat(ledger.effectsOf("order-1")).containsExactly(one, three);
        assertThat(ledger.effectsOf("order-9")).isEmpty();
        assertThat(ledger.effectsUnder("k1")).containsExactly(one, three);
        assertThat(ledger.effectsUnder("k9")).isEmpty();
    }

    @Test
    void duplicates_moreThanOneEffect_areNamedByReferenceAndByKey() {
        var ledger = EffectLedger.inMemory();
        ledger.append(effect("1", "k1", "order-1"));
        ledger.append(effect("2", "k2", "order-1"));
        ledger.append(effect("3", "k3", "order-3"));
        ledger.append(effect("4", "k3", "order-4"));

        assertThat(ledger.duplicates()).containsOnlyKeys("order-1");
        assertThat(ledger.duplicates().get("order-1")).hasSize(2);
        assertThat(ledger.duplicateKeys()).containsOnlyKeys("k3");
    }

    @Test
    void append_sameEffectId_isRefused() {
        var ledger = EffectLedger.inMemory();
        ledger.append(effect("1", null, "order-1"));

        assertThatIllegalArgumentException().isThrownBy(() -> ledger.append(effect("1", null, "order-2")));
        assertThat(ledger.count()).isEqualTo(1);
    }

    @Test
    void append_fromManyThreads_losesNothing() throws Exception {
        var ledger = EffectLedger.inMemory();
        var pool = Executors.newFixedThreadPool(8);
        try {
            var work = IntStream.range(0, 8)
                    .mapToObj(thread -> (Callable<Integer>) () -> {
                        IntStream.range(0, 500)
                                .forEach(i -> ledger.append(effect(thread + "-" + i, "k" + i, "order-" + thread)));
                        return thread;
                    })
                    .toList();
            for (var done : pool.invokeAll(work)) {
                done.get();
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(ledger.count()).isEqualTo(4000);
        assertThat(ledger.effectsOf("order-3")).hasSize(500);
        assertThat(ledger.effectsUnder("k7")).hasSize(8);
    }

    @Test
    void open_afterClose_knowsEffectsAndSeals() throws IOException {
        var file = directory.resolve("ledger");
        var one = effect("1", "k1", "order-1");
        var two = effect("2", null, "order-2");
        try (var ledger = EffectLedger.open(file)) {
            ledger.append(one);
            ledger.appendSeal("k9");
            ledger.append(two);
        }
        try (var again = EffectLedger.open(file)) {
            assertThat(again.effects()).containsExactly(one, two);
            assertThat(again.isSealed("k9")).isTrue();
            assertThat(again.isSealed("k1")).isFalse();
        }
        assertThat(Files.readAllLines(file)).hasSize(3);
    }

    @Test
    void append_onReturn_isInTheFile() throws IOException {
        var file = directory.resolve("ledger");
        try (var ledger = EffectLedger.open(file)) {
            ledger.append(effect("1", "k1", "order-1"));

            assertThat(EffectLedger.read(file)).containsExactly(effect("1", "k1", "order-1"));
        }
    }

    @Test
    void open_tornLastLine_isCutOff() throws IOException {
        var file = directory.resolve("ledger");
        try (var ledger = EffectLedger.open(file)) {
            ledger.append(effect("1", "k1", "order-1"));
            ledger.append(effect("2", "k2", "order-2"));
        }
        var whole = Files.readAllBytes(file);
        var firstLine = Files.readAllLines(file).get(0).getBytes(UTF_8).length + 1;
        for (var length = firstLine; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThat(EffectLedger.read(file)).hasSize(1);
            try (var ledger = EffectLedger.open(file)) {
                assertThat(ledger.count()).isEqualTo(1);
                ledger.append(new Effect("3", null, "o", "", Instant.EPOCH, "r"));
            }
            assertThat(EffectLedger.read(file)).extracting(Effect::effectId).containsExactly("1", "3");
        }
    }

    @Test
    void open_lastLineOfGarbage_isCutOff() throws IOException {
        var file = directory.resolve("ledger");
        try (var ledger = EffectLedger.open(file)) {
            ledger.append(effect("1", "k1", "order-1"));
        }
        Files.write(file, new byte[] {0, 0, 0, '\n'}, StandardOpenOption.APPEND);

        try (var ledger = EffectLedger.open(file)) {
            ledger.append(effect("2", "k2", "order-2"));
        }
        assertThat(EffectLedger.read(file)).hasSize(2);
        assertThat(Files.readAllLines(file)).hasSize(2);
    }

    @Test
    void open_damageBeforeTheLastLine_isRefused() throws IOException {
        var file = directory.resolve("ledger");
        try (var ledger = EffectLedger.open(file)) {
            ledger.append(effect("1", "k1", "order-1"));
            ledger.append(effect("2", "k2", "order-2"));
        }
        Files.writeString(file, Files.readString(file).replaceFirst("a\\\\", "z\\\\"));

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> EffectLedger.open(file))
                .withMessageContaining("line 1");
        assertThat(Files.readAllLines(file)).hasSize(2);
    }

    @Test
    void open_twiceAtATime_isRefused() throws IOException {
        var file = directory.resolve("ledger");
        try (var ledger = EffectLedger.open(file)) {
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> EffectLedger.open(file))
                    .withMessageContaining("open in another ledger");
            ledger.append(effect("1", null, "order-1"));
        }
        assertThat(EffectLedger.read(file)).hasSize(1);
    }

    @Test
    void append_fileClosed_doesNotCount() throws IOException {
        var ledger = EffectLedger.open(directory.resolve("ledger"));
        ledger.close();

        assertThatExceptionOfType(UncheckedIOException.class)
                .isThrownBy(() -> ledger.append(effect("1", "k1", "order-1")));
        assertThatExceptionOfType(UncheckedIOException.class).isThrownBy(() -> ledger.appendSeal("k1"));
        assertThat(ledger.count()).isZero();
        assertThat(ledger.isSealed("k1")).isFalse();
    }

    @Test
    void append_byAnInterruptedThread_works() throws IOException {
        var file = directory.resolve("ledger");
        try (var ledger = EffectLedger.open(file)) {
            Thread.currentThread().interrupt();
            ledger.append(effect("1", null, "order-1"));
            assertThat(Thread.interrupted()).isTrue();
            ledger.append(effect("2", null, "order-2"));
        }
        assertThat(EffectLedger.read(file)).hasSize(2);
    }

    @Test
    void payloadDigest_ofKnownText_isItsSha256() {
        assertThat(new Effect("1", null, "r", "abc", Instant.EPOCH, "q").payloadDigest())
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
