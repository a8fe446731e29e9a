package dev.idempotency.testkit.process;

import dev.idempotency.Admin;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyException;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.InDoubtException;
import dev.idempotency.InFlightException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.Reconciler;
import dev.idempotency.RefusedException;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.StoreWithTrail;
import dev.idempotency.testkit.process.MatrixClient.Conduct;
import dev.idempotency.testkit.process.MatrixOrder.Receipt;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One process of a crash matrix: pays orders through the engine, one command a line, and dies or stands still where it is told to.
 *
 * <ul>
 *   <li>{@code pay TAG ID AMOUNT POLICY CONDUCT POINT DEATH}: executes once
 *   <li>{@code resolve TAG ID AMOUNT POLICY}: executes until the outcome is known, or only a person can know it
 *   <li>{@code override TAG ID AMOUNT POLICY POINT DEATH}: lets another amount take over the key
 *   <li>{@code purge TAG LIMIT POINT DEATH}: purges for ever
 *   <li>{@code reconcile TAG}: resolves keys that nobody executes any more, from now on
 *   <li>{@code go ID}: lets what stands still go on
 * </ul>
 *
 * Says {@code at POINT ID}, {@code answer ID AMOUNT WHAT}, {@code done TAG}. A death is {@code none}, {@code halt}, {@code park} or
 * {@code after:MICROS}.
 */
final class CrashChild {
    /** Set by a test of clocks: by how much this process's monotonic clock is ahead, in nanoseconds. */
    static final String NANOS_AHEAD = "crash.nanosAhead";
    /** Set by a test of clocks, for a store that is wrong: takes this process's clock, and that is so many seconds ahead. */
    static final String CLOCK_AHEAD = "crash.clockAhead";

    private static final int DIED = 137;
    private static final Duration RESOLVE = Duration.ofSeconds(45);
    private static final Duration SHORT_RETENTION = Duration.ofSeconds(1);

    private static final Admin.Ruling ADA = new Admin.Ruling("ada", "another amount", "none");
    private static final Admin.Ruling BOB = new Admin.Ruling("bob", "another amount", "none");

    private record Armed(String point, String death, CountDownLatch go) {}

    private final ConcurrentMap<String, Armed> armed = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Conduct> conducts = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Operation<MatrixOrder, Receipt>> operations = new ConcurrentHashMap<>();
    private final CrashHooks hooks = new CrashHooks(this::at);
    private final CrashMatrix.Opener opener;
    private final IdempotencyStore store;
    private final Idempotency idempotency;
    private final Admin admin;
    private final String[] providers;

    private CrashChild(CrashMatrix.Opener opener, IdempotencyStore opened, String[] providers) {
        this.opener = opener;
        this.store = opened instanceof TransactionalStore<?> transactional
                ? hooks.store(transactional)
                : hooks.store(opened);
        this.admin = Admin.on(
                opened instanceof AuditedStore audited
                        ? new StoreWithTrail(store, audited)
                        : new StoreWithTrail(store));
        this.providers = providers;
        long ahead = Long.getLong(NANOS_AHEAD, 0);
        this.idempotency = Idempotency.builder(store)
                .listener(hooks.listener())
                .nanoTime(() -> System.nanoTime() + ahead)
                .build();
    }

