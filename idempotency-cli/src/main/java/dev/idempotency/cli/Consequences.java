package dev.idempotency.cli;

import dev.idempotency.Fingerprint;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.StoredResult;
import org.jspecify.annotations.Nullable;

/** What an act will do, in the words that people confirm. */
final class Consequences {
    private static final String AS_NEW = " under a new reference (a new native key)";

    private Consequences() {}

    static String executed(@Nullable StoredResult result) {
        if (result == null) {
            return "The write has happened, and what came of it is not recorded: every caller is told so"
                    + ", and no call is made again.";
        }
        return result.kind() == StoredResult.Kind.DECLINED
                ? "The provider has declined: every caller is told so, with this reason, and no call is"
                        + " made again."
                : "The write has happened, with this result (" + result.size() + " bytes, codec " + result.codec()
                        + "): every caller gets it, if that is the operation's codec, and no call is made again."
                        + (result.codec().equals(OwnCodec.JSON)
                                ? " It stands in the store as it is, for whoever reads it."
                                : "");
    }

    static String notExecuted() {
        return "The write has not happened, and will not: every caller is told so, unless somebody opens"
                + " the key again.";
    }

    static String reExecute() {
        return "The write has not happened, and is to be made: when the program executes the same request the next time, it"
                + " calls the provider" + AS_NEW + ". Nothing is called now.";
    }

    static String reopen() {
        return "The key is open again for the same request: when the program executes it the next time, it calls the"
                + " provider" + AS_NEW + ". Nothing is called now.";
    }

    static String request(Fingerprint fingerprint) {
        return "Only your wish is written down: that the request " + Payloads.text(fingerprint)
                + " takes the place of the one that the key has. A second person has to approve it.";
    }

    static String withdraw() {
        return "Only your wish is written down: that what has opened the key is taken back. A second person has to approve it,"
                + " and nobody may have used the key since.";
    }

    static String approve(@Nullable AuditEntry request) {
        if (request != null && request.act() == AuditEntry.Act.WITHDRAW) {
            return "What has opened the key is taken back: what it had come to before counts again, for the request that it"
                    + " had then. Nothing is called.";
        }
        Fingerprint wished = request == null ? null : request.fingerprint();
        return "The key is open for "
                + (wished == null ? "the new request" : "the new request " + Payloads.text(wished))
                + " alone: when the program executes it the next time, it calls the provider" + AS_NEW
                + ". What the old request did at the provider is not undone.";
    }

    static String refuse() {
        return "The wish is refused, and the key stays as it is.";
    }
}
