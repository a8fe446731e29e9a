package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.testkit.process.PostgresServer;
import dev.idempotency.testkit.process.RedisServer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Records on a server that is already there. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
final class UsersServersTest {
    @Test
    void run_onPostgresOfTheUsers_beginsAnew() {
        try (PostgresServer server = PostgresServer.start()) {
            requireTwoRuns("--store postgres --jdbc-url " + server.jdbcUrl());
        }
    }

    @Test
    void run_onRedisOfTheUsers_beginsAnew() {
        try (RedisServer server = RedisServer.start()) {
            requireTwoRuns("--store redis --redis-url " + server.uri());
        }
    }

    /** The second simulator knows nothing of the first one's charges: records of the first run would hide its orders. */
    private static void requireTwoRuns(String options) {
        for (int i = 0; i < 2; i++) {
            Run run = Run.of((options + " --kills 0 --limit 10 --faults none --transit-ms 100").split(" "));

            assertThat(run.lastLine()).as(run.out() + run.err()).isEqualTo("effects=8 duplicates=0 lost=0 in-doubt=0");
            assertThat(run.out()).contains("kills=0");
        }
    }
}
