package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.process.CrashMatrix;
import org.postgresql.ds.PGSimpleDataSource;

/** The crash matrix on a real PostgreSQL. */
final class JdbcCrashMatrixTest extends CrashMatrix {
    private static final String SCHEMA = Database.schema();

    /** A connection for each statement: a process that is about to die needs no pool. */
    static final class OnPostgres implements Opener {
        @Override
        public IdempotencyStore open(String address) {
            int end = address.lastIndexOf('#');
            var dataSource = new PGSimpleDataSource();
            dataSource.setUrl(address.substring(0, end));
            return JdbcIdempotencyStore.on(dataSource)
                    .schema(address.substring(end + 1))
                    .createSchema()
                    .open();
        }
    }

    @Override
    protected Class<? extends Opener> opener() {
        return OnPostgres.class;
    }

    @Override
    protected String address() {
        return Database.server().jdbcUrl() + "#" + SCHEMA;
    }
}
