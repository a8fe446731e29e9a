package dev.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.Write;
import java.time.Duration;
import org.junit.jupiter.api.Test;

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
}
