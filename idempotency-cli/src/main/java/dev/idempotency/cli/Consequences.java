package dev.idempotency.cli;

import dev.idempotency.Fingerprint;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.StoredResult;
import org.jspecify.annotations.Nullable;

/** What an act will do, in the words that people confirm. */
final class Consequences {
    private Consequences() {}

    static String executed(@Nullable StoredResult result) {
        if (result == null) {
            return "The key is completed without a result: the write has happened. Every caller gets"
                    + " ResultUnavailableException, and no call is made again.";
        }
        return result.kind() == StoredResult.Kind.DECLINED
                ? "The key is completed: the provider has declined the write. Every caller gets DeclinedException with"
                        + " this reason, and no call is made again."
                : "The key is completed with this result (" + result.size() + " bytes, codec " + result.codec()
                        + "): every caller gets it, if that is the operation's codec, and no call is made again."
                        + (result.codec().equals(OwnCodec.JSON)
                                ? " It stands in the store as it is, for whoever reads it."
                                : "");
    }

    static String notExecuted() {
        return "The key is closed: the write has not happened, and will not. Every caller gets NotExecutedException,"
                + " unless somebody reopens the key.";
    }

    static String reExecute(IdempotencyRecord record) {
        return "The write has not happened, and is to be made: the next execution of the same payload makes the call, in"
                + next(record) + ". Nothing is called now.";
    }

    static String reopen(IdempotencyRecord record) {
        return "The closed key is open for its own payload: its next execution makes the call, in" + next(record)
                + ". Nothing is called now.";
    }

    static String request(Fingerprint fingerprint) {
        return "Only the audit trail is written: the wish that the payload " + Payloads.text(fingerprint)
                + " takes over the key. A second person has to approve it.";
    }

    static String approve(IdempotencyRecord record, @Nullable AuditEntry request) {
        Fingerprint wished = request == null ? null : request.fingerprint();
        return "The key is open for "
                + (wished == null ? "the payload of the request" : "the payload " + Payloads.text(wished))
                + " alone: its next execution makes the call, in" + next(record)
                + ". What the old payload did at the provider is not undone.";
    }

    static String refuse() {
        return "Only the audit trail is written: the request is refused, and the key stays as it is.";
    }

    private static String next(IdempotencyRecord record) {
        return " generation " + (record.generation() + 1) + " and with a new native key";
    }
}
