package dev.idempotency.testkit;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the provider really did: an append-only list of its effects, and of the native keys it sealed. The oracle of a test.
 *
 * <p>With a file, each effect and each seal is one line of JSON that is forced to the disk before it counts, so that a
 * killed process has lost nothing that anyone was told. Thread-safe; each method is one atomic step; the lists and maps
 * returned are snapshots that cannot be changed.
 *
 * @since 0.1.0
 */
public final class EffectLedger implements Closeable {

    private final List<Effect> effects = new ArrayList<>();
    private final Map<String, List<Effect>> byReference = new LinkedHashMap<>();
    private final Map<String, List<Effect>> byNativeKey = new LinkedHashMap<>();
    private final Set<String> effectIds = new HashSet<>();
    private final Set<String> sealedKeys = new LinkedHashSet<>();
    private final @Nullable LedgerFile file;

    private EffectLedger(@Nullable LedgerFile file) {
        this.file = file;
    }

    /**
     * Creates an empty ledger without a file.
     *
     * @return a new ledger
     */
    public static EffectLedger inMemory() {
        return new EffectLedger(null);
    }

    /**
     * Opens a ledger on a file, which is created when it is missing. A last line that a crash has torn is cut off: it never
     * counted. An empty file beside it, of the same name and {@code .claim}, keeps other processes away.
     *
     * @param path the file; only one ledger at a time may have it open
     * @return a ledger with what the file holds
     * @throws NullPointerException if the path is null
     * @throws IOException if the file cannot be opened, is open in another ledger, or is damaged before its last line
     */
    public static EffectLedger open(Path path) throws IOException {
        var opened = LedgerFile.open(path);
        var ledger = new EffectLedger(opened.file());
        opened.content().effects().forEach(ledger::remember);
        ledger.sealedKeys.addAll(opened.content().sealedKeys());
        return ledger;
    }

    /**
     * Reads the effects in a ledger's file without opening it as a ledger: works beside a running process, and changes
     * nothing.
     *
     * @param path the file
     * @return the effects in the order they happened, without a torn last line
     * @throws NullPointerException if the path is null
     * @throws IOException if the file cannot be read or is damaged before its last line
     */
    public static List<Effect> read(Path path) throws IOException {
        return List.copyOf(LedgerFile.read(path).effects());
    }

    /**
     * Appends an effect. On return the effect counts and, with a file, is on the disk.
     *
     * @param effect the effect
     * @throws NullPointerException if the effect is null
     * @throws IllegalArgumentException if the ledger has an effect of that id
     * @throws UncheckedIOException if the file cannot be written; the effect then does not count here, but may be found in
     *     the file, and the ledger takes nothing more
     */
    public synchronized void append(Effect effect) {
        if (effectIds.contains(effect.effectId())) {
            throw new IllegalArgumentException("the ledger has an effect " + effect.effectId() + " already");
        }
        if (file != null) {
            file.append(effect);
        }
        remember(effect);
    }

    /**
     * Appends a seal. On return the key is sealed for ever and, with a file, the seal is on the disk. Sealing a key again
     * changes nothing.
     *
     * @param nativeKey the key
     * @throws NullPointerException if the key is null
     * @throws UncheckedIOException if the file cannot be written; the ledger then takes nothing more
     */
    public synchronized void appendSeal(String nativeKey) {
        Objects.requireNonNull(nativeKey, "nativeKey");
        if (sealedKeys.contains(nativeKey)) {
            return;
        }
        if (file != null) {
            file.appendSeal(nativeKey);
        }
        sealedKeys.add(nativeKey);
    }

    /**
     * Returns all effects.
     *
     * @return the effects in the order they happened
     */
    public synchronized List<Effect> effects() {
        return List.copyOf(effects);
    }

    /**
     * Returns the effects of one reference.
     *
     * @param reference the caller's name for the thing
     * @return the effects in the order they happened, empty when there is none
     */
    public synchronized List<Effect> effectsOf(String reference) {
        return List.copyOf(byReference.getOrDefault(reference, List.of()));
    }

    /**
     * Returns the effects under one native key.
     *
     * @param nativeKey the key
     * @return the effects in the order they happened, empty when there is none
     */
    public synchronized List<Effect> effectsUnder(String nativeKey) {
        return List.copyOf(byNativeKey.getOrDefault(nativeKey, List.of()));
    }

    /**
     * Returns the references with more than one effect. Empty is what a test wants to see.
     *
     * @return the effects by reference, in the order of each reference's first effect
     */
    public synchronized Map<String, List<Effect>> duplicates() {
        return moreThanOne(byReference);
    }

    /**
     * Returns the native keys with more than one effect.
     *
     * @return the effects by native key, in the order of each key's first effect
     */
    public synchronized Map<String, List<Effect>> duplicateKeys() {
        return moreThanOne(byNativeKey);
    }

    /**
     * Returns how many effects there are.
     *
     * @return the number of effects
     */
    public synchronized int count() {
        return effects.size();
    }

    /**
     * Says whether a native key is sealed.
     *
     * @param nativeKey the key
     * @return true once {@link #appendSeal} has returned for the key
     */
    public synchronized boolean isSealed(String nativeKey) {
        return sealedKeys.contains(nativeKey);
    }

    /**
     * Closes the file, if there is one. The effects can still be read; a ledger with a file takes nothing more.
     *
     * @throws IOException if the file cannot be closed
     */
    @Override
    public synchronized void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }

    private void remember(Effect effect) {
        effects.add(effect);
        effectIds.add(effect.effectId());
        byReference.computeIfAbsent(effect.reference(), r -> new ArrayList<>()).add(effect);
        if (effect.nativeKey() != null) {
            byNativeKey
                    .computeIfAbsent(effect.nativeKey(), k -> new ArrayList<>())
                    .add(effect);
        }
    }

    private static Map<String, List<Effect>> moreThanOne(Map<String, List<Effect>> effects) {
        var more = new LinkedHashMap<String, List<Effect>>();
        effects.forEach((name, list) -> {
            if (list.size() > 1) {
                more.put(name, List.copyOf(list));
            }
        });
        return Collections.unmodifiableMap(more);
    }
}
