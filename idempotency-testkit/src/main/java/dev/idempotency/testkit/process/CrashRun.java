package dev.idempotency.testkit.process;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.State;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.HttpProviderSimulator.Gate;
import dev.idempotency.testkit.process.CrashAudit.Told;
import dev.idempotency.testkit.process.CrashCell.Kind;
import dev.idempotency.testkit.process.MatrixClient.Conduct;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The processes of a crash matrix, and what they do to each other. Cells run side by side, with keys of their own. */
final class CrashRun implements AutoCloseable {
    private static final Duration LONG = Duration.ofSeconds(60);
    /** Within this a process comes to its point, also on a busy machine; some wait for a lease and a quiescence first. */
    private static final Duration ARRIVAL = Duration.ofSeconds(25);

    private static final Duration HELD_AT_MOST = Duration.ofMillis(2300);
    private static final int TRIES = 6;
    private static final long HOURS = TimeUnit.HOURS.toNanos(7);

    /** What a cell does, once: null if the process came to its end at its point; else why that does not count. */
    @FunctionalInterface
    private interface Try {
        @Nullable
        String of(CrashCell cell, Random random) throws TimeoutException, InterruptedException;
    }

    /** An order, the amounts that it may have been paid with, and whether its row may be gone. */
    private record Paid(MatrixPolicy policy, String scope, String id, List<Long> amounts, boolean forgotten) {}

    /** What came of a policy's cells. */
    static final class Tally {
        int cells;
        int orders;
        final AtomicInteger kills = new AtomicInteger();
        final AtomicInteger freezes = new AtomicInteger();
        CrashAudit audit = new CrashAudit();
    }

    private final CrashMatrix.Opener opener;
    private final String address;
    private final IdempotencyStore store;
    private final StartArchive archive = StartArchive.create();
    private final Map<MatrixPolicy.Provider, ProviderProcess> providers = new EnumMap<>(MatrixPolicy.Provider.class);
    private final List<ChildJvm> rescuers = new ArrayList<>();
    private final Map<MatrixPolicy, Tally> tallies = new EnumMap<>(MatrixPolicy.class);
    private final List<Paid> orders = new ArrayList<>();
    private final List<String> said = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private final AtomicInteger numbers = new AtomicInteger();
    private final String run = Long.toString(System.currentTimeMillis(), Character.MAX_RADIX);

    CrashRun(CrashMatrix.Opener opener, String address) throws Exception {
        this.opener = opener;
        this.address = address;
        this.store = opener.open(address);
        for (MatrixPolicy policy : MatrixPolicy.values()) {
            tallies.put(policy, new Tally());
        }
        for (MatrixPolicy.Provider provider : MatrixPolicy.Provider.values()) {
            providers.put(provider, ProviderProcess.start(provider.options()));
        }
        writeArchive();
        // Their clocks differ by hours, so that all that they do is also a test of that.
        rescuers.add(child("-Duser.timezone=Pacific/Kiritimati", nanosAhead(HOURS)));
        rescuers.add(child("-Duser.timezone=Pacific/Pago_Pago", nanosAhead(-HOURS)));
    }

    /** One process pays an order that nobody audits, and ends by itself: all others start with what it has loaded. */
    private void writeArchive() throws TimeoutException, InterruptedException {
        try (ChildJvm child = start(archive.toWrite())) {
            String id = run + "-first";
            child.send(String.join(
                    " ", "pay", id, id, "1", MatrixPolicy.LOOKUP_HOLD + "", Conduct.NORMAL + "", "CP00", "none"));
            child.await(("done " + id)::equals, LONG);
            child.endInput();
            child.awaitExit(LONG);
            archive.written();
        }
    }

    /** A process that is ready to pay. */
    ChildJvm child(String... jvmOptions) throws TimeoutException, InterruptedException {
        var options = new ArrayList<>(archive.toRead());
        options.addAll(List.of(jvmOptions));
        return start(options);
    }

    private ChildJvm start(List<String> jvmOptions) throws TimeoutException, InterruptedException {
        var args = new ArrayList<>(List.of(opener.getClass().getName(), address));
        providers.forEach((name, provider) -> args.add(name + "=" + provider.uri()));
        var options = new ArrayList<>(List.of("-Xmx96m"));
        options.addAll(jvmOptions);
        ChildJvm child = ChildJvm.start(archive.classPath(), options, CrashChild.class, args.toArray(String[]::new));
        child.await("ready"::equals, LONG);
        return child;
    }

