package dev.idempotency.jdbc;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.StoreException;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** The partitions of a table that is partitioned by the day of the key, one for each day. */
final class Partitions {
    private static final DateTimeFormatter SUFFIX = DateTimeFormatter.ofPattern("uuuuMMdd", Locale.ROOT);

    private final Table table;

    Partitions(Table table) {
        this.table = table;
    }

    static LocalDate day(IdempotencyKey key, Function<IdempotencyKey, LocalDate> dayOf) {
        @Nullable LocalDate day;
        try {
            day = dayOf.apply(key);
        } catch (Exception | StackOverflowError | LinkageError | AssertionError e) {
            throw noDay(key, "it threw " + e.getClass().getSimpleName(), e);
        }
        if (day == null) {
            throw noDay(key, "it answered null", null);
        }
        return day;
    }

    private static StoreException noDay(IdempotencyKey key, String what, @Nullable Throwable cause) {
        return StoreException.notRetryable(
                "The day of the key " + key + " cannot be told, and nothing was sent: the function that was given to"
                        + " partitionedByDay must have a day for each key, and " + what
                        + ". A value that is too long to be kept as it is stands in the key as its digest, without its day",
                cause);
    }

    private String name(LocalDate day) {
        return table.name() + "_" + SUFFIX.format(day);
    }

    /** Partitions that are there already are left alone. Answers how many days there are. */
    int create(Handle handle, LocalDate first, LocalDate last) {
        int days = 0;
        for (LocalDate day = first; !day.isAfter(last); day = day.plusDays(1)) {
            handle.execute("CREATE TABLE IF NOT EXISTS " + table.quoted(name(day)) + " PARTITION OF " + table.quoted()
                    + " FOR VALUES FROM ('" + day + "') TO ('" + day.plusDays(1) + "')");
            days++;
        }
        return days;
    }

    /** The quoted names of all partitions, the oldest first. */
    List<String> all(Handle handle) {
        return handle
                .createQuery(
                        "SELECT p.relname FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p ON p.oid = i.inhrelid"
                                + " WHERE i.inhparent = CAST(:table AS regclass) ORDER BY p.relname")
                .bind("table", table.quoted())
                .mapTo(String.class)
                .stream()
                .map(table::quoted)
                .toList();
    }

    /**
     * Drops a day, unless it holds anything that must be kept. The lock keeps writers out between the look and the drop;
     * waiting for it is bounded, because everybody else queues behind it.
     *
     * @return whether the partition is gone
     */
    boolean drop(Handle handle, LocalDate day) {
        String partition = table.quoted(name(day));
        return handle.inTransaction(transaction -> {
            transaction.execute("SET LOCAL lock_timeout = '1s'");
            if (!isThere(transaction, partition)) {
                return true;
            }
            transaction.execute("LOCK TABLE " + table.quoted() + " IN ACCESS EXCLUSIVE MODE");
            if (!isThere(transaction, partition)) {
                // Another process had the lock before.
                return true;
            }
            boolean holdsLive = transaction
                    .createQuery(Statements.holdsLive(partition))
                    .mapTo(Boolean.class)
                    .one();
            if (!holdsLive) {
                transaction.execute("DROP TABLE " + partition);
            }
            return !holdsLive;
        });
    }

    private static boolean isThere(Handle transaction, String partition) {
        return transaction
                .createQuery("SELECT pg_catalog.to_regclass(:partition) IS NOT NULL")
                .bind("partition", partition)
                .mapTo(Boolean.class)
                .one();
    }
}
