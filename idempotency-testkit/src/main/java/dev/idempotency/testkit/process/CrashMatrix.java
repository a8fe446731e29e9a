package dev.idempotency.testkit.process;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.State;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.HttpProviderSimulator.Gate;
import dev.idempotency.testkit.process.CrashCell.Kind;
import dev.idempotency.testkit.process.CrashRun.Tally;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Real processes, killed at every point at which they may die, over your store: tests to inherit. A child JVM pays orders through the
 * engine, at a provider in another process, and is killed, halts, or is frozen for longer than its lease; another process executes the
 * same requests until they are resolved. The provider's ledger and the rows say what became of them: at most one effect per key, every
 * answer true, everything resolved or listed.
 *
 * <p>Beside it the same processes pay in the way of widespread peers, and the matrix must find their duplicates; and processes whose
 * clocks are hours apart must not take each other's leases.
 *
 * <p>The system property {@code crash.matrix} says how much: {@code sample}, the default, takes some cells at random in about a minute;
 * {@code all} takes every cell, {@code crash.repetitions} times. {@code crash.seed} repeats a sample.
 *
 * @since 0.1.0
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class CrashMatrix {
    private static final int SAMPLE = 3;

    /** Opens the store in a child JVM. Has a constructor without parameters. */
    @FunctionalInterface
    public interface Opener {
        /**
         * Opens the store.
         *
         * @param address what {@link CrashMatrix#address} says
         * @return a store on the same records as that of every other process
         * @throws Exception if it cannot be opened
         */
        IdempotencyStore open(String address) throws Exception;
    }

    /**
     * Opens a store in whose transactions effects are written, too: the matrix then has calls in the same transaction as well.
     *
     * @param <T> the store's transaction
     */
    public interface TransactionalOpener<T> extends Opener {
        @Override
        TransactionalStore<T> open(String address) throws Exception;

        /**
         * Writes an effect, into a table that takes any.
         *
         * @param transaction the transaction
         * @param effect what to write: its id, its reference and its payload
         * @throws Exception if it cannot be written
         */
        void write(T transaction, Effect effect) throws Exception;

        /**
         * Reads the effects that are committed.
         *
         * @param address what {@link CrashMatrix#address} says
         * @return all of them, in any order
         * @throws Exception if they cannot be read
         */
        List<Effect> effects(String address) throws Exception;
    }

    /** For subclasses. */
    protected CrashMatrix() {}

    /**
     * How a child JVM opens the store.
     *
     * @return a class of the test's class path; it need not be public
     */
    protected abstract Class<? extends Opener> opener();

    /**
     * Where the store is.
     *
     * @return one word, without spaces, such as a URL
     */
    protected abstract String address();

    private @Nullable CrashRun processes;

    /**
     * Starts the providers, and the processes that take over.
     *
     * @throws Exception if the store cannot be opened, or a process cannot be started
     */
    @BeforeAll
    public final void startProcesses() throws Exception {
        var constructor = opener().getDeclaredConstructor();
        constructor.setAccessible(true);
        processes = new CrashRun(constructor.newInstance(), address());
    }

    /** Ends them. */
    @AfterAll
    public final void endProcesses() {
        if (processes != null) {
            processes.close();
        }
    }

    private CrashRun run() {
        return Objects.requireNonNull(processes, "processes");
    }

    private static int sideBySide() {
        return 4 * Runtime.getRuntime().availableProcessors();
    }

    /**
     * The matrix.
     *
     * @throws Exception if the processes cannot be run
     */
    @Test
    public void processes_killedAndFrozenAtEveryPoint_haveOneEffectPerKey() throws Exception {
        boolean all = System.getProperty("crash.matrix", "sample").equals("all");
        long seed = Long.getLong("crash.seed", ThreadLocalRandom.current().nextLong());
        List<CrashCell> cells = new ArrayList<>(CrashCell.all(TransactionalOpener.class.isAssignableFrom(opener())));
        if (all) {
            int repetitions = Integer.getInteger("crash.repetitions", 1);
            cells = new ArrayList<>(Collections.nCopies(repetitions, cells).stream()
                    .flatMap(List::stream)
                    .toList());
        }
        Collections.shuffle(cells, new Random(seed));
        if (!all) {
            cells = cells.subList(0, Math.min(SAMPLE, cells.size()));
        }
        long start = System.nanoTime();
        run().run(cells, seed, sideBySide());
        run().audit();
        print(policies(true), seed, Duration.ofNanos(System.nanoTime() - start));
        assertAll(policies(true).stream().map(policy -> () -> {
            CrashAudit audit = run().tally(policy).audit;
            assertEquals(List.of(), audit.findings(), policy + ", seed " + seed);
            assertEquals(0, policy.resolves() ? audit.inDoubt() : 0, policy + " left doubts, seed " + seed);
        }));
        assertEquals(List.of(), run().complaints(), "seed " + seed);
        assertEquals(List.of(), run().failures(), "seed " + seed);
    }

    /**
     * Processes die between reservation and record, and nobody executes their requests again: of several processes that go through
     * the store, each with a {@link dev.idempotency.Reconciler}, some process resolves every key, or lists it where only a person may.
     *
     * @throws Exception if the processes cannot be run
     */
    @Test
    public void keysThatNobodyRetries_areReconciledOrListed() throws Exception {
        boolean all = System.getProperty("crash.matrix", "sample").equals("all");
        long seed = Long.getLong("crash.seed", ThreadLocalRandom.current().nextLong());
        List<CrashCell> cells = new ArrayList<>();
        for (MatrixPolicy policy : policies(true)) {
            if (policy == MatrixPolicy.SAME_TRANSACTION && !TransactionalOpener.class.isAssignableFrom(opener())) {
                continue;
            }
            Stream.of(
                            CrashPoint.CP03_RESERVED,
                            CrashPoint.CP04_CHECKED,
                            CrashPoint.CP07_BEFORE_RESPONSE,
                            CrashPoint.CP10_BEFORE_RECORD)
                    .forEach(point -> cells.add(new CrashCell(policy, point, Kind.KILL, false)));
        }
        if (!all) {
            Collections.shuffle(cells, new Random(seed));
            cells.subList(SAMPLE, cells.size()).clear();
        }
        long start = System.nanoTime();
        run().runWithoutRetries(cells, seed, sideBySide(), 3);
        run().audit();
        print(policies(true), seed, Duration.ofNanos(System.nanoTime() - start));
        assertAll(policies(true).stream().map(policy -> () -> {
            CrashAudit audit = run().tally(policy).audit;
            assertEquals(List.of(), audit.findings(), policy + ", seed " + seed);
            assertEquals(0, policy.resolves() ? audit.inDoubt() : 0, policy + " left doubts, seed " + seed);
        }));
        assertEquals(List.of(), run().complaints(), "seed " + seed);
        assertEquals(List.of(), run().failures(), "seed " + seed);
    }

    private static List<MatrixPolicy> policies(boolean engine) {
        return Stream.of(MatrixPolicy.values())
                .filter(policy -> policy.isEngine() == engine)
                .toList();
    }

    private void print(List<MatrixPolicy> policies, long seed, Duration duration) {
        System.out.printf(
                Locale.ROOT,
                "crash matrix, %s: seed=%d seconds=%d%n",
                getClass().getSimpleName(),
                seed,
                duration.toSeconds());
        var all = new EnumMap<ReportColumn, Integer>(ReportColumn.class);
        for (MatrixPolicy policy : policies) {
            var row = new EnumMap<ReportColumn, Integer>(ReportColumn.class);
            for (ReportColumn column : ReportColumn.values()) {
                int figure = column.of(run().tally(policy));
                row.put(column, figure);
                all.merge(column, figure, Integer::sum);
            }
            print(policy.operation(), row);
        }
        print("all", all);
    }

    private static void print(String name, Map<ReportColumn, Integer> row) {
        System.out.print(String.format(Locale.ROOT, "  %-18s", name)
                + row.entrySet().stream()
                        .map(figure -> " " + figure.getKey().title() + "=" + figure.getValue())
                        .collect(Collectors.joining())
                + System.lineSeparator());
    }

    private enum ReportColumn {
        CELLS,
        ORDERS,
        KILLS,
        FREEZES,
        DUPLICATES,
        LOST,
        IN_DOUBT,
        UNLISTED;

        String title() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        int of(Tally tally) {
            return switch (this) {
                case CELLS -> tally.cells;
                case ORDERS -> tally.orders;
                case KILLS -> tally.kills.get();
                case FREEZES -> tally.freezes.get();
                case DUPLICATES -> tally.audit.duplicates();
                case LOST -> tally.audit.lost();
                case IN_DOUBT -> tally.audit.inDoubt();
                case UNLISTED -> tally.audit.unlisted();
            };
        }
    }

    /**
     * The positive control: what peers do, killed at the same points, makes duplicates, and one that records before it acts loses
     * effects. The matrix must see both.
     *
     * @throws Exception if the processes cannot be run
     */
    @Test
    public void peers_killedAtTheSamePoints_areCaught() throws Exception {
        boolean all = System.getProperty("crash.matrix", "sample").equals("all");
        List<CrashCell> cells = new ArrayList<>(List.of(
                new CrashCell(MatrixPolicy.PEER_LIKE, CrashPoint.CP10_BEFORE_RECORD, Kind.KILL, false),
                new CrashCell(MatrixPolicy.PEER_LIKE, CrashPoint.CP10_BEFORE_RECORD, Kind.FREEZE, false),
                new CrashCell(MatrixPolicy.RECORDS_FIRST, CrashPoint.CP11_RECORD_WITHOUT_REPLY, Kind.HALT, false)));
        if (all) {
            cells.addAll(List.of(
                    new CrashCell(MatrixPolicy.PEER_LIKE, CrashPoint.CP07_BEFORE_RESPONSE, Kind.KILL, false),
                    new CrashCell(MatrixPolicy.PEER_LIKE, CrashPoint.CP09_BEFORE_DECODE, Kind.HALT, false),
                    new CrashCell(MatrixPolicy.PEER_LIKE, CrashPoint.CP23_BEFORE_RELEASE, Kind.KILL, false)));
        }
        long start = System.nanoTime();
        run().run(cells, 1, sideBySide());
        run().audit();
        print(policies(false), 1, Duration.ofNanos(System.nanoTime() - start));
        assertEquals(List.of(), run().failures());
        assertTrue(run().tally(MatrixPolicy.PEER_LIKE).audit.duplicates() >= (all ? 4 : 2), "duplicates of the peer");
        assertTrue(run().tally(MatrixPolicy.RECORDS_FIRST).audit.lost() >= 1, "effects that were never made");
    }

    /**
     * Processes whose time zones are 25 hours apart, and whose monotonic clocks are 14 hours apart, wait for each other's leases.
     *
     * @throws Exception if the processes cannot be run
     */
    @Test
    public void leases_ofProcessesWithOtherClocks_areNotTaken() throws Exception {
        String id = "clock-" + System.nanoTime();
        IdempotencyRecord row = payWhileAnotherHolds(id, run().rescuer(0), run().rescuer(1));

        assertEquals(State.COMPLETED, row.state());
        assertEquals(List.of(), row.evidence(), "what happened to the lease");
        assertEquals(1, answers(id, run().rescuer(0)).size());
        assertEquals(answers(id, run().rescuer(0)), answers(id, run().rescuer(1)));
    }

    /**
     * A store that says what time it is by the process's own clock lets a process whose clock is ahead take a live lease. The test
     * above must be able to see it.
     *
     * @throws Exception if the processes cannot be run
     */
    @Test
    public void leases_onAClockOfTheProcess_areSeenToBeTaken() throws Exception {
        try (ChildJvm other = run().child("-D" + CrashChild.CLOCK_AHEAD + "=" + 3 * 3600)) {
            IdempotencyRecord row = payWhileAnotherHolds("clock-" + System.nanoTime(), run().rescuer(0), other);

            assertTrue(
                    row.evidence().stream().anyMatch(evidence -> evidence.kind() == Evidence.Kind.LAPSED),
                    "the lease was taken: " + row.evidence());
        }
    }

    private static List<String> answers(String id, ChildJvm child) {
        return child.output().stream()
                .filter(line -> line.startsWith("answer " + id + " "))
                .toList();
    }

    /** The provider holds the owner's request for three leases, while another process wants the same. */
    private IdempotencyRecord payWhileAnotherHolds(String id, ChildJvm owner, ChildJvm other)
            throws TimeoutException, InterruptedException {
        String pay = String.join(" ", "pay", id, id, "9", MatrixPolicy.HOLD + "", "NORMAL", "CP00", "none");
        ProviderProcess provider = run().provider(MatrixPolicy.HOLD);
        provider.hold(id, Gate.BEFORE_RESPONSE);
        owner.send(pay);
        assertTrue(provider.awaitHeld(id));
        other.send(pay);
        boolean early = Waiting.until(
                MatrixPolicy.LEASE.multipliedBy(3), () -> other.output().contains("done " + id));
        provider.letGo(id);
        owner.await(("done " + id)::equals, Duration.ofSeconds(30));
        other.await(("done " + id)::equals, Duration.ofSeconds(30));
        assertEquals(
                1,
                provider.effects().stream()
                        .filter(effect -> effect.reference().equals(id))
                        .count(),
                "effects; the other process was done early: " + early);
        return run().row(new IdempotencyKey(MatrixPolicy.HOLD.operation(), id));
    }
}
