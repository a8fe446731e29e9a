package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Idempotency;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeClient;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.FaultPlan;
import dev.idempotency.testkit.HttpProviderSimulator;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.Submission;
import dev.idempotency.testkit.UnreliableProvider;
import dev.idempotency.testkit.process.PostgresServer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of keys that the old table knows, on a real PostgreSQL. */
final class MigrationTest {
    private static final PostgresServer SERVER = PostgresServer.start(Map.of("fsync", "off"));
    private static final ChargeRequest ORDER = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");

    private final Jdbi jdbi = Jdbi.create(SERVER.jdbcUrl());
    private final SimulatedProvider provider = new SimulatedProvider(
            ProviderBehavior.none().withLookup(Duration.ZERO), EffectLedger.inMemory(), InstantSource.system());
    private final Idempotency idempotency = Idempotency.on(CaffeineIdempotencyStore.create());
    private HttpProviderSimulator simulator;
    private Operation<ChargeRequest, Charge> charge;

    @BeforeEach
    void start() throws Exception {
        jdbi.useHandle(handle -> {
            handle.execute("DROP TABLE IF EXISTS payment_request");
            handle.execute(MigrationSnippets.OLD_TABLE);
            handle.execute(MigrationSnippets.MOVED);
        });
        simulator = HttpProviderSimulator.start(
                new UnreliableProvider(provider, FaultPlan.none(), Duration.ZERO, Duration.ZERO));
        var lookup = new RecoverySnippets(simulator.charges());
        charge = MigrationSnippets.besideTheOldTable(
                idempotency, jdbi, new ChargeClient(simulator.charges()), Recovery.lookup(lookup::lookup));
    }

    @AfterEach
    void stop() {
        simulator.close();
        idempotency.close();
    }

    @AfterAll
    static void stopServer() {
        SERVER.close();
    }

    private void old(String status, String chargeId, Long amount) {
        jdbi.useHandle(handle -> handle.execute(
                "INSERT INTO payment_request (id, status, charge_id, amount) VALUES ('ORD-1', ?, ?, ?)",
                status,
                chargeId,
                amount));
    }

    @Test
    void key_thatTheOldTableDoesNotHave_isChargedAndTakenThere() {
        assertThat(charge.execute(ORDER).amount()).isEqualTo(1250);

        assertThat(provider.ledger().effectsOf("ORD-1")).hasSize(1);
        int takenByTheOldProgram = jdbi.withHandle(handle -> handle.execute(
                "INSERT INTO payment_request (id, status) VALUES ('ORD-1', 'IN_PROGRESS') ON CONFLICT DO NOTHING"));
        assertThat(takenByTheOldProgram).isZero();
    }

    @Test
    void key_thatIsCompletedInTheOldTable_isAdoptedWithoutACall() {
        old("COMPLETED", "ch-7", 1250L);

        assertThat(charge.execute(ORDER)).isEqualTo(new Charge("ch-7", 1250));
        assertThat(charge.execute(ORDER)).isEqualTo(new Charge("ch-7", 1250));
        assertThat(provider.ledger().effects()).isEmpty();
    }

    @Test
    void key_thatIsInProgressInTheOldTable_isInDoubtAndNotFree() {
        old("IN_PROGRESS", null, null);

        assertThatThrownBy(() -> charge.execute(ORDER)).isInstanceOf(InDoubtException.class);
        assertThatThrownBy(() -> charge.execute(ORDER)).isInstanceOf(InDoubtException.class);
        assertThat(provider.ledger().effects()).isEmpty();
    }

    @Test
    void key_thatIsInProgressInTheOldTable_isFoundIfTheProviderHasIt() {
        old("IN_PROGRESS", null, null);
        provider.submit(new Submission(
                "from-the-old-program",
                null,
                "ORD-1",
                "{\"amount\":1250,\"currency\":\"EUR\",\"customer\":\"Ada\",\"reference\":\"ORD-1\"}"));

        assertThat(charge.execute(ORDER).amount()).isEqualTo(1250);
        assertThat(provider.ledger().effectsOf("ORD-1")).hasSize(1);
    }

    @Test
    void key_thatAPersonFoundNotExecuted_isChargedOnceItIsMoved() {
        old("IN_PROGRESS", null, null);
        jdbi.useHandle(handle -> handle.execute("UPDATE payment_request SET moved = true WHERE id = 'ORD-1'"));

        assertThat(charge.execute(ORDER).amount()).isEqualTo(1250);
        assertThat(provider.ledger().effectsOf("ORD-1")).hasSize(1);
    }

    @Test
    void statements_ofTheGuide_areThoseOfThisTest() {
        assertThat(String.join("\n", Markdown.of("docs/migrating.md").lines())).contains(MigrationSnippets.MOVED);
    }
}
