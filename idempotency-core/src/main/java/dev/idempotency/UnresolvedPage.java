package dev.idempotency;

import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One page of the unresolved records that a query wants, out of the store's list of all. Not thread-safe. */
final class UnresolvedPage {
    private static final int READ_AT_ONCE = 200;

    private final IdempotencyStore store;
    private final Admin.Query query;
    private final List<IdempotencyRecord> page = new ArrayList<>();
    private @Nullable Instant youngest;

    UnresolvedPage(IdempotencyStore store, Admin.Query query) {
        this.store = store;
        this.query = query;
    }

    List<IdempotencyRecord> read() {
        boolean all = query.state() == null && query.scope() == null;
        int atOnce = all ? Math.min(READ_AT_ONCE, query.limit()) : READ_AT_ONCE;
        IdempotencyRecord last = query.after();
        while (true) {
            List<IdempotencyRecord> read = store.listUnresolved(last, atOnce);
            for (IdempotencyRecord record : read) {
                if (isTooYoung(record)) {
                    return page;
                }
                if (isWanted(record)) {
                    page.add(record);
                }
                if (page.size() == query.limit()) {
                    return page;
                }
            }
            if (read.size() < atOnce) {
                return page;
            }
            last = read.get(read.size() - 1);
        }
    }

    /** All that follow are younger still. */
    private boolean isTooYoung(IdempotencyRecord record) {
        if (query.atLeast().equals(Duration.ZERO)) {
            return false;
        }
        if (youngest == null) {
            // Only the store knows its time, and it tells with each find.
            youngest = store.find(record.key()).now().minus(query.atLeast());
        }
        return record.times().stateSince().isAfter(youngest);
    }

    private boolean isWanted(IdempotencyRecord record) {
        String scope = record.key().scope();
        return (query.state() == null || query.state() == record.state())
                && (query.scope() == null || scope.equals(query.scope()) || scope.startsWith(query.scope() + "/"));
    }
}