    private static String nanosAhead(long nanos) {
        return "-D" + CrashChild.NANOS_AHEAD + "=" + nanos;
    }

    /** One of the two processes that take over. */
    ChildJvm rescuer(int number) {
        return rescuers.get(number % rescuers.size());
    }

    ProviderProcess provider(MatrixPolicy policy) {
        ProviderProcess provider = providers.get(policy.provider());
        if (provider == null) {
            throw new IllegalStateException("no provider for " + policy);
        }
        return provider;
    }

    IdempotencyRecord row(IdempotencyKey key) {
        return Objects.requireNonNull(store.find(key).record(), "record");
    }

    Tally tally(MatrixPolicy policy) {
        return tallies.computeIfAbsent(policy, unused -> new Tally());
    }

    /** Runs cells side by side, until each has come to its point or has failed to for too often. */
    void run(Collection<CrashCell> cells, long seed, int sideBySide) throws InterruptedException {
        run(
                cells,
                seed,
                sideBySide,
                (cell, random) -> cell.point() == CrashPoint.CP22_PURGE ? purge(cell, random) : once(cell, random));
    }

    /** Runs cells side by side in which nobody executes a request again after its process has died; reconcilers are left to. */
    void runWithoutRetries(Collection<CrashCell> cells, long seed, int sideBySide, int reconcilers)
            throws InterruptedException, TimeoutException {
        run(cells, seed, sideBySide, (cell, random) -> die(cell));
        List<ChildJvm> children = new ArrayList<>();
        try {
            for (int i = 0; i < reconcilers; i++) {
                ChildJvm child = child();
                children.add(child);
                child.send("reconcile r");
                child.await("done r"::equals, LONG);
            }
            if (!Waiting.until(LONG, () -> leftAlone().stream().allMatch(this::isSettled))) {
                failed("not reconciled: "
                        + leftAlone().stream()
                                .filter(order -> !isSettled(order))
                                .toList());
            }
        } finally {
            children.forEach(ChildJvm::close);
            children.forEach(this::hear);
        }
    }

    private synchronized List<Paid> leftAlone() {
        return orders.stream().filter(order -> order.id().startsWith(alone())).toList();
    }

    private String alone() {
        return run + "-alone";
    }

    private boolean isSettled(Paid order) {
        IdempotencyRecord row =
                store.find(new IdempotencyKey(order.scope(), order.id())).record();
        return row == null
                || !row.state().isUnresolved()
                || (row.state() == State.IN_DOUBT && !order.policy().resolves());
    }

    private void run(Collection<CrashCell> cells, long seed, int sideBySide, Try what) throws InterruptedException {
        var executor = Executors.newFixedThreadPool(sideBySide);
        try {
            var random = new Random(seed);
            List<Future<?>> running = new ArrayList<>();
            for (CrashCell cell : cells) {
                long own = random.nextLong();
                running.add(executor.submit(() -> run(cell, new Random(own), what)));
            }
            for (Future<?> one : running) {
                try {
                    one.get();
                } catch (ExecutionException e) {
                    failed(e.getCause() + "");
                }
            }
        } finally {
            executor.shutdownNow();
        }
    }

    private synchronized void failed(String why) {
        failures.add(why);
    }

    /** What the harness itself could not do since this was last asked. */
    synchronized List<String> failures() {
        List<String> sinceLast = List.copyOf(failures);
        failures.clear();
        return sinceLast;
    }

    private void run(CrashCell cell, Random random, Try what) {
        List<String> misses = new ArrayList<>();
        for (int i = 0; i < TRIES; i++) {
            try {
                String miss = what.of(cell, random);
                if (miss == null) {
                    synchronized (this) {
                        tally(cell.policy()).cells++;
                    }
                    return;
                }
                misses.add(miss);
            } catch (TimeoutException | RuntimeException e) {
                misses.add(e.toString());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                misses.add("interrupted");
                break;
            }
        }
        failed(cell + " was never run: " + misses);
    }

    // ---- one cell

