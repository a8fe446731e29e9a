package dev.idempotency.redis;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.RecoveryTerms.Policy;
import dev.idempotency.store.RecoveryTerms.WhenMissing;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.UnknownFormatException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A record as one string of bytes: what {@code record.lua} describes. The head is for the scripts, the rest and the result
 * are for Java only. A constant is stored by its place in a list of this class: add to the end of a list, change no place.
 */
final class RecordFormat {
    /** The longest span that is told apart from for ever: three of them still fit into 63 bits of microseconds. */
    private static final long LONGEST_MICROS = Long.MAX_VALUE / 4;

    private static final byte FORMAT = 1;
    private static final List<State> STATES =
            List.of(State.OPEN, State.IN_FLIGHT, State.IN_DOUBT, State.COMPLETED, State.CLOSED);
    private static final String STATE_LETTERS = "OFDCX";
    private static final List<Policy> POLICIES = List.of(
            Policy.HOLD, Policy.LOOKUP, Policy.NATIVE, Policy.NATIVE_THEN_LOOKUP, Policy.SEAL, Policy.SAME_TRANSACTION);
    private static final List<WhenMissing> WHEN_MISSING =
            List.of(WhenMissing.HOLD, WhenMissing.REEXECUTE, WhenMissing.CLOSE);
    private static final List<StoredResult.Kind> RESULTS =
            List.of(StoredResult.Kind.RESULT, StoredResult.Kind.DECLINED);
    private static final List<Evidence.Kind> EVIDENCE = List.of(
            Evidence.Kind.IN_DOUBT,
            Evidence.Kind.LAPSED,
            Evidence.Kind.RELEASED,
            Evidence.Kind.LATE_RESULT,
            Evidence.Kind.FOUND,
            Evidence.Kind.RESENT,
            Evidence.Kind.REEXECUTED,
            Evidence.Kind.TAKEN_OVER,
            Evidence.Kind.CLOSED,
            Evidence.Kind.SUPERSEDED,
            Evidence.Kind.CONFLICT,
            Evidence.Kind.CONTRADICTION,
            Evidence.Kind.DUPLICATE,
            Evidence.Kind.OVERRIDE);
    private static final int TIMES = 7 * Long.BYTES;

    private RecordFormat() {}

    private static <E extends Enum<E>> int place(List<E> places, E constant) {
        int place = places.indexOf(constant);
        if (place < 0) {
            throw new IllegalStateException(constant + " has no place in the format of a record");
        }
        return place;
    }

    /** Version and token: what a replacement compares. */
    static byte[] mark(IdempotencyRecord record) {
        return ByteBuffer.allocate(24)
                .putLong(record.version())
                .put(HexFormat.of().parseHex(record.token().value()))
                .array();
    }

    /** State, version and token of a record to be written. */
    static byte[] head(IdempotencyRecord next) {
        return ByteBuffer.allocate(25)
                .put((byte) STATE_LETTERS.charAt(place(STATES, next.state())))
                .put(mark(next))
                .array();
    }

    /** Everything of a record to be written that the scripts do not look into. */
    static byte[] body(IdempotencyRecord next) {
        var rest = new Bytes();
        rest.number(next.generation());
        rest.number(next.attempt());
        rest.text(next.nativeKey());
        Fingerprint fingerprint = next.fingerprint();
        rest.flag(fingerprint != null);
        if (fingerprint != null) {
            rest.text(fingerprint.algorithm());
            rest.text(fingerprint.digest());
        }
        rest.number(place(POLICIES, next.terms().policy()));
        rest.number(place(WHEN_MISSING, next.terms().whenMissing()));
        duration(rest, next.terms().quiescence());
        duration(rest, roundedDown(next.terms().resendWithin()));
        StoredRequest request = next.request();
        rest.flag(request != null);
        if (request != null) {
            rest.text(request.codec());
            rest.bytes(request.bytes());
        }
        rest.number(next.evidence().size());
        for (Evidence line : next.evidence()) {
            rest.number(place(EVIDENCE, line.kind()));
            rest.number(micros(line.at()));
            rest.number(line.attempt());
            rest.text(line.detail());
            StoredResult result = line.result();
            rest.flag(result != null);
            if (result != null) {
                result(rest, result);
            }
        }
        var all = new Bytes();
        all.int32(rest.size());
        all.raw(rest.toByteArray());
        StoredResult result = next.result();
        if (result != null) {
            result(all, result);
        }
        return all.toByteArray();
    }

