package dev.idempotency.cli;

import dev.idempotency.Fingerprint;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyRecord.Times;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredRequest;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/** A program that charges cards, and the keys that it leaves behind. */
final class Shop {
    static final String SCOPE = "charge-card";

    record Order(String id, long amount) {}

    record Receipt(String charge, long amount) {}

    private final AuditedStore store;
    private final AtomicInteger calls = new AtomicInteger();
    private volatile boolean isDown;

    Shop(AuditedStore store) {
        this.store = store;
    }

    Operation<Order, Receipt> charge() {
        return Idempotency.on(store)
                .operation(SCOPE, Order.class, Receipt.class)
                .key(Order::id)
                .recovery(Recovery.hold())
                .calling((order, attempt) -> {
                    int call = calls.incrementAndGet();
                    if (isDown) {
                        throw new IllegalStateException("connection reset");
                    }
                    return new Receipt("ch-" + call, order.amount());
                });
    }

    int calls() {
        return calls.get();
    }

    /** A key in doubt; version 2. */
    IdempotencyKey inDoubt(String id) {
        isDown = true;
        try {
            charge().execute(new Order(id, 1200));
            throw new AssertionError("the call was answered");
        } catch (InDoubtException expected) {
            return new IdempotencyKey(SCOPE, id);
        } finally {
            isDown = false;
        }
    }

    /** A key that a process which is dead has left in flight, its lease over; version 1. */
    IdempotencyKey abandoned(String id) {
        var key = new IdempotencyKey(SCOPE, id);
        var flying = new IdempotencyRecord(
                key,
                1,
                new Fingerprint(Fingerprint.JCS_SHA256, "ab".repeat(32)),
                State.IN_FLIGHT,
                1,
                AttemptToken.random(),
                1,
                "native",
                new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null),
                null,
                null,
                List.of(),
                Times.UNSET);
        store.reserve(new Write(flying, true, true, true, Duration.ofMillis(1), Duration.ofDays(7), Duration.ZERO));
        while (!standing(key).isLapsed(store.find(key).now())) {
            Thread.onSpinWait();
        }
        return key;
    }

    /** A completed key; version 2. */
    IdempotencyKey completed(String id) {
        charge().execute(new Order(id, 1200));
        return new IdempotencyKey(SCOPE, id);
    }

    IdempotencyRecord standing(IdempotencyKey key) {
        return Objects.requireNonNull(store.find(key).record(), "record of " + key);
    }

    /** A key in doubt where everything that can be text is this text. */
    IdempotencyKey hostile(IdempotencyKey key, String text) {
        var terms = new RecoveryTerms(RecoveryTerms.Policy.HOLD, RecoveryTerms.WhenMissing.HOLD, null, null);
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        var result = new StoredResult(StoredResult.Kind.RESULT, shortened(text, 60), bytes);
        var flying = new IdempotencyRecord(
                key,
                1,
                new Fingerprint(Fingerprint.JCS_SHA256, "ab".repeat(32)),
                State.IN_FLIGHT,
                1,
                AttemptToken.random(),
                1,
                shortened(text, 200),
                terms,
                null,
                null,
                List.of(),
                Times.UNSET);
        IdempotencyRecord reserved = Objects.requireNonNull(store.reserve(
                        new Write(flying, true, true, true, Duration.ofSeconds(30), Duration.ofDays(7), Duration.ZERO))
                .record());
        var doubt = reserved.with()
                .state(State.IN_DOUBT)
                .version(2)
                .evidence(List.of(new Evidence(Evidence.Kind.IN_DOUBT, Instant.EPOCH, 1, text, result)))
                .build();
        store.replace(reserved, new Write(doubt, false, false, true, null, null, Duration.ZERO));
        return key;
    }

    /** A key in doubt whose request is kept. */
    IdempotencyKey kept(String id, String request) {
        IdempotencyKey key = inDoubt(id);
        IdempotencyRecord standing = standing(key);
        var kept = standing.with()
                .version(standing.version() + 1)
                .request(new StoredRequest("json", request.getBytes(StandardCharsets.UTF_8)))
                .build();
        store.replace(standing, new Write(kept, false, false, false, null, null, Duration.ZERO));
        return key;
    }

    private static String shortened(String text, int longest) {
        return text.length() <= longest ? text : text.substring(0, longest);
    }
}