    /** Null if the process came to its end at its point; else why this try does not count. The order is audited all the same. */
    private @Nullable String once(CrashCell cell, Random random) throws TimeoutException, InterruptedException {
        int number = numbers.incrementAndGet();
        String id = run + "-" + cell.point().id() + "-" + number;
        boolean isOverride = cell.isOverride();
        long amount = 1000L + number;
        long paid = isOverride ? amount + 1_000_000 : amount;
        register(
                cell.policy(),
                cell.policy().operation(),
                id,
                isOverride ? List.of(amount, paid) : List.of(paid),
                false);
        ChildJvm child;
        try {
            if (isOverride) {
                resolve(cell.policy(), id, amount, number);
            }
            String miss = cell.afterCrash() ? crashBefore(cell, id, paid, random) : null;
            if (miss != null) {
                resolve(cell.policy(), id, amount, number);
                return miss;
            }
            child = child();
        } catch (TimeoutException | RuntimeException e) {
            // On a machine that is too busy for it the order is audited all the same, so somebody must settle it.
            resolve(cell.policy(), id, amount, number);
            throw e;
        }
        if (cell.isAtGate()) {
            provider(cell.policy()).hold(id, gate(cell.point()));
        } else if (cell.point() == CrashPoint.CP13_RENEWAL && cell.policy() != MatrixPolicy.SAME_TRANSACTION) {
            provider(cell.policy()).hold(id, random.nextBoolean() ? Gate.BEFORE_EFFECT : Gate.BEFORE_RESPONSE);
        }
        try {
            String death = death(cell, random);
            child.send(
                    isOverride
                            ? String.join(
                                    " ",
                                    "override",
                                    id,
                                    id,
                                    paid + "",
                                    cell.policy() + "",
                                    cell.point().id(),
                                    death)
                            : pay(cell, id, paid, conduct(cell, random), death));
            bystander(cell, id, child);
            return cell.kind() == Kind.FREEZE
                    ? freeze(cell, id, paid, number, child)
                    : kill(cell, id, paid, number, child, random);
        } finally {
            provider(cell.policy()).letGo(id);
            child.close();
            hear(child);
            boolean reopened = isOverride && reopen(cell.policy(), id, amount, paid, number);
            resolve(cell.policy(), id, reopened || !isOverride ? paid : amount, number);
        }
    }

    /** A process dies, and that is all. What it did in a transaction is undone, and its key is free. */
    private @Nullable String die(CrashCell cell) throws TimeoutException, InterruptedException {
        int number = numbers.incrementAndGet();
        String id = alone() + "-" + cell.point().id() + "-" + number;
        if (cell.isAtGate()) {
            provider(cell.policy()).hold(id, gate(cell.point()));
        }
        boolean hasArrived = false;
        ChildJvm child = child();
        try {
            register(
                    cell.policy(),
                    cell.policy().operation(),
                    id,
                    List.of(1000L + number),
                    cell.policy() == MatrixPolicy.SAME_TRANSACTION);
            child.send(pay(cell, id, 1000L + number, Conduct.NORMAL, cell.isAtGate() ? "none" : "park"));
            if (!awaitArrival(cell, id, child)) {
                return "did not arrive: " + child.output();
            }
            hasArrived = true;
            child.kill();
            tally(cell.policy()).kills.incrementAndGet();
            return null;
        } finally {
            provider(cell.policy()).letGo(id);
            child.close();
            hear(child);
            if (!hasArrived) {
                leaveOutIfNeverBegun(cell, id);
            }
        }
    }

    /** A process that was given up before it had reserved anything has left nothing that anybody could settle or list. */
    private synchronized void leaveOutIfNeverBegun(CrashCell cell, String id) {
        boolean hasEffect = provider(cell.policy()).effects().stream()
                .anyMatch(effect -> effect.reference().equals(id));
        if (!hasEffect && find(cell, id) == null) {
            orders.removeIf(order -> order.id().equals(id));
        }
    }

    private static String pay(CrashCell cell, String id, long amount, Conduct conduct, String death) {
        return String.join(
                " ",
                "pay",
                id,
                id,
                amount + "",
                cell.policy() + "",
                conduct + "",
                cell.point().id(),
                death);
    }

    /** Somebody else's order in the same process: it dies wherever it is. */
    private void bystander(CrashCell cell, String id, ChildJvm child) {
        String other = id + "-other";
        register(cell.policy(), cell.policy().operation(), other, List.of(5L), false);
        Conduct conduct = cell.policy().isEngine() ? Conduct.NORMAL : Conduct.LOSES_ANSWER;
        child.send(String.join(" ", "pay", other, other, "5", cell.policy() + "", conduct + "", "CP00", "none"));
    }

    private static String death(CrashCell cell, Random random) {
        return switch (cell.kind()) {
            case HALT -> "halt";
            case SHORTLY_AFTER -> "after:" + random.nextInt(3000);
            // At a gate the process does not know where it stands.
            case KILL, FREEZE -> cell.isAtGate() ? "none" : "park";
        };
    }

