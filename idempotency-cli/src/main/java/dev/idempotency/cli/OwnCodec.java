package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.StoredResult;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The codec that an operation writes its results with: another one's result could be read by no caller, for good, and one that
 * is not encrypted could be read by everybody who reads the store. Nothing but the operation knows its codec for certain.
 */
final class OwnCodec {
    static final String JSON = "json";

    private OwnCodec() {}

    /** Refuses a result of another codec than the one that the key's own results were written with, if it has any. */
    static void require(Admin admin, IdempotencyKey key, @Nullable StoredResult given) {
        if (given == null || given.kind() != StoredResult.Kind.RESULT) {
            return;
        }
        Admin.Review review = admin.review(key);
        Set<String> own = review == null ? Set.of() : of(review.record());
        if (!own.isEmpty() && !own.contains(given.codec())) {
            throw Failure.usage(
                    "The operation writes its results with the codec " + String.join(" or ", own) + ", and not with "
                            + given.codec() + ": no caller could read this one. Say that the result is not known");
        }
    }

    private static Set<String> of(IdempotencyRecord record) {
        Set<String> codecs = new TreeSet<>();
        add(codecs, record.result());
        for (Evidence line : record.evidence()) {
            add(codecs, line.result());
        }
        return codecs;
    }

    private static void add(Set<String> codecs, @Nullable StoredResult result) {
        if (result != null && result.kind() == StoredResult.Kind.RESULT) {
            codecs.add(result.codec());
        }
    }
}
