package dev.idempotency.cli;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditEntry.Act;
import dev.idempotency.store.AuditEntry.Phase;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.List;

/**
 * Where a page ends, as text that a person or a link can carry to the next one. Holds what a store sorts by and nothing else:
 * of a record its key and since when it is in its state, of an entry its time, act and phase.
 */
final class Cursors {
    /** The end of the year 9999. */
    private static final long LAST = 253_402_300_800_000_000L;

    private Cursors() {}

    static String of(IdempotencyRecord last) {
        IdempotencyKey key = last.key();
        return encode(micros(last.times().stateSince()), key.scope(), key.value());
    }

    static IdempotencyRecord record(String cursor) {
        List<String> parts = decode(cursor);
        Instant since = instant(parts.get(0));
        return new IdempotencyRecord(
                new IdempotencyKey(parts.get(1), parts.get(2)),
                1,
                null,
                State.IN_DOUBT,
                1,
                new AttemptToken("0".repeat(32)),
                1,
                "",
                new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null),
                null,
                null,
                List.of(),
                new IdempotencyRecord.Times(since, since, since, null, since, since));
    }

    static String of(AuditEntry last) {
        Instant at = last.at();
        return encode(at == null ? "0" : micros(at), last.id(), last.phase().name());
    }

    static AuditEntry entry(String cursor) {
        List<String> parts = decode(cursor);
        return new AuditEntry(
                parts.get(1),
                instant(parts.get(0)),
                new IdempotencyKey("cursor", "cursor"),
                1,
                new AttemptToken("0".repeat(32)),
                1,
                Act.OVERRIDE,
                Phase.valueOf(parts.get(2)),
                "",
                "",
                "",
                null,
                "");
    }

    private static String micros(Instant at) {
        return Long.toString(ChronoUnit.MICROS.between(Instant.EPOCH, at));
    }

    /** A cursor comes from a page's reader, and so may be anything. */
    private static Instant instant(String micros) {
        long number = Long.parseLong(micros);
        if (number < 0 || number > LAST) {
            throw new IllegalArgumentException("it is not one");
        }
        return Instant.EPOCH.plus(number, ChronoUnit.MICROS);
    }

    /** The parts cannot contain the character between them. */
    private static String encode(String... parts) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(String.join("\n", parts).getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> decode(String cursor) {
        String text = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
        List<String> parts = List.of(text.split("\n", -1));
        if (parts.size() != 3) {
            throw new IllegalArgumentException("it is not one");
        }
        return parts;
    }
}
