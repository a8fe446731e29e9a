package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.process.PostgresServer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A synchronous standby that is gone, and an operator who cuts the commits short that wait for it. What stands on the primary
 * then is lost in a failover, so it is no answer before the standby has it.
 */
@Timeout(120)
final class StandbyTest {
    private static final PostgresServer SERVER = PostgresServer.start();
    private static final Jdbi OPERATOR = Jdbi.create(SERVER.dataSource());

    private final ExecutorService operator = Executors.newSingleThreadExecutor();
    private final AtomicInteger cutShort = new AtomicInteger();
    private volatile boolean isGone;
    private JdbcIdempotencyStore store;

    @AfterAll
    static void stop() {
        SERVER.close();
    }

    @BeforeEach
    void open() {
        store = JdbcIdempotencyStore.builder(SERVER.dataSource()).createSchema().build();
    }

    @AfterEach
    void comeBack() {
        standbyIsBack();
        operator.shutdownNow();
    }

    private static void standbys(String names) {
        OPERATOR.useHandle(handle -> {
            // Never to wait for what it is about to say.
            handle.execute("SET synchronous_commit = local");
            handle.execute("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
            handle.execute("SELECT pg_reload_conf()");
            long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            while (!handle.createQuery("SHOW synchronous_standby_names")
                    .mapTo(String.class)
                    .one()
                    .equals(names)) {
                assertThat(System.nanoTime()).as("the setting").isLessThan(end);
                LockSupport.parkNanos(1_000_000);
            }
        });
    }

    private void standbyIsGone() {
        isGone = true;
        standbys("gone");
        operator.execute(() -> {
            while (isGone) {
                cutShort.addAndGet(OPERATOR.withHandle(
                        handle -> handle.createQuery("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
                                        + " WHERE wait_event = 'SyncRep'")
                                .mapTo(Integer.class)
                                .one()));
                LockSupport.parkNanos(1_000_000);
            }
        });
    }

    private void standbyIsBack() {
        isGone = false;
        standbys("");
    }

    private static void assertMayBeWritten(Throwable failure) {
        assertThat(failure)
                .isInstanceOfSatisfying(
                        StoreException.class,
                        e -> assertThat(e.mayHaveWritten()).isTrue())
                .hasMessageContaining("standby");
    }

    @Test
    void answer_whoseCommitWasCutShort_isNoneUntilTheStandbyHasIt() {
        IdempotencyRecord reserved = Objects.requireNonNull(
                store.reserve(Writes.reservation(Writes.key())).record());
        Write completion = Writes.completion(reserved);
        standbyIsGone();

        // The second try finds what the first one has written, which proves nothing.
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> store.replace(reserved, completion)).satisfies(StandbyTest::assertMayBeWritten);
        }
        assertThatThrownBy(() -> store.find(reserved.key())).satisfies(StandbyTest::assertMayBeWritten);
        assertThatThrownBy(() -> store.reserve(Writes.reservation(reserved.key())))
                .satisfies(StandbyTest::assertMayBeWritten);
        assertThat(cutShort).hasPositiveValue();

        standbyIsBack();
        assertThat(store.replace(reserved, completion).applied()).isFalse();
        assertThat(Objects.requireNonNull(store.find(reserved.key()).record()).state())
                .isEqualTo(State.COMPLETED);
    }

    @Test
    void offer_whoseCommitWasCutShort_isNoDuplicateUntilTheStandbyHasIt() {
        var message = new InboxMessage(new IdempotencyKey("events", "one"), new byte[1], Map.of());
        standbyIsGone();

        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> store.inbox().offer(message, Duration.ofHours(1)))
                    .satisfies(StandbyTest::assertMayBeWritten);
        }

        standbyIsBack();
        assertThat(store.inbox().offer(message, Duration.ofHours(1))).isEqualTo(InboxStore.Offered.DUPLICATE);
    }

    @Test
    void gatheredSteps_whoseCommitWasCutShort_haveNoAnswerEither() {
        JdbcIdempotencyStore gathering =
                JdbcIdempotencyStore.builder(SERVER.dataSource()).singleSteps(0).build();
        Write write = Writes.reservation(Writes.key());
        standbyIsGone();

        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> gathering.reserve(write)).satisfies(StandbyTest::assertMayBeWritten);
        }

        standbyIsBack();
        assertThat(Objects.requireNonNull(gathering.reserve(write).record()).token())
                .isEqualTo(write.next().token());
    }

    /** A warning of somebody's trigger has the same SQLSTATE, and says nothing about the commit. */
    @Test
    void triggerThatWarns_isNoUnknownOutcome() {
        OPERATOR.useHandle(handle -> {
            handle.execute("CREATE OR REPLACE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                    + " RAISE WARNING 'stock is low'; RETURN NEW; END $$");
            handle.execute("CREATE OR REPLACE TRIGGER warn BEFORE INSERT OR UPDATE ON idempotency_record FOR EACH ROW"
                    + " EXECUTE FUNCTION warn()");
        });
        try (var idempotency = Idempotency.on(store)) {
            Operation<String, String> charge = idempotency
                    .operation("warned", String.class, String.class)
                    .key(order -> order)
                    .calling((order, attempt) -> "paid " + order);

            assertThat(List.of(charge.execute("1"), charge.execute("1"))).containsOnly("paid 1");
        } finally {
            OPERATOR.useHandle(handle -> handle.execute("DROP TRIGGER warn ON idempotency_record"));
        }
    }
}
