package dev.idempotency.testkit;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One of everything that a store keeps, always the same but for the store's times and the token of a claim; and what a store
 * says of it, as lines of text. A format is kept as what is in the store once it was filled, and as these lines.
 */
public final class StoredFormat {
    private static final Duration CENTURY = Duration.ofDays(36_500);
    private static final String SCOPE = "charge-card";
    private static final String QUEUE = "deliveries";
    private static final Instant THEN = Instant.parse("2026-01-02T03:04:05.678901Z");
    private static final EntityVersion VERSION = new EntityVersion(7_000_000_000L, "event-2", true);
    private static final byte[] ALL_BYTES = new byte[256];

    static {
        for (int i = 0; i < ALL_BYTES.length; i++) {
            ALL_BYTES[i] = (byte) i;
        }
    }

    private StoredFormat() {}

    private static StoredResult result(StoredResult.Kind kind) {
        return new StoredResult(kind, "json/2", ALL_BYTES);
    }

    private static List<Evidence> everyKind() {
        var lines = new ArrayList<Evidence>();
        for (Evidence.Kind kind : Evidence.Kind.values()) {
            boolean odd = kind.ordinal() % 2 == 1;
            lines.add(new Evidence(
                    kind,
                    THEN.plusSeconds(kind.ordinal()),
                    kind.ordinal() + 1,
                    "what was seen: 'ü' \"中\" 😀 \\ " + kind,
                    odd ? result(StoredResult.Kind.RESULT) : null));
        }
        return lines;
    }

    private static IdempotencyRecord record(String value, State state, RecoveryTerms terms) {
        return new IdempotencyRecord(
                new IdempotencyKey(SCOPE, value),
                1,
                new Fingerprint(Fingerprint.JCS_SHA256, "ab".repeat(32)),
                state,
                1,
                new AttemptToken("00112233445566778899aabbccddeeff"),
                1,
                "5d3b1a60-9c41-5b52-8f0e-0d1c2b3a4f5e",
                terms,
                null,
                null,
                List.of(),
                IdempotencyRecord.Times.UNSET);
    }

    private static RecoveryTerms terms(RecoveryTerms.Policy policy) {
        return switch (policy) {
            case LOOKUP, SEAL ->
                new RecoveryTerms(policy, RecoveryTerms.WhenMissing.REEXECUTE, Duration.ofMinutes(15), null);
            case NATIVE -> new RecoveryTerms(policy, RecoveryTerms.WhenMissing.HOLD, null, Duration.ofHours(23));
            case NATIVE_THEN_LOOKUP ->
                new RecoveryTerms(
                        policy, RecoveryTerms.WhenMissing.CLOSE, Duration.ofNanos(1_234_567_000), Duration.ofDays(1));
            default -> new RecoveryTerms(policy, RecoveryTerms.WhenMissing.HOLD, null, null);
        };
    }

    private static List<IdempotencyRecord> records() {
        var records = new ArrayList<IdempotencyRecord>();
        for (RecoveryTerms.Policy policy : RecoveryTerms.Policy.values()) {
            records.add(record("in flight " + policy, State.IN_FLIGHT, terms(policy))
                    .with()
                    .request(new StoredRequest("json", ALL_BYTES))
                    .build());
        }
        RecoveryTerms hold = terms(RecoveryTerms.Policy.HOLD);
        records.add(record("in doubt", State.IN_DOUBT, hold)
                .with()
                .version(5_000_000_000L)
                .attempt(3)
                .evidence(everyKind())
                .build());
        records.add(record("completed", State.COMPLETED, hold)
                .with()
                .result(result(StoredResult.Kind.RESULT))
                .build());
        records.add(record("declined ü 中 😀", State.COMPLETED, hold)
                .with()
                .generation(2)
                .result(new StoredResult(StoredResult.Kind.DECLINED, "utf8", new byte[0]))
                .build());
        records.add(record("closed", State.CLOSED, hold));
        records.add(record("open", State.OPEN, hold).with().fingerprint(null).build());
        return records;
    }

    private static List<AuditEntry> acts() {
        var acts = new ArrayList<AuditEntry>();
        for (AuditEntry.Act act : AuditEntry.Act.values()) {
            for (AuditEntry.Phase phase : AuditEntry.Phase.values()) {
                boolean overrides = act == AuditEntry.Act.OVERRIDE;
                acts.add(new AuditEntry(
                        "0123456789abcdef0123456789abcde" + act.ordinal(),
                        null,
                        new IdempotencyKey(SCOPE, "in doubt"),
                        5_000_000_000L,
                        new AttemptToken("00112233445566778899aabbccddeeff"),
                        2,
                        act,
                        phase,
                        "ada",
                        "the customer's word 'ü'",
                        "statement <4>",
                        overrides ? new Fingerprint(Fingerprint.JCS_SHA256, "cd".repeat(32)) : null,
                        phase == AuditEntry.Phase.APPLIED ? "done" : ""));
            }
        }
        return acts;
    }

