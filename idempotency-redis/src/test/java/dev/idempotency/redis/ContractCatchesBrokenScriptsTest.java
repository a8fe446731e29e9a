package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.State;
import dev.idempotency.testkit.junit.AuditedStoreContract;
import dev.idempotency.testkit.junit.IdempotencyStoreContract;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.platform.testkit.engine.EngineTestKit;

/** One line of a script is broken, on the real server: the contract must notice. */
final class ContractCatchesBrokenScriptsTest {
    /** The store that a candidate is given; one engine runs at a time. */
    private static volatile RedisIdempotencyStore candidate;

    /** The contract, run on {@link #candidate}. Not found by the build, only by these tests. */
    static final class Candidate extends IdempotencyStoreContract {
        @Override
        protected IdempotencyStore store() {
            return candidate;
        }

        @Override
        protected void elapse(Duration duration) {
            Redises.pass(duration);
        }
    }

    /** The same for the trail. */
    static final class TrailCandidate extends AuditedStoreContract {
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
        RESERVES_WHAT_IS_RESERVED(
                "if standing then\n  return {0, standing, at}",
                "if false then\n  return {0, standing, at}",
                "reserve_repeated_writesNothing"),
        REPLACES_WHATEVER_STANDS(
                "string.sub(standing, STATE + 1, TOKEN) ~= ARGV[1]", "false", "replace_staleToken_isRefused"),
        COMPARES_THE_VERSION_ONLY(
                "string.sub(standing, STATE + 1, TOKEN) ~= ARGV[1]",
                "string.sub(standing, 3, 10) ~= string.sub(ARGV[1], 1, 8)",
                "replace_staleToken_isRefused"),
        LETS_LIVE_RECORDS_EXPIRE(
                "if is_unresolved then\n    redis.call('SET', key, value)",
                "if false then\n    redis.call('SET', key, value)",
                "unresolved_anyTimeAndPurge_stands"),
        FORGETS_TO_LIST(
                "redis.call('ZADD', unresolved_index, 0, unresolved_after)",
                "",
                "list_mixedStates_hasTheUnresolvedOnes"),
        LISTS_WHAT_IS_RESOLVED(
                "redis.call('ZREM', unresolved_index, unresolved_before)", "", "list_mixedStates_hasTheUnresolvedOnes"),
        MOVES_RENEWED_RECORDS("if is_new_state == YES then", "do", "list_order_isByTimeOfState"),
        SHORTENS_RETENTIONS("if is_created or wanted > expires then", "do", "times_retention_onlyEverGrows"),
        PURGES_THE_WHOLE_RECORD(
                "redis.call('SET', tag .. own, without_result(value), 'KEEPTTL')",
                "redis.call('DEL', tag .. own)",
                "retention_over_losesTheResultAndKeepsTheRecord"),
        NEVER_PURGES("if due_after and due_after ~= due_before then", "if false then", "purge_limit_isKept"),
        KEEPS_SECONDS_ONLY("time[1] * 1000000 + time[2]", "time[1] * 1000000", "list_order_isByTimeOfState"),
        APPENDS_AGAIN(
                TrailCandidate.class,
                "if not standing then\n  standing = bytes(clock())",
                "do\n  standing = bytes(clock())",
                "append_repeated_changesNothing"),
        FORGETS_THE_INDEX_OF_ALL_ENTRIES(
                TrailCandidate.class,
                "redis.call('ZADD', KEYS[3], 0, entry .. ARGV[3])",
                "",
                "append_newEntry_standsAtTheStoresTime"),
        FORGETS_THE_INDEX_OF_A_KEYS_ENTRIES(
                TrailCandidate.class, "redis.call('ZADD', KEYS[2], 0, entry)", "", "audit_order_isNewestFirst"),
        READS_FROM_THE_NEWEST_ENTRY(
                TrailCandidate.class, "KEYS[1], ARGV[1], '-'", "KEYS[1], '+', '-'", "audit_cursor_staysWhereItIs");

        private final Class<?> contract;
        private final String line;
        private final String instead;
        private final String noticedBy;

        Broken(String line, String instead, String noticedBy) {
            this(Candidate.class, line, instead, noticedBy);
        }

        Broken(Class<?> contract, String line, String instead, String noticedBy) {
            this.contract = contract;
            this.line = line;
            this.instead = instead;
            this.noticedBy = noticedBy;
        }

        String edit(String script) {
            return script.replace(line, instead);
        }
    }

    private static long failures(Script.All scripts, Class<?> contract, String test) {
        try (var store = Redises.standalone().scripts(scripts).build()) {
            candidate = store;
            var parameters = test.equals("unresolved_anyTimeAndPurge_stands") ? State.class.getName() : "";
            var events = EngineTestKit.engine("junit-jupiter")
                    .selectors(selectMethod(contract, test, parameters))
                    .execute()
                    .testEvents();
            assertThat(events.finished().count()).isPositive();
            return events.failed().count();
        }
    }

    @ParameterizedTest
    @EnumSource
    void contract_brokenScript_isNoticed(Broken broken) {
        assertThat(failures(Script.All.load(), broken.contract, broken.noticedBy))
                .isZero();
        assertThat(failures(Script.All.load(broken::edit), broken.contract, broken.noticedBy))
                .isPositive();
    }

    @ParameterizedTest
    @EnumSource
    void edit_ofEachVariant_changesAScript(Broken broken) {
        var whole = Script.All.load();
        var edited = Script.All.load(broken::edit);

        assertThat(edited).isNotEqualTo(whole);
    }
}
