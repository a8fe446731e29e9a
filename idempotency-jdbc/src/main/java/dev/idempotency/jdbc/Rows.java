package dev.idempotency.jdbc;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.io.IOException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Records as rows, and rows as records. */
final class Rows {
    private Rows() {}

    // ---- out

    /** Sets the parameters that {@link Statements} has for what a write changes, in its order; answers the next index. */
    static int bind(PreparedStatement statement, int first, Write write) throws SQLException {
        IdempotencyRecord next = write.next();
        Fingerprint fingerprint = next.fingerprint();
        StoredResult result = next.result();
        StoredRequest request = next.request();
        int i = first;
        statement.setInt(i++, next.generation());
        statement.setString(i++, fingerprint == null ? null : fingerprint.algorithm());
        statement.setString(i++, fingerprint == null ? null : fingerprint.digest());
        statement.setString(i++, next.state().name());
        statement.setLong(i++, next.version());
        statement.setString(i++, next.token().value());
        statement.setInt(i++, next.attempt());
        statement.setString(i++, next.nativeKey());
        statement.setString(i++, next.terms().policy().name());
        statement.setString(i++, next.terms().whenMissing().name());
        micros(statement, i++, next.terms().quiescence());
        micros(statement, i++, roundedDown(next.terms().resendWithin()));
        statement.setString(i++, result == null ? null : result.kind().name());
        statement.setString(i++, result == null ? null : result.codec());
        statement.setBytes(i++, result == null ? null : result.bytes());
        statement.setString(i++, request == null ? null : request.codec());
        statement.setBytes(i++, request == null ? null : request.bytes());
        statement.setString(i++, EvidenceJson.write(next.evidence()));
        return bindTimes(statement, i, write);
    }

    /** Each time is either one that the record had, or so long from now: now is the server's. */
    private static int bindTimes(PreparedStatement statement, int first, Write write) throws SQLException {
        Times old = write.next().times();
        State state = write.next().state();
        boolean inFlight = state == State.IN_FLIGHT;
        Duration retention = write.retention();
        int i = first;
        time(statement, i++, write.created() ? null : old.createdAt());
        time(statement, i++, write.firstSent() ? null : old.firstSentAt());
        time(statement, i++, write.newState() ? null : old.stateSince());
        time(statement, i++, inFlight && write.lease() == null ? old.leaseUntil() : null);
        micros(statement, i++, state.isUnresolved() ? write.lease() : null);
        // expires_at
        time(statement, i++, write.created() && retention != null ? null : old.expiresAt());
        micros(statement, i++, retention);
        // forget_at
        time(statement, i++, retention == null ? old.forgetAt() : null);
        time(statement, i++, write.created() && retention != null ? null : old.expiresAt());
        micros(statement, i++, retention);
        micros(statement, i++, write.tombstone());
        return i;
    }

    static void time(PreparedStatement statement, int index, @Nullable Instant time) throws SQLException {
        if (time == null) {
            statement.setNull(index, Types.TIMESTAMP_WITH_TIMEZONE);
        } else {
            statement.setObject(index, time.atOffset(ZoneOffset.UTC));
        }
    }

    /** The one span that must not grow: the provider's window does not. */
    private static @Nullable Duration roundedDown(@Nullable Duration window) {
        return window == null ? null : window.truncatedTo(ChronoUnit.MICROS);
    }

    private static void micros(PreparedStatement statement, int index, @Nullable Duration duration)
            throws SQLException {
        if (duration == null) {
            statement.setNull(index, Types.BIGINT);
        } else {
            statement.setLong(index, micros(duration));
        }
    }

    /** Rounded up: a lease on the server must not end before the one that its owner counts. */
    private static long micros(Duration duration) {
        return Math.addExact(
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

    /** @throws StoreException if the row holds what this version does not know */
    static IdempotencyRecord record(ResultSet row) throws SQLException {
        var key = new IdempotencyKey(text(row, "scope"), text(row, "key"));
        try {
            return new IdempotencyRecord(
                    key,
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
        } catch (IOException | IllegalArgumentException e) {
            throw new StoreException(
                    "The record of " + key + " cannot be read; was it written by a newer version?", false, e);
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