    private static InboxMessage message(String value) {
        return new InboxMessage(new IdempotencyKey(QUEUE, value), ALL_BYTES, Map.of("who", "Ünal"));
    }

    /** Puts one of everything into an empty store; answers the tokens of the claims. */
    public static List<AttemptToken> fill(AuditedStore store, InboxStore inbox, VersionGuard guard) {
        for (IdempotencyRecord record : records()) {
            Duration lease = record.state().isUnresolved() ? Duration.ofSeconds(30) : null;
            store.reserve(new Write(record, true, true, true, lease, CENTURY, Duration.ofDays(1)));
        }
        acts().forEach(store::append);
        guard.advance(new IdempotencyKey("customer", "42"), VERSION, CENTURY);
        InboxClaim dead = claimed(inbox, "dead");
        inbox.bury(dead, "cannot be read: 'ü'");
        InboxClaim done = claimed(inbox, "done");
        inbox.done(done);
        InboxClaim claimed = claimed(inbox, "claimed");
        inbox.offer(message("waiting"), CENTURY);
        return List.of(dead.token(), done.token(), claimed.token());
    }

    private static InboxClaim claimed(InboxStore inbox, String value) {
        inbox.offer(message(value), CENTURY);
        return inbox.claim(QUEUE, 1, CENTURY).get(0);
    }

    /** What a filled store says, and that it goes on with what it has. Can be asked once. */
    public static String describe(AuditedStore store, InboxStore inbox, VersionGuard guard) {
        var lines = new ArrayList<String>();
        for (IdempotencyRecord record : records()) {
            lines.add(line(store.find(record.key()).record()));
        }
        store.listUnresolved(null, 100).forEach(record -> lines.add("unresolved " + record.key()));
        store.audit(null, null, 100).forEach(entry -> lines.add("act " + entry));
        for (DeadLetter letter : inbox.deadLetters(QUEUE, null, 100)) {
            lines.add("dead " + line(letter.message()) + " " + letter.attempts() + " " + letter.receivedAt() + " "
                    + letter.buriedAt() + " " + letter.reason());
        }
        var depth = inbox.depth(QUEUE);
        lines.add("depth " + depth.ready() + " " + depth.delayed() + " " + depth.claimed() + " " + depth.dead());
        for (String value : List.of("dead", "done", "claimed", "waiting")) {
            lines.add("offered again " + value + " " + inbox.offer(message(value), CENTURY));
        }
        for (InboxClaim claim : inbox.claim(QUEUE, 100, Duration.ofDays(1))) {
            lines.add("claim " + line(claim.message()) + " " + claim.attempt() + " " + claim.receivedAt());
        }
        var customer = new IdempotencyKey("customer", "42");
        lines.add("version " + guard.advance(customer, VERSION, CENTURY) + " "
                + guard.advance(customer, new EntityVersion(6_999_999_999L, "", false), CENTURY));
        for (IdempotencyRecord record : store.listUnresolved(null, 100)) {
            var done = record.with()
                    .version(record.version() + 1)
                    .state(State.COMPLETED)
                    .result(result(StoredResult.Kind.RESULT))
                    .request(null)
                    .build();
            var write = new Write(done, false, false, true, null, CENTURY, Duration.ZERO);
            lines.add("completed " + record.key() + " "
                    + store.replace(record, write).applied());
        }
        return String.join("\n", lines) + "\n";
    }

    private static String line(@Nullable IdempotencyRecord record) {
        Objects.requireNonNull(record, "a record is missing");
        var text =
                new StringBuilder("record ").append(record).append(" result ").append(bytes(record.result()));
        StoredRequest request = record.request();
        text.append(" request ")
                .append(request == null ? "none" : request.codec() + " " + hex(request.bytes()))
                .append(" fingerprint ")
                .append(record.fingerprint())
                .append(" token ")
                .append(record.token().value())
                .append(" terms ")
                .append(record.terms())
                .append(" times ")
                .append(record.times());
        record.evidence()
                .forEach(line ->
                        text.append(" evidence ").append(line).append(' ').append(bytes(line.result())));
        return text.toString();
    }

    private static String line(InboxMessage message) {
        return message.key() + " " + hex(message.payload()) + " " + message.attributes();
    }

    private static String bytes(@Nullable StoredResult result) {
        return result == null ? "none" : result.kind() + " " + result.codec() + " " + hex(result.bytes());
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