    /** The one span that must not grow: the provider's window does not. */
    private static @Nullable Duration roundedDown(@Nullable Duration window) {
        return window == null ? null : window.truncatedTo(ChronoUnit.MICROS);
    }

    private static void duration(Bytes out, @Nullable Duration duration) {
        out.flag(duration != null);
        if (duration != null) {
            out.number(micros(duration));
        }
    }

    private static void result(Bytes out, StoredResult result) {
        out.number(place(RESULTS, result.kind()));
        out.text(result.codec());
        out.bytes(result.bytes());
    }

    /** A record that stands. */
    static IdempotencyRecord decode(IdempotencyKey key, byte[] value) {
        try {
            ByteBuffer in = ByteBuffer.wrap(value);
            if (in.get() != FORMAT) {
                throw new UnknownFormatException("The record of " + key, false, null);
            }
            State state = STATES.get(STATE_LETTERS.indexOf(in.get()));
            long version = in.getLong();
            var token = new byte[16];
            in.get(token);
            Times times = times(in);
            ByteBuffer rest = in.slice(in.position() + Integer.BYTES, in.getInt());
            ByteBuffer after = in.position(in.position() + rest.remaining());
            var bytes = new Bytes.Reader(rest);
            int generation = bytes.int32();
            int attempt = bytes.int32();
            String nativeKey = bytes.text();
            Fingerprint fingerprint = bytes.flag() ? new Fingerprint(bytes.text(), bytes.text()) : null;
            var terms = new RecoveryTerms(
                    POLICIES.get(bytes.int32()), WHEN_MISSING.get(bytes.int32()), duration(bytes), duration(bytes));
            StoredRequest request = bytes.flag() ? new StoredRequest(bytes.text(), bytes.bytes()) : null;
            return new IdempotencyRecord(
                    key,
                    generation,
                    fingerprint,
                    state,
                    version,
                    new AttemptToken(HexFormat.of().formatHex(token)),
                    attempt,
                    nativeKey,
                    terms,
                    after.hasRemaining() ? result(new Bytes.Reader(after)) : null,
                    request,
                    evidence(bytes),
                    times);
        } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new StoreException(
                    "The record of " + key + " cannot be read: it is not one of this library", false, e);
        }
    }

    private static List<Evidence> evidence(Bytes.Reader in) {
        int lines = in.int32();
        var evidence = new ArrayList<Evidence>();
        for (int i = 0; i < lines; i++) {
            evidence.add(new Evidence(
                    EVIDENCE.get(in.int32()),
                    instant(in.number()),
                    in.int32(),
                    in.text(),
                    in.flag() ? result(in) : null));
        }
        return evidence;
    }

    private static @Nullable Duration duration(Bytes.Reader in) {
        return in.flag() ? Duration.of(in.number(), ChronoUnit.MICROS) : null;
    }

    private static StoredResult result(Bytes.Reader in) {
        return new StoredResult(RESULTS.get(in.int32()), in.text(), in.bytes());
    }

    /** The times that a script has set. */
    static Times times(byte[] times) {
        return times(ByteBuffer.wrap(times));
    }

    private static Times times(ByteBuffer in) {
        int end = in.position() + TIMES;
        Instant created = instant(in.getLong());
        Instant sent = instant(in.getLong());
        Instant since = instant(in.getLong());
        long lease = in.getLong();
        var times = new Times(
                created, sent, since, lease == 0 ? null : instant(lease), instant(in.getLong()), instant(in.getLong()));
        in.position(end);
        return times;
    }

    static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    static long micros(Instant instant) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    }

    /** Rounded up: a lease on the server must not end before the one that its owner counts. */
    static long micros(Duration duration) {
        return duration.getSeconds() >= LONGEST_MICROS / 1_000_000
                ? LONGEST_MICROS
                : duration.getSeconds() * 1_000_000 + (duration.getNano() + 999L) / 1_000;
    }
}
