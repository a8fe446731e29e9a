package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.junit.AuditedStoreContract;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.testkit.engine.EngineTestKit;

/** One line of a script of the trail is broken, on the real server: the contract must notice. */
final class ContractCatchesBrokenTrailScriptsTest {
    /** The store that {@link Candidate} is given; one engine runs at a time. */
    private static volatile AuditedStore candidate;

    /** The contract, run on {@link #candidate}. Not found by the build, only by these tests. */
    static final class Candidate extends AuditedStoreContract {
        @Override
        protected AuditedStore store() {
            return candidate;
        }

        @Override
        protected void elapse(Duration duration) {
            Redises.pass(duration);
        }
    }

    private enum Broken {
        APPENDS_AGAIN(
                "if not standing then\n  standing = bytes(clock())",
                "do\n  standing = bytes(clock())",
                "append_repeated_changesNothing"),
        FORGETS_THE_INDEX_OF_ALL(
                "redis.call('ZADD', KEYS[3], 0, entry .. ARGV[3])", "", "append_newEntry_standsAtTheStoresTime"),
        FORGETS_THE_INDEX_OF_THE_KEY("redis.call('ZADD', KEYS[2], 0, entry)", "", "audit_order_isNewestFirst"),
        READS_FROM_THE_NEWEST("KEYS[1], ARGV[1], '-'", "KEYS[1], '+', '-'", "audit_cursor_staysWhereItIs");

        private final String line;
        private final String instead;
        private final String noticedBy;

        Broken(String line, String instead, String noticedBy) {
            this.line = line;
            this.instead = instead;
            this.noticedBy = noticedBy;
        }

        String edit(String script) {
            return script.replace(line, instead);
        }
    }

    private static long failures(Script.All scripts, String test) {
        try (var store = Redises.standalone().scripts(scripts).build()) {
            candidate = store;
            var events = EngineTestKit.engine("junit-jupiter")
                    .selectors(selectMethod(Candidate.class, test, ""))
                    .execute()
                    .testEvents();
            assertThat(events.finished().count()).isPositive();
            return events.failed().count();
        }
    }

    @ParameterizedTest
    @EnumSource
    void contract_brokenScript_isNoticed(Broken broken) {
        assertThat(Script.All.load(broken::edit)).isNotEqualTo(Script.All.load());
        assertThat(failures(Script.All.load(), broken.noticedBy)).isZero();
        assertThat(failures(Script.All.load(broken::edit), broken.noticedBy)).isPositive();
    }
}