    private static Conduct conduct(CrashCell cell, Random random) {
        return switch (cell.point()) {
            case CP23_BEFORE_RELEASE -> cell.policy().isEngine() ? Conduct.SENDS_NOTHING : Conduct.LOSES_ANSWER;
            case CP24_BEFORE_MARK_IN_DOUBT, CP18_RESENT, CP19_SEALED ->
                random.nextBoolean() ? Conduct.LOSES_ANSWER : Conduct.LOSES_REQUEST;
            case CP13_RENEWAL -> cell.policy() == MatrixPolicy.SAME_TRANSACTION ? Conduct.SLOW : Conduct.NORMAL;
            case CP15_FOUND -> Conduct.LOSES_ANSWER;
            case CP16_MISSING, CP17_REEXECUTED -> Conduct.LOSES_REQUEST;
            default -> Conduct.NORMAL;
        };
    }

    private static Gate gate(CrashPoint point) {
        return switch (point) {
            case CP06_BEFORE_EFFECT -> Gate.BEFORE_EFFECT;
            case CP07_BEFORE_RESPONSE -> Gate.BEFORE_RESPONSE;
            default -> Gate.IN_RESPONSE;
        };
    }

    /** An earlier process that died with or without an effect, as the point needs it. */
    private @Nullable String crashBefore(CrashCell cell, String id, long amount, Random random)
            throws TimeoutException, InterruptedException {
        boolean effect = switch (cell.point()) {
            case CP15_FOUND -> true;
            case CP16_MISSING, CP17_REEXECUTED -> false;
            default -> random.nextBoolean();
        };
        CrashPoint first = effect ? CrashPoint.CP09_BEFORE_DECODE : CrashPoint.CP04_CHECKED;
        if (cell.policy() == MatrixPolicy.SAME_TRANSACTION) {
            first = random.nextBoolean() ? CrashPoint.CP07_BEFORE_RESPONSE : CrashPoint.CP10_BEFORE_RECORD;
        }
        ChildJvm child = child();
        try {
            child.send(pay(new CrashCell(cell.policy(), first, Kind.HALT, false), id, amount, Conduct.NORMAL, "halt"));
            child.awaitExit(ARRIVAL);
            tally(cell.policy()).kills.incrementAndGet();
            if (cell.policy() == MatrixPolicy.NATIVE_THEN_LOOKUP) {
                boolean unused = Waiting.until(MatrixPolicy.RESEND_WITHIN, () -> false);
            }
            return hasArrived(child, first, id) ? null : "the first process did not come to " + first;
        } finally {
            child.close();
            hear(child);
        }
    }

    private static boolean hasArrived(ChildJvm child, CrashPoint point, String id) {
        return child.output().contains("at " + point.id() + " " + id);
    }

    /** Whether the process is at its point, in itself or at the provider's gate. */
    private boolean awaitArrival(CrashCell cell, String id, ChildJvm child)
            throws TimeoutException, InterruptedException {
        if (cell.isAtGate()) {
            return provider(cell.policy()).awaitHeld(id);
        }
        String end = "at " + cell.point().id() + " " + id;
        return child.await(line -> line.equals(end) || line.equals("done " + id), ARRIVAL)
                .equals(end);
    }

    private @Nullable String kill(CrashCell cell, String id, long amount, int number, ChildJvm child, Random random)
            throws TimeoutException, InterruptedException {
        if (cell.kind() == Kind.KILL) {
            if (!awaitArrival(cell, id, child)) {
                return "did not arrive: " + child.output();
            }
            child.kill();
        } else {
            child.awaitExit(ARRIVAL);
            if (!hasArrived(child, cell.point(), id)) {
                return "did not arrive: " + child.output();
            }
        }
        tally(cell.policy()).kills.incrementAndGet();
        if (cell.isAtGate() && random.nextBoolean()) {
            // What the dead process sent takes effect late, when another one is already at work on it.
            long since = System.nanoTime();
            String tag = startToResolve(cell.policy(), id, amount, number);
            awaitTakeover(cell, id, find(cell, id));
            provider(cell.policy()).letGo(id);
            String late = tooLate(cell, id, System.nanoTime() - since);
            awaitDone(number, tag);
            return late;
        }
        return null;
    }

