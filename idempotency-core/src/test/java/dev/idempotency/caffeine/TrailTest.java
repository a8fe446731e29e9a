package dev.idempotency.caffeine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.AuditEntry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TrailTest {
    private static final IdempotencyKey KEY = new IdempotencyKey("charge", "o-1");

    private final Trail trail = new Trail(3);
    private final List<AuditEntry> appended = new ArrayList<>();

    private void append(int count) {
        for (int i = 0; i < count; i++) {
            var entry = new AuditEntry(
                    AttemptToken.random().value(),
                    null,
                    KEY,
                    1,
                    AttemptToken.random(),
                    1,
                    AuditEntry.Act.EXECUTED,
                    AuditEntry.Phase.INTENDED,
                    "ada",
                    "why",
                    "none",
                    null,
                    "");
            appended.add(trail.append(entry, () -> Instant.EPOCH));
        }
    }

    @Test
    void entries_moreThanThereIsRoomFor_loseTheOldest() {
        append(5);

        assertThat(trail.page(KEY, null, 10)).containsExactly(appended.get(4), appended.get(3), appended.get(2));
    }

    @Test
    void page_afterAnEntryThatIsGone_isTheEnd() {
        append(4);

        assertThat(trail.page(KEY, appended.get(0), 10)).isEmpty();
        assertThat(trail.page(null, appended.get(1), 10)).isEmpty();
        assertThat(trail.page(null, appended.get(2), 10)).containsExactly(appended.get(1));
    }
}
