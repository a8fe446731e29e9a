package dev.idempotency.jdbc;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.Write;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A step that shares a statement with others: a find when there is nothing to write, a reservation when nothing is expected,
 * and a replacement otherwise.
 *
 * @param key which record
 * @param day the key's day; null where the table has none
 * @param expected what must stand
 * @param write what is to be written
 * @param outcome completes with the answer; with none if the step has to be taken by itself; or with a StoreException
 */
record Member(
        IdempotencyKey key,
        @Nullable LocalDate day,
        @Nullable IdempotencyRecord expected,
        @Nullable Write write,
        CompletableFuture<Optional<Snapshot>> outcome) {
    /** The order in which every process writes, so that two that share keys do not wait for each other. */
    static final Comparator<Member> BY_KEY =
            Comparator.comparing((Member member) -> member.key.scope()).thenComparing(member -> member.key.value());

    /** Results beyond this are not worth gathering. */
    private static final int LARGEST = 32 * 1024;

    Member(IdempotencyKey key, @Nullable LocalDate day, @Nullable IdempotencyRecord expected, @Nullable Write write) {
        this(key, day, expected, write, new CompletableFuture<>());
    }

    boolean isSmall() {
        if (write == null) {
            return true;
        }
        IdempotencyRecord next = write.next();
        int result = next.result() == null ? 0 : next.result().size();
        int request = next.request() == null ? 0 : next.request().bytes().length;
        return result + request <= LARGEST;
    }
}