    private @Nullable String freeze(CrashCell cell, String id, long amount, int number, ChildJvm child)
            throws TimeoutException, InterruptedException {
        if (!awaitArrival(cell, id, child)) {
            return "did not arrive: " + child.output();
        }
        long since = System.nanoTime();
        IdempotencyRecord before = find(cell, id);
        child.freeze();
        if (cell.isOverride()) {
            override(cell.policy(), id, amount, number);
        }
        String tag = startToResolve(cell.policy(), id, amount, number);
        awaitTakeover(cell, id, before);
        child.thaw();
        child.send("go " + id);
        provider(cell.policy()).letGo(id);
        String late = tooLate(cell, id, System.nanoTime() - since);
        tally(cell.policy()).freezes.incrementAndGet();
        child.await(("done " + id)::equals, LONG);
        awaitDone(number, tag);
        return late;
    }

    /** On a machine that is too busy the harness itself breaks what a policy relies on: that order says nothing. */
    private synchronized @Nullable String tooLate(CrashCell cell, String id, long nanos) {
        if (!cell.policy().isBounded() || nanos < MatrixPolicy.TRANSIT.toNanos()) {
            return null;
        }
        orders.removeIf(order -> order.id().equals(id));
        return "was held for longer than the policy allows for, " + Duration.ofNanos(nanos);
    }

    private @Nullable IdempotencyRecord find(CrashCell cell, String id) {
        return store.find(new IdempotencyKey(cell.policy().operation(), id)).record();
    }

    /** Until the other process has changed the row by more than a renewal, or it is time to go on. */
    private void awaitTakeover(CrashCell cell, String id, @Nullable IdempotencyRecord before) {
        boolean unused = Waiting.until(HELD_AT_MOST, () -> {
            IdempotencyRecord now = find(cell, id);
            return now != null
                    && (before == null
                            ? now.state() != State.IN_FLIGHT
                            : now.state() != before.state() || !now.token().equals(before.token()));
        });
    }

    /** The first decision may have been written or not; the second one makes sure. Tells whether the key is open for it. */
    private boolean reopen(MatrixPolicy policy, String id, long amount, long paid, int number)
            throws TimeoutException, InterruptedException {
        IdempotencyRecord row =
                store.find(new IdempotencyKey(policy.operation(), id)).record();
        if (row != null && row.generation() > 1) {
            return true;
        }
        if (row == null || !row.state().isTerminal()) {
            resolve(policy, id, amount, number);
            return false;
        }
        override(policy, id, paid, number);
        return true;
    }

    private void override(MatrixPolicy policy, String id, long paid, int number)
            throws TimeoutException, InterruptedException {
        String tag = tag(id);
        rescuer(number).send(String.join(" ", "override", tag, id, paid + "", policy + "", "CP00", "none"));
        awaitDone(number, tag);
    }

    // ---- rescue

    private String tag(String id) {
        return id + "#" + numbers.incrementAndGet();
    }

    private String startToResolve(MatrixPolicy policy, String id, long amount, int number) {
        String tag = tag(id);
        rescuer(number).send(String.join(" ", "resolve", tag, id, amount + "", policy + ""));
        return tag;
    }

    private void awaitDone(int number, String tag) throws TimeoutException, InterruptedException {
        rescuer(number).await(("done " + tag)::equals, LONG);
    }

    /** Another process executes the same requests until they are resolved. */
    private void resolve(MatrixPolicy policy, String id, long amount, int number)
            throws TimeoutException, InterruptedException {
        List<String> tags = new ArrayList<>();
        tags.add(startToResolve(policy, id, amount, number));
        if (isRegistered(id + "-other")) {
            tags.add(startToResolve(policy, id + "-other", 5, number));
        }
        for (String tag : tags) {
            awaitDone(number, tag);
        }
    }

    private synchronized boolean isRegistered(String id) {
        return orders.stream().anyMatch(order -> order.id().equals(id));
    }

    private synchronized void register(
            MatrixPolicy policy, String scope, String id, List<Long> amounts, boolean forgotten) {
        orders.add(new Paid(policy, scope, id, amounts, forgotten));
    }

    private synchronized void hear(ChildJvm child) {
        said.addAll(child.output());
    }

    // ---- purge

