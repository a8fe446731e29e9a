package dev.idempotency.cli;

import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the library's terms mean, for people who support customers and have not written the program. */
final class Wording {
    private static final String A_PERSON = "a person has to decide";

    private Wording() {}

    /** What the program does about a doubt without anybody. */
    static String byItself(RecoveryTerms terms) {
        Duration window = terms.resendWithin();
        String again = "The program sends the request to the provider again under the same reference"
                + (window == null ? "" : ", for " + Spans.text(window) + " from the first time on");
        return switch (terms.policy()) {
            case HOLD -> "Nothing. Unless the provider's answer still arrives, " + A_PERSON + ".";
            case LOOKUP -> "The program asks the provider. If the provider has nothing, " + missing(terms) + ".";
            case NATIVE -> again + ". After that, " + A_PERSON + ".";
            case NATIVE_THEN_LOOKUP ->
                again + ". After that it asks the provider, and if the provider has nothing, " + missing(terms) + ".";
            case SEAL ->
                "The program asks the provider, which refuses the request for ever if it has not had it. If it has nothing, "
                        + missing(terms) + ".";
            case SAME_TRANSACTION -> "The program makes the call again: the one before has left nothing behind.";
        };
    }

    private static String missing(RecoveryTerms terms) {
        Duration wait = terms.quiescence();
        return switch (terms.whenMissing()) {
                    case HOLD -> A_PERSON;
                    case REEXECUTE -> "the call is made again";
                    case CLOSE -> "the key is closed as not executed";
                }
                + (wait == null ? "" : ", after a wait of " + Spans.text(wait));
    }

    /** How the key came to where it stands: the latest line of its history. */
    static String reason(IdempotencyRecord record, @Nullable Instant now) {
        if (Listing.isLeaseOver(record, now)) {
            return "The program that made the call stopped, or was cut off, before it had an answer";
        }
        List<Evidence> history = record.evidence();
        if (history.isEmpty()) {
            return "The call is being made";
        }
        Evidence latest = history.get(history.size() - 1);
        return happened(latest.kind()) + (latest.detail().isEmpty() ? "" : ": " + latest.detail());
    }

    static String happened(Evidence.Kind kind) {
        return switch (kind) {
            case IN_DOUBT -> "No clear answer";
            case LAPSED -> "The program that made the call stopped, or was cut off";
            case RELEASED -> "Nothing was sent";
            case LATE_RESULT -> "The provider's answer came late";
            case FOUND -> "The provider has it";
            case RESENT -> "Sent again under the same reference";
            case REEXECUTED -> "The provider had nothing, and was called again";
            case TAKEN_OVER -> "Another run of the program took over";
            case CLOSED -> "Closed as not executed";
            case SUPERSEDED -> "The answer of an older call arrived";
            case CONFLICT -> "A second answer, and it is a different one";
            case CONTRADICTION -> "An answer, although the key was closed as not executed";
            case DUPLICATE -> "An older call was answered differently: it may have been done twice";
            case OVERRIDE -> "Opened again by people";
        };
    }
}
