package dev.idempotency.jdbc;

import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.process.CrashMatrix;
import java.time.Instant;
import java.util.List;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.postgresql.ds.PGSimpleDataSource;

/** The crash matrix on a real PostgreSQL. */
final class JdbcCrashMatrixTest extends CrashMatrix {
    private static final String SCHEMA = schema();

    private static String schema() {
        String schema = Database.schema();
        Jdbi.create(Database.pool())
                .useHandle(handle ->
                        handle.execute("CREATE TABLE " + schema + ".effect (id text, reference text, payload text)"));
        return schema;
    }

    /** A connection for each statement: a process that is about to die needs no pool. */
    static final class OnPostgres implements TransactionalOpener<Handle> {
        private String schema = "";

        private DataSource dataSource(String address) {
            int end = address.lastIndexOf('#');
            schema = address.substring(end + 1);
            var dataSource = new PGSimpleDataSource();
            dataSource.setUrl(address.substring(0, end));
            return dataSource;
        }

        @Override
        public JdbcIdempotencyStore open(String address) {
            DataSource dataSource = dataSource(address);
            return JdbcIdempotencyStore.builder(dataSource)
                    .schema(schema)
                    .createSchema()
                    .build();
        }

        @Override
        public void write(Handle transaction, Effect effect) {
            transaction.execute(
                    "INSERT INTO " + schema + ".effect VALUES (?, ?, ?)",
                    effect.effectId(),
                    effect.reference(),
                    effect.payload());
        }

        @Override
        public List<Effect> effects(String address) {
            return Jdbi.create(dataSource(address))
                    .withHandle(handle -> handle.createQuery("SELECT id, reference, payload FROM " + schema + ".effect")
                            .map((row, context) -> new Effect(
                                    row.getString(1),
                                    null,
                                    row.getString(2),
                                    row.getString(3),
                                    Instant.EPOCH,
                                    row.getString(1)))
                            .list());
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