    /** Results past their retention, one unresolved key and one that is kept; the purging process dies somewhere within. */
    private @Nullable String purge(CrashCell cell, Random random) throws TimeoutException, InterruptedException {
        int number = numbers.incrementAndGet();
        String id = run + "-" + cell.point().id() + "-" + number;
        String scope = cell.policy().operation();
        List<String> tags = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            String expiring = id + "-" + i;
            register(cell.policy(), scope + "-short", expiring, List.of(7L), true);
            String tag = tag(expiring);
            rescuer(number).send(String.join(" ", "resolve", tag, expiring, "7", cell.policy() + "-SHORT"));
            tags.add(tag);
        }
        register(cell.policy(), scope, id, List.of(8L), false);
        register(cell.policy(), scope, id + "-other", List.of(5L), false);
        for (String tag : tags) {
            awaitDone(number, tag);
        }
        boolean unused = Waiting.until(Duration.ofMillis(1200), () -> false);
        ChildJvm child = child();
        try {
            child.send(String.join(
                    " ", "pay", id, id, "8", cell.policy() + "", Conduct.LOSES_ANSWER + "", "CP00", "none"));
            child.await(("done " + id)::equals, ARRIVAL);
            child.send(String.join(" ", "purge", "p", "3", cell.point().id(), "after:" + random.nextInt(10_000)));
            child.awaitExit(ARRIVAL);
            tally(cell.policy()).kills.incrementAndGet();
            return hasArrived(child, cell.point(), "purge") ? null : "did not purge: " + child.output();
        } finally {
            child.close();
            hear(child);
            String tag = tag(id);
            rescuer(number).send(String.join(" ", "purge", tag, "100", "CP00", "none"));
            awaitDone(number, tag);
            resolve(cell.policy(), id, 8, number);
        }
    }

    // ---- audit

    /** Looks at every order of every process so far, while no cell runs. */
    synchronized void audit() throws Exception {
        // What a gate has let go is at the ledger in a moment.
        TimeUnit.MILLISECONDS.timedWait(this, 500);
        tallies.values().forEach(tally -> {
            tally.orders = 0;
            tally.audit = new CrashAudit();
        });
        Map<String, List<Told>> told = told();
        Map<String, List<Effect>> effects = new HashMap<>();
        for (ProviderProcess provider : providers.values()) {
            for (Effect effect : provider.effects()) {
                effects.computeIfAbsent(effect.reference(), unused -> new ArrayList<>())
                        .add(effect);
            }
        }
        if (opener instanceof CrashMatrix.TransactionalOpener<?> database) {
            for (Effect effect : database.effects(address)) {
                effects.computeIfAbsent(effect.reference(), unused -> new ArrayList<>())
                        .add(effect);
            }
        }
        Set<IdempotencyKey> unresolved = unresolved();
        for (Paid order : orders) {
            var key = new IdempotencyKey(order.scope(), order.id());
            IdempotencyRecord row = store.find(key).record();
            while (row != null && row.state().isUnresolved() && !unresolved.contains(key)) {
                // It may have come to this since it was listed, where a process is still at work that the harness has
                // given up.
                IdempotencyRecord before = row;
                unresolved = unresolved();
                row = store.find(key).record();
                if (before.equals(row)) {
                    break;
                }
            }
            Tally tally = tally(order.policy());
            tally.orders++;
            tally.audit.audit(
                    order.id(),
                    order.amounts(),
                    effects.getOrDefault(order.id(), List.of()),
                    told.getOrDefault(order.id(), List.of()),
                    row,
                    unresolved.contains(key),
                    order.forgotten());
        }
    }

    private Map<String, List<Told>> told() {
        Map<String, List<Told>> told = new HashMap<>();
        for (String line : allSaid()) {
            String[] words = line.split(" ", -1);
            if (words[0].equals("answer") && (words[3].equals("ok") || words[3].equals("closed"))) {
                told.computeIfAbsent(words[1], unused -> new ArrayList<>())
                        .add(new Told(Long.parseLong(words[2]), words[words.length - 1]));
            }
        }
        return told;
    }

    private Set<IdempotencyKey> unresolved() {
        Set<IdempotencyKey> keys = new HashSet<>();
        IdempotencyRecord after = null;
        while (true) {
            List<IdempotencyRecord> page = store.listUnresolved(after, 500);
            page.forEach(record -> keys.add(record.key()));
            if (page.isEmpty()) {
                return keys;
            }
            after = page.get(page.size() - 1);
        }
    }

    /** What processes said beside answers: failures of the harness or of the store. */
    synchronized List<String> complaints() {
        return allSaid().stream().filter(line -> line.contains("failed ")).toList();
    }

    private List<String> allSaid() {
        var all = new ArrayList<>(said);
        rescuers.forEach(rescuer -> all.addAll(rescuer.output()));
        return all;
    }

    @Override
    public void close() {
        rescuers.forEach(ChildJvm::close);
        providers.values().forEach(ProviderProcess::close);
        archive.close();
    }
}
