package dev.idempotency.testkit.jqwik;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ForwardingStore;
import dev.idempotency.testkit.ReferenceKeyModel;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The store under test, with a reference model of each key beside it: each write that the store has applied must be one that
 * the model allows at that time. Whatever process wrote, and whether or not it heard of it. Not thread-safe.
 */
final class WitnessedStore extends ForwardingStore {
    private final ReferenceKeyModel.Spans spans;
    private final Consumer<IdempotencyKey> onNewLife;
    private final Map<IdempotencyKey, ReferenceKeyModel> models = new HashMap<>();
    private final List<String> violations = new ArrayList<>();

    WitnessedStore(IdempotencyStore store, ReferenceKeyModel.Spans spans, Consumer<IdempotencyKey> onNewLife) {
        super(store);
        this.spans = spans;
        this.onNewLife = onNewLife;
    }

    @Nullable
    ReferenceKeyModel model(IdempotencyKey key) {
        return models.get(key);
    }

    List<String> violations() {
        return violations;
    }

    Instant now(IdempotencyKey key) {
        return find(key).now();
    }

    /** What the store has must be what the model has, but for what may be forgotten. */
    void check(IdempotencyKey key) {
        var answer = find(key);
        var model = models.get(key);
        var record = answer.record();
        if (model == null || isForgettable(model, answer.now())) {
            if (model == null && record != null) {
                violations.add("nobody reserved " + key + ", and the store has " + record);
            }
            return;
        }
        if (record == null) {
            violations.add("the store has lost " + key + ", which is " + told(model, model.result()));
            return;
        }
        var fingerprint = record.fingerprint();
        var result = record.result();
        var told = told(
                record.state(),
                record.generation(),
                record.attempt(),
                record.token().value(),
                fingerprint == null ? null : fingerprint.digest(),
                result == null ? null : text(result));
        var expected = told(model, model.result());
        // After the retention a result may go before its record does.
        var late = result == null && !answer.now().isBefore(model.expiresAt());
        if (!told.equals(late ? told(model, null) : expected)) {
            violations.add("the store has " + told + " of " + key + "; it should have " + expected);
        }
    }

    static boolean isForgettable(ReferenceKeyModel model, Instant now) {
        return !model.state().isUnresolved() && !now.isBefore(model.forgetAt());
    }

    static String text(StoredResult result) {
        return result.kind() + ":" + new String(result.bytes(), StandardCharsets.UTF_8);
    }

    private static String told(ReferenceKeyModel model, @Nullable String result) {
        return told(model.state(), model.generation(), model.attempt(), model.token(), model.fingerprint(), result);
    }

    private static String told(
            State state,
            int generation,
            int attempt,
            String token,
            @Nullable String fingerprint,
            @Nullable String result) {
        return state + ", generation " + generation + ", attempt " + attempt + ", token " + token + ", payload "
                + fingerprint + ", result " + result;
    }

    @Override
    public Snapshot reserve(Write write) {
        var answer = super.reserve(write);
        if (answer.applied()) {
            reserved(write.next(), answer.now());
        }
        return answer;
    }

    @Override
    public Snapshot replace(IdempotencyRecord expected, Write write) {
        var answer = super.replace(expected, write);
        if (answer.applied()) {
            replaced(expected, write, answer.now());
        }
        return answer;
    }

    private void reserved(IdempotencyRecord next, Instant now) {
        var model = models.computeIfAbsent(next.key(), key -> new ReferenceKeyModel(next.terms()));
        if (!model.exists() || isForgettable(model, now)) {
            onNewLife.accept(next.key());
        }
        var fingerprint = next.fingerprint();
        allowed(next, model.reserve(next.token().value(), fingerprint == null ? "" : fingerprint.digest(), spans, now));
    }

    private void replaced(IdempotencyRecord expected, Write write, Instant now) {
        var next = write.next();
        var model = models.get(next.key());
        if (model == null) {
            violations.add("a record was replaced that nobody reserved: " + next);
            return;
        }
        var own = expected.token().value();
        var by = next.token().value();
        var sealed = next.terms().policy() == RecoveryTerms.Policy.SEAL;
        var how = next.evidence().isEmpty()
                        || next.evidence().size() == expected.evidence().size()
                ? null
                : next.evidence().get(next.evidence().size() - 1).kind();
        var result = next.result();
        switch (next.state()) {
            case IN_FLIGHT -> {
                if (how == Evidence.Kind.RESENT) {
                    allowed(next, model.resend(own, by, spans, now));
                } else if (how == Evidence.Kind.REEXECUTED) {
                    allowed(next, model.reexecute(own, by, sealed, spans, now));
                } else if (how == Evidence.Kind.TAKEN_OVER) {
                    allowed(next, model.takeOver(own, by, spans, now));
                } else if (!own.equals(by) || write.newState()) {
                    reserved(next, now);
                } else if (write.lease() != null) {
                    allowed(next, model.renew(own, spans, now));
                }
            }
            case IN_DOUBT -> {
                if (how == Evidence.Kind.LAPSED) {
                    allowed(next, model.expire(own, now));
                } else if (expected.state() == State.IN_FLIGHT) {
                    allowed(next, model.markInDoubt(own, now));
                }
            }
            case COMPLETED -> {
                if (result != null && expected.state() != State.COMPLETED) {
                    allowed(
                            next,
                            how == Evidence.Kind.FOUND
                                    ? model.found(own, text(result), spans, now)
                                    : model.complete(
                                            own, expected.generation(), expected.attempt(), text(result), spans, now));
                }
            }
            case CLOSED -> {
                if (expected.state() != State.CLOSED) {
                    allowed(next, model.close(own, sealed, spans, now));
                }
            }
            case OPEN -> {
                if (how == Evidence.Kind.OVERRIDE) {
                    var fingerprint = next.fingerprint();
                    onNewLife.accept(next.key());
                    allowed(
                            next,
                            model.override(
                                    own, model.version(), fingerprint == null ? "" : fingerprint.digest(), spans, now));
                } else if (how == Evidence.Kind.RELEASED) {
                    allowed(next, model.release(own, spans, now));
                }
            }
        }
    }

    private void allowed(IdempotencyRecord next, ReferenceKeyModel.Outcome outcome) {
        if (outcome.verdict() != ReferenceKeyModel.Verdict.CHANGE) {
            violations.add("the store has applied " + next + "; the reference says " + outcome);
        }
    }
}
