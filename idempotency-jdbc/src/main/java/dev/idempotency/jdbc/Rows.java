package dev.idempotency.jdbc;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.UnknownFormatException;
import dev.idempotency.store.Write;
import java.io.IOException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Records as rows, and rows as records. */
final class Rows {
    private Rows() {}

    // ---- out

    /** Sets the parameters that {@link Statements} has for what a write changes; answers the next index. */
    static int bind(PreparedStatement statement, int first, Write write) throws SQLException {
        var parameters = new Parameters(statement, first);
        put(parameters, write);
        return parameters.next();
    }

    /** What a write changes, in the order of {@link Statements}. */
    static void put(Values values, Write write) throws SQLException {
        IdempotencyRecord next = write.next();
        Fingerprint fingerprint = next.fingerprint();
        StoredResult result = next.result();
        StoredRequest request = next.request();
        values.number((long) next.generation());
        values.text(fingerprint == null ? null : fingerprint.algorithm());
        values.text(fingerprint == null ? null : fingerprint.digest());
        values.text(next.state().name());
        values.number(next.version());
        values.text(next.token().value());
        values.number((long) next.attempt());
        values.text(next.nativeKey());
        values.text(next.terms().policy().name());
        values.text(next.terms().whenMissing().name());
        values.number(micros(next.terms().quiescence()));
        values.number(micros(roundedDown(next.terms().resendWithin())));
        values.text(result == null ? null : result.kind().name());
        values.text(result == null ? null : result.codec());
        values.bytes(result == null ? null : result.bytes());
        values.text(request == null ? null : request.codec());
        values.bytes(request == null ? null : request.bytes());
        values.text(EvidenceJson.write(next.evidence()));
        putTimes(values, write);
    }

    /** Each time is either one that the record had, or so long from now: now is the server's. */
    private static void putTimes(Values values, Write write) throws SQLException {
        Times old = write.next().times();
        State state = write.next().state();
        boolean inFlight = state == State.IN_FLIGHT;
        Long retention = micros(write.retention());
        values.time(write.created() ? null : old.createdAt());
        values.time(write.firstSent() ? null : old.firstSentAt());
        values.time(write.newState() ? null : old.stateSince());
        values.time(inFlight && write.lease() == null ? old.leaseUntil() : null);
        values.number(state.isUnresolved() ? micros(write.lease()) : null);
        // expires_at
        values.time(write.created() && retention != null ? null : old.expiresAt());
        values.number(retention);
        // forget_at
        values.time(retention == null ? old.forgetAt() : null);
        values.time(write.created() && retention != null ? null : old.expiresAt());
        values.number(retention);
        values.number(micros(write.tombstone()));
        // purge_at
        values.time(write.created() && retention != null ? null : old.expiresAt());
        values.number(retention);
    }

    /** The one span that must not grow: the provider's window does not. */
    private static @Nullable Duration roundedDown(@Nullable Duration window) {
        return window == null ? null : window.truncatedTo(ChronoUnit.MICROS);
    }

    /** Rounded up: a lease on the server must not end before the one that its owner counts. */
    private static @Nullable Long micros(@Nullable Duration duration) {
        return duration == null
                ? null
                : Math.addExact(
                        Math.multiplyExact(duration.getSeconds(), 1_000_000L), (duration.getNano() + 999L) / 1_000L);
    }

    /** Sets the parameters that say which key; answers the next index. */
    static int bindKey(
            PreparedStatement statement,
            int first,
            IdempotencyKey key,
            @Nullable Function<IdempotencyKey, LocalDate> dayOf)
            throws SQLException {
        int i = first;
        if (dayOf != null) {
            statement.setObject(i++, Partitions.day(key, dayOf));
        }
        statement.setString(i++, key.scope());
        statement.setString(i++, key.value());
        return i;
    }

    // ---- in

    /** @throws UnknownFormatException if the row holds what this version does not know */
    static IdempotencyRecord record(ResultSet row) throws SQLException {
        String name = row.getString("scope") + ":" + row.getString("key");
        try {
            return new IdempotencyRecord(
                    new IdempotencyKey(text(row, "scope"), text(row, "key")),
                    row.getInt("generation"),
                    fingerprint(row),
                    State.valueOf(text(row, "state")),
                    row.getLong("version"),
                    new AttemptToken(text(row, "token")),
                    row.getInt("attempt"),
                    text(row, "native_key"),
                    terms(row),
                    result(row),
                    request(row),
                    EvidenceJson.read(text(row, "evidence")),
                    times(row));
        } catch (IOException | RuntimeException e) {
            // Whatever is missing, out of bounds or in another notation.
            throw new UnknownFormatException("The record of " + name, false, e);
        }
    }

    private static @Nullable Fingerprint fingerprint(ResultSet row) throws SQLException {
        String algorithm = row.getString("fingerprint_algorithm");
        return algorithm == null ? null : new Fingerprint(algorithm, text(row, "fingerprint"));
    }

    private static RecoveryTerms terms(ResultSet row) throws SQLException {
        return new RecoveryTerms(
                RecoveryTerms.Policy.valueOf(text(row, "recovery")),
                RecoveryTerms.WhenMissing.valueOf(text(row, "when_missing")),
                duration(row, "quiescence_micros"),
                duration(row, "resend_within_micros"));
    }

    private static @Nullable StoredResult result(ResultSet row) throws SQLException {
        String kind = row.getString("result_kind");
        return kind == null
                ? null
                : new StoredResult(StoredResult.Kind.valueOf(kind), text(row, "result_codec"), row.getBytes("result"));
    }

    private static @Nullable StoredRequest request(ResultSet row) throws SQLException {
        String codec = row.getString("request_codec");
        return codec == null ? null : new StoredRequest(codec, row.getBytes("request"));
    }

    private static Times times(ResultSet row) throws SQLException {
        OffsetDateTime leaseUntil = row.getObject("lease_until", OffsetDateTime.class);
        return new Times(
                instant(row, "created_at"),
                instant(row, "first_sent_at"),
                instant(row, "state_since"),
                leaseUntil == null ? null : leaseUntil.toInstant(),
                instant(row, "expires_at"),
                instant(row, "forget_at"));
    }

    static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    private static String text(ResultSet row, String column) throws SQLException {
        return Objects.requireNonNull(row.getString(column), column);
    }

    private static @Nullable Duration duration(ResultSet row, String column) throws SQLException {
        long micros = row.getLong(column);
        return row.wasNull() ? null : Duration.ofSeconds(micros / 1_000_000L, micros % 1_000_000L * 1_000L);
    }
}
