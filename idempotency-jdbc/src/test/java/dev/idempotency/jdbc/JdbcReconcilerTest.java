package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.engine.ReconcilerCases;

final class JdbcReconcilerTest extends ReconcilerCases {
    private final IdempotencyStore store = Database.store();

    @Override
    protected IdempotencyStore store() {
        return store;
    }
}
