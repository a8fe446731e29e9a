package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.idempotency.testkit.process.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SpillBufferTest {
    private static final long LONG = Duration.ofMinutes(1).toNanos();
    private static final Duration ATMOST = Duration.ofMinutes(1);

    @TempDir
    private Path temp;

    private final List<String> taken = new ArrayList<>();

    private SpillBuffer open() {
        return new SpillBuffer(temp, SpillChild.ROOM);
    }

    private static boolean add(SpillBuffer buffer, String key) {
        return buffer.add(SpillChild.entry(key), LONG);
    }

    /** Only what is as it was added. */
    private void take(SpillBuffer.Entry entry) {
        SpillBuffer.Entry added = SpillChild.entry(entry.key());
        assertThat(entry.payload()).isEqualTo(added.payload());
        assertThat(entry.attributes()).isEqualTo(added.attributes());
        taken.add(entry.key());
    }

    private List<Path> files(String suffix) {
        try (Stream<Path> all = Files.list(temp)) {
            return all.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path onlyFile() {
        return files(".spill").get(0);
    }

    /** The file of these entries, as it is left behind. */
    private byte[] left(String... keys) throws IOException {
        try (var buffer = open()) {
            for (String key : keys) {
                assertThat(add(buffer, key)).isTrue();
            }
        }
        return Files.readAllBytes(onlyFile());
    }

    private void drainAll() {
        taken.clear();
        try (var buffer = open()) {
            buffer.drain(this::take);
            assertThat(buffer.size()).isZero();
        }
        assertThat(files(".spill")).isEmpty();
    }

    @Test
    void entry_added_isTakenAsItWasAndOnce() {
        var hostile = new SpillBuffer.Entry(
                "\u8239 : key",
                new byte[] {0, -1, 10, 13},
                Map.of("a", "", "\u8239", "\u0000", "c", "x".repeat(1_000)));
        var empty = new SpillBuffer.Entry("k", new byte[0], Map.of());
        var all = new ArrayList<SpillBuffer.Entry>();
        try (var buffer = open()) {
            assertThat(buffer.add(hostile, LONG)).isTrue();
            assertThat(buffer.add(empty, LONG)).isTrue();

            buffer.drain(all::add);
            buffer.drain(all::add);

            assertThat(buffer.size()).isZero();
        }
        assertThat(all).hasSize(2);
        assertThat(all.get(0)).usingRecursiveComparison().isEqualTo(hostile);
        assertThat(all.get(1)).usingRecursiveComparison().isEqualTo(empty);
        assertThat(files(".spill")).isEmpty();
        assertThat(files(".damaged")).isEmpty();
    }

    @Test
    void entries_ofSeveralFiles_areTakenOldestFirst() {
        for (int i = 0; i < 20; i++) {
            try (var buffer = open()) {
                add(buffer, "a" + i);
                add(buffer, "b" + i);
            }
        }

        drainAll();

        assertThat(taken).hasSize(40).startsWith("a0", "b0", "a1", "b1").endsWith("a19", "b19");
    }

    @Test
    void buffer_full_refusesUntilThereIsRoom() {
        SpillBuffer.Entry entry = SpillChild.entry("k");
        long one;
        try (var buffer = open()) {
            buffer.add(entry, LONG);
            one = buffer.size();
            buffer.drain(this::take);
        }
        try (var buffer = new SpillBuffer(temp, 2 * one + one / 2)) {
            assertThat(buffer.add(entry, LONG)).isTrue();
            assertThat(buffer.add(entry, LONG)).isTrue();
            assertThat(buffer.add(entry, LONG)).isFalse();
            assertThat(buffer.size()).isEqualTo(2 * one);

            buffer.drain(this::take);

            assertThat(buffer.size()).isZero();
            assertThat(buffer.add(entry, LONG)).isTrue();
        }
    }

    /** Also what an earlier process has left counts. */
    @Test
    void buffer_opened_countsWhatIsLeft() throws IOException {
        byte[] left = left("a", "b");

        try (var buffer = new SpillBuffer(temp, left.length)) {
            assertThat(buffer.size()).isEqualTo(left.length);
            assertThat(add(buffer, "c")).isFalse();
            buffer.drain(this::take);
            assertThat(add(buffer, "a")).isTrue();
        }
        assertThat(taken).containsExactly("a", "b");
    }

    /* ---- Damage ---- */

    @Test
    void file_cutOffAnywhere_givesWhatIsWholeAndNothingElse() throws IOException {
        int first = left("a").length;
        delete(onlyFile());
        byte[] both = left("a", "b");
        Path file = onlyFile();
        for (int length = 0; length <= both.length; length += length > 40 && length < first - 40 ? 17 : 1) {
            Files.write(file, Arrays.copyOf(both, length));

            drainAll();

            assertThat(taken)
                    .as("cut at " + length)
                    .isEqualTo(List.of("a", "b").subList(0, whole(length, first, both)));
            assertThat(files(".damaged")).as("cut at " + length).isEmpty();
        }
    }

    private static int whole(int length, int first, byte[] both) {
        return length == both.length ? 2 : length >= first ? 1 : 0;
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** So a loss of power may leave a file that was about to grow. */
    @Test
    void file_withZerosAtItsEnd_isWhole() throws IOException {
        for (int zeros : List.of(1, 11, 12, 13, 4_096)) {
            left("a", "b");
            Files.write(onlyFile(), new byte[zeros], StandardOpenOption.APPEND);

            drainAll();

            assertThat(taken).as(zeros + " zeros").containsExactly("a", "b");
            assertThat(files(".damaged")).isEmpty();
        }
    }

    @Test
    void file_damagedAnywhere_givesNothingWrongAndIsKept() throws IOException {
        int ofOne = left("a").length;
        files(".spill").forEach(SpillBufferTest::delete);
        byte[] good = left("a", "b", "c");
        Path file = onlyFile();
        var random = new Random(7);
        for (int at = 0; at < good.length; at += at % ofOne < 40 ? 1 : 53) {
            byte[] damaged = good.clone();
            damaged[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, damaged);

            drainAll();

            String where = "byte " + at;
            assertThat(taken).as(where).isSubsetOf("a", "b", "c").hasSizeLessThan(3);
            boolean isInBytes = at % ofOne >= 12 && good.length == 3 * ofOne;
            assertThat(taken).as(where).hasSizeGreaterThanOrEqualTo(isInBytes ? 2 : at / ofOne);
            assertThat(files(".damaged")).as(where).singleElement().satisfies(aside -> {
                assertThat(Files.readAllBytes(aside)).isEqualTo(damaged);
                Files.delete(aside);
            });
        }
    }

    @Test
    void file_damaged_doesNotKeepTheNextOnesBack() throws IOException {
        byte[] bytes = left("a");
        bytes[0] = 1;
        Files.write(onlyFile(), bytes);
        left("b");

        drainAll();

        assertThat(taken).containsExactly("b");
        assertThat(files(".damaged")).hasSize(1);
    }

    @Test
    void file_removedBySomebody_doesNotKeepTheNextOnesBack() throws IOException {
        left("a");
        left("b");
        try (var buffer = open()) {
            Files.delete(onlyFile());

            buffer.drain(this::take);

            assertThat(buffer.size()).isZero();
        }
        assertThat(taken).containsExactly("b");
    }

    @Test
    void directory_withOtherFiles_isUsable() throws IOException {
        Files.writeString(temp.resolve("notes.spill"), "nobody's");
        Files.writeString(temp.resolve("ffffffffffffffff.spill"), "nobody's");
        left("a");

        try (var buffer = open()) {
            buffer.drain(this::take);
        }

        assertThat(taken).containsExactly("a");
        assertThat(files(".spill")).hasSize(2);
    }

    /* ---- Draining ---- */

    @Test
    void drain_interruptedByItsSink_goesOnWhereItStopped() {
        try (var buffer = open()) {
            for (String key : List.of("a", "b", "c", "d")) {
                add(buffer, key);
            }
            for (int failures = 0; failures < 3; failures++) {
                int most = taken.size() + 1;
                assertThatIllegalStateException()
                        .isThrownBy(() -> buffer.drain(entry -> {
                            if (taken.size() == most) {
                                throw new IllegalStateException("simulated");
                            }
                            take(entry);
                        }));
                assertThat(buffer.size()).isPositive();
            }
            add(buffer, "e");

            buffer.drain(this::take);

            assertThat(taken).containsExactly("a", "b", "c", "d", "e");
            assertThat(buffer.size()).isZero();
        }
    }

    /** It may be given to the store twice, and never not at all. */
    @Test
    void drain_interruptedAndTakenOver_beginsTheFileAgain() {
        try (var buffer = open()) {
            add(buffer, "a");
            add(buffer, "b");
            assertThatIllegalStateException()
                    .isThrownBy(() -> buffer.drain(entry -> {
                        if (entry.key().equals("b")) {
                            throw new IllegalStateException("simulated");
                        }
                    }));
        }

        drainAll();

        assertThat(taken).containsExactly("a", "b");
    }

    /** Damage that was read before the sink failed is not forgotten. */
    @Test
    void drain_interruptedBehindDamage_keepsTheFile() throws IOException {
        int ofOne = left("a").length;
        left("b");
        files(".spill").forEach(SpillBufferTest::delete);
        byte[] bytes = left("a", "b");
        bytes[ofOne - 1] ^= 1;
        Files.write(onlyFile(), bytes);
        try (var buffer = open()) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> buffer.drain(entry -> {
                        throw new IllegalStateException("simulated");
                    }));

            buffer.drain(this::take);
        }

        assertThat(taken).containsExactly("b");
        assertThat(files(".damaged")).hasSize(1);
    }

    @Test
    void drain_ofASinkThatHangsWhileTheBufferIsClosed_removesNothing() throws Exception {
        var reached = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var buffer = open();
        add(buffer, "a");
        var drain = new Thread(() -> buffer.drain(entry -> {
            reached.countDown();
            boolean done = false;
            while (!done) {
                try {
                    go.await();
                    done = true;
                } catch (InterruptedException e) {
                    // As a store that does not hear of it.
                }
            }
        }));
        drain.start();
        reached.await();
        buffer.close();
        try (var next = open()) {
            go.countDown();
            drain.join();

            next.drain(this::take);

            assertThat(next.size()).isZero();
        }
        assertThat(taken).containsExactly("a");
    }

    @Test
    void size_afterAnyMixture_returnsToZero() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        Set<String> kept = new HashSet<>();
        try (var buffer = new SpillBuffer(temp, 20_000)) {
            for (int i = 0; i < 300; i++) {
                String key = "k" + i;
                if (random.nextInt(5) > 0) {
                    if (add(buffer, key)) {
                        kept.add(key);
                    }
                } else {
                    int more = random.nextInt(10);
                    int before = taken.size();
                    try {
                        buffer.drain(entry -> {
                            if (taken.size() == before + more) {
                                throw new IllegalStateException("simulated");
                            }
                            take(entry);
                        });
                    } catch (IllegalStateException e) {
                        assertThat(buffer.size()).isPositive();
                    }
                }
                assertThat(buffer.size()).as("seed " + seed).isBetween(0L, 20_000L);
            }
            buffer.drain(this::take);

            assertThat(buffer.size()).as("seed " + seed).isZero();
        }
        assertThat(taken).as("seed " + seed).doesNotHaveDuplicates().containsExactlyInAnyOrderElementsOf(kept);
        assertThat(files(".spill")).isEmpty();
    }

    /* ---- A disk that fails ---- */

    @Test
    void directory_thatIsGone_refusesAndCountsNothing() throws IOException {
        Path directory = temp.resolve("buffer");
        try (var buffer = new SpillBuffer(directory, SpillChild.ROOM)) {
            assertThat(add(buffer, "a")).isTrue();
            buffer.drain(this::take);
            Files.delete(directory.resolve("owner"));
            Files.delete(directory);

            assertThat(add(buffer, "b")).isFalse();
            assertThat(add(buffer, "c")).isFalse();
            assertThat(buffer.size()).isZero();

            Files.createDirectory(directory);
            assertThat(add(buffer, "d")).isTrue();
            buffer.drain(this::take);
            assertThat(buffer.size()).isZero();
        }
        assertThat(taken).containsExactly("a", "d");
    }

    @Test
    void directory_thatCannotBeOne_isRefused() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "in the way");

        assertThatExceptionOfType(UncheckedIOException.class)
                .isThrownBy(() -> new SpillBuffer(file.resolve("buffer"), 1))
                .withMessageContaining("cannot be used");
    }

    /** Writes end in the middle of an entry, as on a full disk; what was acknowledged stays readable. */
    @Test
    void disk_thatTakesNoMore_losesNothingAcknowledged() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(
                        "sh",
                        "-c",
                        "ulimit -f 64 && exec \"$0\" \"$@\"",
                        java,
                        "-XX:-UsePerfData",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        SpillChild.class.getName(),
                        "add-some",
                        temp.toString())
                .redirectErrorStream(true)
                .start();
        List<String> said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertThat(process.waitFor()).as(said.toString()).isZero();
        List<String> kept = said("kept ", said);
        assertThat(said("failed ", said)).hasSize(3);
        assertThat(kept).isNotEmpty();

        drainAll();

        assertThat(taken).containsAll(kept);
        long bytes = Long.parseLong(said("size ", said).get(0));
        assertThat(bytes)
                .as("only what was kept counts")
                .isEqualTo(kept.stream().mapToLong(this::sizeOf).sum());
    }

    private long sizeOf(String key) {
        try (var buffer = new SpillBuffer(temp.resolve("sizes"), SpillChild.ROOM)) {
            add(buffer, key);
            long size = buffer.size();
            buffer.drain(entry -> {});
            return size;
        }
    }

    private static List<String> said(String what, List<String> lines) {
        return lines.stream()
                .filter(line -> line.startsWith(what))
                .map(line -> line.substring(what.length()))
                .toList();
    }

    @Test
    void files_areForTheirOwnerOnly() throws IOException {
        left("a");

        for (Path file : List.of(onlyFile(), temp.resolve("owner"))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-------");
        }
    }

    /* ---- One owner ---- */

    @Test
    void directory_ofAnotherOwnerInThisProcess_isRefused() {
        var first = open();
        try (first) {
            assertThatIllegalStateException().isThrownBy(this::open).withMessageContaining("in use");
            assertThatIllegalStateException()
                    .isThrownBy(() -> new SpillBuffer(temp.resolve("..").resolve(temp.getFileName()), 1));
            assertThat(add(first, "a")).isTrue();
        }

        drainAll();

        assertThat(taken).containsExactly("a");
    }

    @Test
    void directory_ofAnotherProcess_isRefusedUntilThatIsGone() throws Exception {
        left("a");
        try (var child = ChildJvm.start(SpillChild.class, "own", temp.toString())) {
            child.await(line -> line.startsWith("owner"), ATMOST);

            assertThatIllegalStateException().isThrownBy(this::open);

            child.kill();
            drainAll();
        }
        assertThat(taken).containsExactly("a");
    }

    /** A second attempt in this process must not give the lock of the first one away. */
    @Test
    void directory_afterARefusalHere_isStillRefusedToOtherProcesses() throws Exception {
        try (var buffer = open()) {
            assertThatIllegalStateException().isThrownBy(this::open);

            try (var child = ChildJvm.start(SpillChild.class, "own", temp.toString())) {
                assertThat(child.await(line -> line.matches("owner.*|refused"), ATMOST))
                        .isEqualTo("refused");
            }
            assertThat(buffer.size()).isZero();
        }
    }

    /* ---- Ends ---- */

    @Test
    void buffer_closed_refusesAtOnceAndLeavesNoThread() throws Exception {
        long before = writers();
        var buffer = open();
        assertThat(writers()).isEqualTo(before + 1);
        add(buffer, "a");

        buffer.close();
        buffer.close();

        assertThat(add(buffer, "b")).isFalse();
        buffer.drain(this::take);
        assertThat(taken).isEmpty();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals("slack-spill")) {
                thread.join(ATMOST.toMillis());
            }
        }
        assertThat(writers()).isEqualTo(before);
    }

    private static long writers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("slack-spill"))
                .count();
    }

    @Test
    void buffer_closedWhileMuchIsAdded_keepsWhatItAcknowledged() throws Exception {
        Set<String> kept = Collections.synchronizedSet(new HashSet<>());
        var buffer = open();
        var some = new CountDownLatch(100);
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < 4; i++) {
            String name = "t" + i + "-";
            var thread = new Thread(() -> {
                for (int n = 0; add(buffer, name + n); n++) {
                    kept.add(name + n);
                    some.countDown();
                }
            });
            thread.start();
            threads.add(thread);
        }
        some.await();
        buffer.close();
        for (Thread thread : threads) {
            thread.join(ATMOST.toMillis());
            assertThat(thread.isAlive()).isFalse();
        }

        drainAll();

        assertThat(taken).doesNotHaveDuplicates().containsAll(kept);
    }

    /** What was acknowledged by a process that was killed, and is not in its directory. */
    private Set<String> lostByKill(String how) throws Exception {
        List<String> said;
        try (var child = ChildJvm.start(SpillChild.class, how, temp.toString())) {
            child.await(line -> line.startsWith("kept t2-120"), ATMOST);
            child.kill();
            said = child.output();
        }
        drainAll();
        // The last line may be cut.
        Set<String> lost = new HashSet<>(said("kept ", said.subList(0, said.size() - 1)));
        lost.removeAll(taken);
        return lost;
    }

    @Test
    void process_killedWhileItAdds_losesNothingAcknowledged() throws Exception {
        assertThat(lostByKill("add")).isEmpty();
        assertThat(taken).hasSizeGreaterThan(120).doesNotHaveDuplicates();
        assertThat(files(".damaged")).isEmpty();
    }

    @Test
    void process_thatAcknowledgesTooEarly_isNoticed() throws Exception {
        assertThat(lostByKill("add-late")).isNotEmpty();
    }

    @Test
    void process_killedWhileItDrains_losesNothing() throws Exception {
        var keys = new ArrayList<String>();
        try (var buffer = open()) {
            var adding = new ArrayList<Thread>();
            for (int i = 0; i < 400; i++) {
                String key = "k" + i;
                keys.add(key);
                var thread = new Thread(() -> add(buffer, key));
                thread.start();
                adding.add(thread);
            }
            for (Thread thread : adding) {
                thread.join();
            }
        }
        List<String> said;
        try (var child = ChildJvm.start(SpillChild.class, "drain", temp.toString())) {
            child.await(line -> line.startsWith("taken"), ATMOST);
            child.kill();
            said = child.output();
        }
        drainAll();

        taken.addAll(said("taken ", said));
        assertThat(taken).containsAll(keys);
    }
}
