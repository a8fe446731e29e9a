package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.UnknownFormatException;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RowsTest {
    /** A lease and a waiting period may be longer than asked for, a window shorter: never the other way round. */
    @Test
    void record_spansBelowAMicrosecond_areRoundedToTheSafeSide() {
        var store = Database.store();
        var odd = Duration.ofSeconds(30, 1);
        var first = Writes.reservation(Writes.key()).next();
        var terms = new RecoveryTerms(first.terms().policy(), first.terms().whenMissing(), odd, odd);
        var next = first.with().terms(terms).build();

        store.reserve(new Write(next, true, true, true, odd, Writes.RETENTION, Duration.ZERO));

        var record = store.find(next.key()).record();
        var times = record.times();
        assertThat(Duration.between(times.createdAt(), times.leaseUntil()))
                .isEqualTo(Duration.ofNanos(30_000_001_000L));
        assertThat(record.terms().quiescence()).isEqualTo(Duration.ofNanos(30_000_001_000L));
        assertThat(record.terms().resendWithin()).isEqualTo(Duration.ofSeconds(30));
    }

    /** An attempt that was superseded answers late, with as much as a result may have. */
    @Test
    void record_withALateAnswerOfSixteenMegabytes_canBeRead() {
        var store = Database.store();
        var bytes = new byte[16_000_000];
        Arrays.fill(bytes, (byte) 'a');
        var late = new StoredResult(StoredResult.Kind.RESULT, "json", bytes);
        var reserved = Objects.requireNonNull(
                store.reserve(Writes.reservation(Writes.key())).record());
        var next = reserved.with()
                .version(reserved.version() + 1)
                .evidence(List.of(new Evidence(Evidence.Kind.LATE_RESULT, Instant.EPOCH, 1, "", late)))
                .build();

        assertThat(store.replace(reserved, new Write(next, false, false, false, Writes.LEASE, null, Duration.ZERO))
                        .applied())
                .isTrue();

        assertThat(Objects.requireNonNull(store.find(next.key()).record())
                        .evidence()
                        .get(0)
                        .result())
                .isEqualTo(late);
    }

    /** What a newer version or a person has written into one row keeps nobody from the others. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "recovery = 'UNHEARD_OF'",
                "evidence = '[{\"kind\": \"FOUND\", \"at\": \"yesterday\"}]'",
                "version = -1",
                "request_codec = 'json'"
            })
    void unresolvedRecord_thatCannotBeRead_hidesNoOtherOne(String change) {
        var store = Database.store();
        List<IdempotencyKey> keys = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            IdempotencyKey key = Writes.key();
            keys.add(key);
            store.reserve(Writes.reservation(key));
        }
        // All of the first page, and one of the second.
        List<IdempotencyKey> unreadable = List.of(keys.get(0), keys.get(1), keys.get(3));
        Jdbi.create(Database.pool()).useHandle(handle -> {
            for (IdempotencyKey key : unreadable) {
                handle.execute("UPDATE " + store.table().quoted() + " SET " + change + " WHERE key = ?", key.value());
            }
        });

        List<IdempotencyKey> listed = new ArrayList<>();
        IdempotencyRecord after = null;
        for (var page = store.listUnresolved(after, 2); !page.isEmpty(); page = store.listUnresolved(after, 2)) {
            page.forEach(record -> listed.add(record.key()));
            after = page.get(page.size() - 1);
        }

        keys.removeAll(unreadable);
        assertThat(listed).containsExactlyElementsOf(keys);
        assertThatThrownBy(() -> store.find(unreadable.get(0))).isInstanceOf(UnknownFormatException.class);
    }
}