    /**
     * Runs until its input ends.
     *
     * @param args the name of the {@link CrashMatrix.Opener}, the store's address, and the address of each provider
     * @throws Exception if the store cannot be opened
     */
    public static void main(String[] args) throws Exception {
        var constructor = Class.forName(args[0]).getDeclaredConstructor();
        constructor.setAccessible(true);
        var opener = (CrashMatrix.Opener) constructor.newInstance();
        IdempotencyStore opened = opener.open(args[1]);
        String clock = System.getProperty(CLOCK_AHEAD);
        if (clock != null) {
            opened = new JvmClockStore(opened, Duration.ofSeconds(Long.parseLong(clock)));
        }
        var child = new CrashChild(opener, opened, args);
        System.out.println("ready");
        var executor = Executors.newCachedThreadPool();
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split(" ", -1);
            if (words[0].equals("go")) {
                child.go(words[1]);
            } else {
                executor.execute(() -> child.run(words));
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private void run(String[] words) {
        try {
            switch (words[0]) {
                case "pay" -> pay(words);
                case "resolve" -> resolve(order(words), words[4]);
                case "override" -> override(words);
                case "purge" -> purge(words);
                case "reconcile" -> reconcile();
                default -> throw new IllegalArgumentException(words[0]);
            }
        } catch (RuntimeException | Error e) {
            System.out.println("failed " + words[1] + " " + e);
        }
        System.out.println("done " + words[1]);
    }

    private static MatrixOrder order(String[] words) {
        return new MatrixOrder(words[2], Long.parseLong(words[3]));
    }

    private void arm(String id, String point, String death) {
        armed.put(id, new Armed(point, death, new CountDownLatch(1)));
    }

    private void go(String id) {
        Armed here = armed.get(id);
        if (here != null) {
            here.go().countDown();
        }
    }

    private void at(CrashPoint point, @Nullable IdempotencyKey key) {
        String id = key == null ? "purge" : key.value();
        Armed here = armed.get(id);
        if (here == null || !here.point().equals(point.id()) || here.death().equals("none")) {
            return;
        }
        if (!armed.replace(id, here, new Armed(here.point(), "none", here.go()))) {
            return;
        }
        System.out.println("at " + point.id() + " " + id);
        if (here.death().equals("halt")) {
            Runtime.getRuntime().halt(DIED);
        } else if (here.death().startsWith("after:")) {
            long micros = Long.parseLong(here.death().substring("after:".length()));
            var death = new Thread(() -> {
                LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(micros));
                Runtime.getRuntime().halt(DIED);
            });
            death.start();
        } else {
            standStill(here.go());
        }
    }

    private static void standStill(CountDownLatch go) {
        boolean interrupted = false;
        while (true) {
            try {
                go.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- paying

    private MatrixClient client(MatrixPolicy policy) {
        URI provider = URI.create(providerOf(policy));
        return new MatrixClient(provider, hooks, id -> conducts.getOrDefault(id, Conduct.NORMAL));
    }

    /** The arguments have {@code NAME=ADDRESS} for each provider. */
    private String providerOf(MatrixPolicy policy) {
        String name = policy.provider() + "=";
        return Stream.of(providers)
                .filter(provider -> provider.startsWith(name))
                .findFirst()
                .orElseThrow()
                .substring(name.length());
    }

    private Operation<MatrixOrder, Receipt> operation(String name) {
        return operations.computeIfAbsent(name, this::build);
    }

    private Operation<MatrixOrder, Receipt> build(String name) {
        boolean isShort = name.endsWith("-SHORT");
        MatrixPolicy policy = policy(name);
        MatrixClient client = client(policy);
        var builder = idempotency
                .operation(policy.operation() + (isShort ? "-short" : ""), MatrixOrder.class, Receipt.class)
                .key(MatrixOrder::id)
                .lease(MatrixPolicy.LEASE)
                .waitAtMost(MatrixPolicy.WAIT)
                .recoveryTimeout(Duration.ofSeconds(2))
                .keepRequests();
        if (policy == MatrixPolicy.SAME_TRANSACTION) {
            return inTransaction(builder, (CrashMatrix.TransactionalOpener<?>) opener);
        }
        builder.recovery(policy.recovery(
                hooks.lookup((order, attempt) -> client.lookup(order)),
                hooks.seal((order, attempt) -> client.seal(attempt.key(), attempt.nativeKey()))));
        if (isShort) {
            builder.retention(SHORT_RETENTION);
        }
        return builder.calling(hooks.call(client::charge));
    }

    @SuppressWarnings("unchecked") // the store is the one that the opener opened
    private <T> Operation<MatrixOrder, Receipt> inTransaction(
            Operation.Builder<MatrixOrder, Receipt> builder, CrashMatrix.TransactionalOpener<T> database) {
        return builder.callingInTransactionOf((TransactionalStore<T>) store, (order, attempt, transaction) -> {
            hooks.reached(CrashPoint.CP04_CHECKED, attempt.key());
            Conduct today = attempt.number() == 1 ? conducts.getOrDefault(order.id(), Conduct.NORMAL) : Conduct.NORMAL;
            if (today == Conduct.SENDS_NOTHING) {
                throw new NotExecutedException("nothing was written, by order", null);
            }
            if (today == Conduct.SLOW) {
                waitFor(MatrixPolicy.LEASE, () -> false);
            }
            String name = UUID.randomUUID().toString();
            String payload = "{\"amount\":" + order.amount() + "}";
            database.write(transaction, new Effect(name, null, order.id(), payload, Instant.now(), name));
            hooks.reached(CrashPoint.CP07_BEFORE_RESPONSE, attempt.key());
            return new Receipt(name, order.id(), order.amount());
        });
    }

    static MatrixPolicy policy(String name) {
        return MatrixPolicy.valueOf(name.replace("-SHORT", ""));
    }

    private void pay(String[] words) {
        MatrixOrder order = order(words);
        conducts.put(order.id(), Conduct.valueOf(words[5]));
        arm(order.id(), words[6], words[7]);
        try {
            Receipt receipt = execute(words[4], order);
            answer(order, receipt == null ? "in-flight" : "ok " + receipt.effect());
        } catch (IdempotencyException | IOException e) {
            answer(order, what(e));
        }
    }

    private @Nullable Receipt execute(String policyName, MatrixOrder order) throws IOException {
        MatrixPolicy policy = policy(policyName);
        if (policy.isEngine()) {
            return operation(policyName).execute(order);
        }
        var payments = new PeerLikePayments(
                store,
                client(policy),
                id -> conducts.getOrDefault(id, Conduct.NORMAL),
                policy == MatrixPolicy.RECORDS_FIRST);
        return payments.execute(policy, order);
    }

    private static String what(Exception e) {
        if (e instanceof InDoubtException) {
            return "in-doubt";
        }
        if (e instanceof InFlightException) {
            return "in-flight";
        }
        if (e instanceof NotExecutedException notExecuted) {
            return notExecuted.isClosed() ? "closed" : "not-executed";
        }
        return "failed " + e;
    }

    private static void answer(MatrixOrder order, String what) {
        System.out.println("answer " + order.id() + " " + order.amount() + " " + what);
    }

    /** Until the outcome is known; and then once more, for it must not change. */
    private void resolve(MatrixOrder order, String policyName) {
        long end = System.nanoTime() + RESOLVE.toNanos();
        int known = 0;
        while (known < 2 && end - System.nanoTime() > 0) {
            known = tryToResolve(order, policyName) ? known + 1 : 0;
        }
    }

    private boolean tryToResolve(MatrixOrder order, String policyName) {
        MatrixPolicy policy = policy(policyName);
        try {
            Receipt receipt = execute(policyName, order);
            if (receipt != null) {
                answer(order, "ok " + receipt.effect());
                return true;
            }
        } catch (InDoubtException e) {
            answer(order, "in-doubt");
            if (!policy.resolves()) {
                return true;
            }
            Instant soon = Instant.now().plusMillis(100);
            waitUntil(e.resolvableAt().filter(soon::isBefore).orElse(soon));
            return false;
        } catch (NotExecutedException e) {
            answer(order, what(e));
            return e.isClosed();
        } catch (IdempotencyException | IOException e) {
            answer(order, what(e));
        }
        waitUntil(Instant.now().plusMillis(100));
        return false;
    }

    /** A little early or late does no harm: it is tried again. */
    private static void waitUntil(Instant when) {
        waitFor(Duration.ofSeconds(2), () -> !Instant.now().isBefore(when));
    }

    private static void waitFor(Duration atMost, BooleanSupplier condition) {
        boolean unused = Waiting.until(atMost, condition);
    }

    // ---- persons and purges

    private void override(String[] words) {
        MatrixOrder order = order(words);
        arm(order.id(), words[5], words[6]);
        Operation<MatrixOrder, Receipt> operation = operation(words[4]);
        try {
            IdempotencyKey key = operation.keyOf(order);
            Admin.Review review = admin.review(key);
            long version = review == null ? 1 : review.record().version();
            AuditEntry wish = admin.requestOverride(key, version, operation.fingerprintOf(order), ADA);
            hooks.reached(CrashPoint.CP21_OVERRIDE_REVIEWED, key);
            admin.approveOverride(key, wish.id(), BOB);
        } catch (RefusedException e) {
            System.out.println("refused " + order.id() + " " + e.getMessage());
        }
    }

    private void reconcile() {
        Operation<?, ?>[] all = Stream.of(MatrixPolicy.values())
                .filter(MatrixPolicy::isEngine)
                .filter(policy ->
                        policy != MatrixPolicy.SAME_TRANSACTION || opener instanceof CrashMatrix.TransactionalOpener<?>)
                .map(policy -> operation(policy.name()))
                .toArray(Operation[]::new);
        Reconciler.on(idempotency)
                .operations(all)
                .every(Duration.ofMillis(200))
                .retryWithin(Duration.ofSeconds(1))
                .build()
                .start();
    }

    private void purge(String[] words) {
        arm("purge", words[3], words[4]);
        while (true) {
            int unused = store.purge(Integer.parseInt(words[2]));
            if (words[4].equals("none") && unused == 0) {
                return;
            }
        }
    }
}
