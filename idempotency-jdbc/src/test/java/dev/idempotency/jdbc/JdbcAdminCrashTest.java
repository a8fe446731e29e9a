package dev.idempotency.jdbc;

import dev.idempotency.store.AuditedStore;
import dev.idempotency.testkit.engine.AdminCrashContract;
import dev.idempotency.testkit.process.CrashMatrix;

final class JdbcAdminCrashTest extends AdminCrashContract {
    private static final String SCHEMA = Database.schema();
    private static final JdbcIdempotencyStore STORE = JdbcIdempotencyStore.builder(Database.pool())
            .schema(SCHEMA)
            .createSchema()
            .build();

    @Override
    protected Class<? extends CrashMatrix.Opener> opener() {
        return JdbcCrashMatrixTest.OnPostgres.class;
    }

    @Override
    protected String address() {
        return Database.server().jdbcUrl() + "#" + SCHEMA;
    }

    @Override
    protected AuditedStore store() {
        return STORE;
    }
}
