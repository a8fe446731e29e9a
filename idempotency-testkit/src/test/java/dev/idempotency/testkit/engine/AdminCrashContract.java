package dev.idempotency.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Admin;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.State;
import dev.idempotency.testkit.engine.WatchedStore.Point;
import dev.idempotency.testkit.process.ChildJvm;
import dev.idempotency.testkit.process.CrashMatrix;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The process in which a person decides is killed with kill -9 in the middle of the act, on a store that outlives it. */
public abstract class AdminCrashContract {
    private static final Admin.Ruling ADA = new Admin.Ruling("ada", "the provider has nothing", "ticket 4711");
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    /** Opens the store in the child. */
    protected abstract Class<? extends CrashMatrix.Opener> opener();

    /** What the opener is told. */
    protected abstract String address();

    /** The same store in this process. */
    protected abstract AuditedStore store();

    /** The person's process: stands still where it is told to, until it is killed. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) throws Exception {
            var constructor = Class.forName(args[0]).getDeclaredConstructor();
            constructor.setAccessible(true);
            var store = (AuditedStore) ((CrashMatrix.Opener) constructor.newInstance()).open(args[1]);
            var where = Point.valueOf(args[4]);
            var watched = new WatchedStore(store, point -> {
                if (point == where) {
                    System.out.println("at " + point);
                    Eventually.opens(new CountDownLatch(1));
                }
            });
            var admin = Admin.builder(watched).quiescence(Duration.ZERO).build();
            admin.reExecute(new IdempotencyKey(args[2], "o-1"), Long.parseLong(args[3]), ADA);
            System.out.println("done");
        }
    }

    private static Operation<Order, Receipt> charge(Idempotency idempotency, String name, boolean works) {
        return idempotency
                .operation(name, Order.class, Receipt.class)
                .key(Order::id)
                .calling((order, attempt) -> {
                    if (works) {
                        return new Receipt(attempt.nativeKey(), order.amount());
                    }
                    throw new IOException("reset");
                });
    }

    @ParameterizedTest
    @EnumSource(
            value = Point.class,
            names = {"AFTER_INTENDED", "AFTER_RECORD", "AFTER_APPLIED"})
    void act_whoseProcessIsKilled_leavesItsEntryAndIsEndedByAnother(Point where) throws Exception {
        var name = "admin-crash-" + UUID.randomUUID();
        var order = new Order("o-1", 100);
        try (var idempotency = Idempotency.on(store())) {
            Failures.failed(
                    InDoubtException.class,
                    () -> charge(idempotency, name, false).execute(order));
            var doubt = store().find(new IdempotencyKey(name, "o-1")).record();

            try (var child = ChildJvm.start(
                    Child.class, opener().getName(), address(), name, "" + doubt.version(), where.name())) {
                child.await(line -> line.equals("at " + where), PATIENCE);
                child.kill();
                child.awaitExit(PATIENCE);
            }

            var changed = where != Point.AFTER_INTENDED;
            assertThat(phases(doubt.key()))
                    .isEqualTo(where == Point.AFTER_APPLIED ? List.of("APPLIED", "INTENDED") : List.of("INTENDED"));
            assertThat(store().find(doubt.key()).record().state()).isEqualTo(changed ? State.OPEN : State.IN_DOUBT);

            var admin = Admin.builder(store()).quiescence(Duration.ZERO).build();
            var reopened = admin.reExecute(doubt.key(), doubt.version(), ADA);

            assertThat(reopened.generation()).isEqualTo(2);
            assertThat(reopened.evidence())
                    .filteredOn(line -> line.kind() == Evidence.Kind.OVERRIDE)
                    .hasSize(1);
            assertThat(phases(doubt.key())).containsExactly("APPLIED", "INTENDED");
            var receipt = charge(idempotency, name, true).execute(order);
            assertThat(receipt.effect()).isNotEqualTo(doubt.nativeKey());
        }
    }

    private List<String> phases(IdempotencyKey key) {
        return store().audit(key, null, 10).stream()
                .map(AuditEntry::phase)
                .map(Enum::name)
                .toList();
    }
}
