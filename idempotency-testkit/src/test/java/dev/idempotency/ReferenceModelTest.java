package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.ProviderProfile.KeyFormat;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.RecoveryTerms.Policy;
import dev.idempotency.store.RecoveryTerms.WhenMissing;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ReferenceKeyModel;
import dev.idempotency.testkit.ReferenceKeyModel.Outcome;
import dev.idempotency.testkit.ReferenceKeyModel.Row;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The state machine against a second, independent writing of the protocol: random events, compared after each. */
final class ReferenceModelTest {
    private static final long SEED = Long.getLong("reference.seed", 20_260_101L);
    private static final int STEPS = 400_000;
    private static final int STEPS_OF_A_KEY = 60;
    private static final IdempotencyKey KEY = new IdempotencyKey("charge", "order-1");
    private static final KeyFormat FORMAT = new KeyFormat(KeyFormat.Alphabet.UUID, 36, "");
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void machineAndModel_randomEvents_agreeInEveryCell() {
        var visited = run(new StateMachine(), SEED, STEPS);

        var all = new TreeSet<String>();
        for (var row : Row.values()) {
            for (var state : State.values()) {
                all.add(row + " x " + state);
            }
        }
        assertThat(all).hasSize(140);
        assertThat(visited.keySet()).containsExactlyInAnyOrderElementsOf(all);
        assertThat(visited)
                .allSatisfy((cell, times) -> assertThat(times).as(cell).isGreaterThan(1));
    }

    @Test
    void rows_machineAndModel_areTheSame() {
        assertThat(StateMachine.Row.values())
                .extracting(Enum::name)
                .containsExactlyElementsOf(
                        List.of(Row.values()).stream().map(Enum::name).toList());
    }

    @Test
    void machine_withOneCellFlipped_isFoundOut() {
        var missed = new ArrayList<String>();
        for (var cell : cellsOfTheMachine()) {
            Transitions wrong = (record, event, now) -> {
                var right = new StateMachine().decide(record, event, now);
                return cell.equals(cell(record, event, now)) ? flipped(right) : right;
            };
            try {
                run(wrong, SEED, STEPS);
                missed.add(cell);
            } catch (Disagreement e) {
                assertThat(e).hasMessageContaining("seed " + SEED);
            }
        }

        assertThat(missed).isEmpty();
    }

    @Test
    void machine_thatForgetsWhatItWrites_isFoundOut() {
        Transitions forgetful = (record, event, now) -> {
            var right = new StateMachine().decide(record, event, now);
            Write write = right.write();
            if (write == null || right.reason() != Decision.Reason.RESENT) {
                return right;
            }
            var sentAnew = new Write(
                    write.next(),
                    write.created(),
                    true,
                    write.newState(),
                    write.lease(),
                    write.retention(),
                    write.tombstone());
            return new Decision(right.verdict(), right.reason(), sentAnew, right.alarm());
        };

        assertThatThrownBy(() -> run(forgetful, SEED, STEPS))
                .isInstanceOf(Disagreement.class)
                .hasMessageContaining("first sent");
    }

    /** Accepted becomes refused, and refused becomes accepted, without a change. */
    private static Decision flipped(Decision right) {
        return right.verdict() == Decision.Verdict.REFUSED
                ? Decision.same(right.reason())
                : Decision.refused(right.reason());
    }

    /** The cell that the machine says it is in. */
    private static String cell(@Nullable IdempotencyRecord record, Event event, Instant now) {
        if (record == null) {
            return "nothing";
        }
        var over = event instanceof Event.Reserve && record.isForgettable(now);
        return StateMachine.row(record, event, now) + " x " + (over ? State.OPEN : record.state());
    }

    /** All that the machine tells apart: an unresolved record is never due, and only one in flight has a lease left. */
    private static Set<String> cellsOfTheMachine() {
        var cells = new TreeSet<String>();
        cells.add("nothing");
        for (var row : StateMachine.Row.values()) {
            for (var state : State.values()) {
                var isNever = row == StateMachine.Row.EXPIRE_EARLY && state != State.IN_FLIGHT
                        || row == StateMachine.Row.PURGE && state.isUnresolved();
                if (!isNever) {
                    cells.add(row + " x " + state);
                }
            }
        }
        assertThat(cells).hasSize(1 + 140 - 4 - 2);
        return cells;
    }

    /** Runs random events through both, key after key, and counts the cells that the model was in. */
    private static Map<String, Integer> run(Transitions machine, long seed, int steps) {
        var visited = new HashMap<String, Integer>();
        for (var done = 0; done < steps; done += STEPS_OF_A_KEY) {
            var pair = new Pair(machine, seed, done / STEPS_OF_A_KEY);
            for (var i = 0; i < STEPS_OF_A_KEY; i++) {
                var outcome = pair.step();
                visited.merge(outcome.row() + " x " + outcome.before(), 1, Integer::sum);
            }
        }
        return visited;
    }

    /** The two are not of one opinion. */
    private static final class Disagreement extends RuntimeException {
        Disagreement(String message) {
            super(message);
        }
    }

    /** One key, twice. */
    private static final class Pair {
        private final Transitions machine;
        private final long seed;
        private final int number;
        private final Random random;
        private final RecoveryTerms terms;
        private final ReferenceKeyModel model;
        private final List<String> trace = new ArrayList<>();
        private final List<AttemptToken> tokens = new ArrayList<>();
        private final Map<AttemptToken, Fingerprint> payloads = new HashMap<>();
        private final Map<AttemptToken, Integer> attempts = new HashMap<>();
        private final Map<AttemptToken, Integer> generations = new HashMap<>();
        private @Nullable IdempotencyRecord record;
        private Instant now = START;

        Pair(Transitions machine, long seed, int number) {
            this.machine = machine;
            this.seed = seed;
            this.number = number;
            this.random = new Random(seed * 1_000_003 + number);
            this.terms = new RecoveryTerms(
                    pick(Policy.values()),
                    pick(WhenMissing.values()),
                    random.nextInt(4) == 0 ? null : Duration.ofSeconds(random.nextInt(40)),
                    random.nextInt(4) == 0 ? null : Duration.ofSeconds(random.nextInt(80)));
            this.model = new ReferenceKeyModel(terms);
        }

        Outcome step() {
            now = now.plusSeconds(random.nextInt(5) == 0 ? random.nextInt(60) : random.nextInt(4));
            var spans = new Event.Spans(
                    Duration.ofSeconds(1 + random.nextInt(20)),
                    Duration.ofSeconds(random.nextInt(60)),
                    Duration.ofSeconds(random.nextInt(3) * 20L));
            var modelSpans = new ReferenceKeyModel.Spans(spans.lease(), spans.retention(), spans.tombstone());
            var by = token();
            var old = record;
            switch (random.nextInt(16)) {
                case 0, 1 -> {
                    var fresh = random.nextInt(3) > 0 ? newToken() : by;
                    var payload = payloads.computeIfAbsent(fresh, t -> payload());
                    attempts.putIfAbsent(fresh, 1);
                    return compare(
                            new Event.Reserve(KEY, payload, fresh, terms, null, FORMAT, spans),
                            model.reserve(fresh.value(), payload.digest(), modelSpans, now),
                            old);
                }
                case 2 -> {
                    return compare(new Event.Renew(by, spans), model.renew(by.value(), modelSpans, now), old);
                }
                case 3 -> {
                    var result = result();
                    int attempt = attempts.getOrDefault(by, 1);
                    int generation = generations.getOrDefault(by, 1);
                    return compare(
                            new Event.Complete(by, generation, attempt, result, spans),
                            model.complete(by.value(), generation, attempt, text(result), modelSpans, now),
                            old);
                }
                case 4 -> {
                    return compare(new Event.Release(by, spans), model.release(by.value(), modelSpans, now), old);
                }
                case 5 -> {
                    return compare(new Event.MarkInDoubt(by, "timeout"), model.markInDoubt(by.value(), now), old);
                }
                case 6 -> {
                    return compare(new Event.Expire(by), model.expire(by.value(), now), old);
                }
                case 7 -> {
                    var next = nextAttempt(by);
                    return compare(
                            new Event.TakeOver(by, next, spans),
                            model.takeOver(by.value(), next.value(), modelSpans, now),
                            old);
                }
                case 8 -> {
                    var next = nextAttempt(by);
                    return compare(
                            new Event.Resend(by, next, spans),
                            model.resend(by.value(), next.value(), modelSpans, now),
                            old);
                }
                case 9 -> {
                    var result = random.nextInt(3) == 0 ? null : result();
                    return compare(
                            new Event.Found(by, result, "asked", spans),
                            model.found(by.value(), result == null ? null : text(result), modelSpans, now),
                            old);
                }
                case 10 -> {
                    var next = nextAttempt(by);
                    var sealed = random.nextInt(4) == 0;
                    return compare(
                            new Event.ReExecute(by, next, sealed, FORMAT, spans),
                            model.reexecute(by.value(), next.value(), sealed, modelSpans, now),
                            old);
                }
                case 11 -> {
                    var sealed = random.nextInt(4) == 0;
                    return compare(
                            new Event.Close(by, sealed, spans), model.close(by.value(), sealed, modelSpans, now), old);
                }
                case 12 -> {
                    var version = Math.max(1, model.version() - random.nextInt(2));
                    var payload = payload();
                    return compare(
                            new Event.Overrule(version, by, payload, "two", "reviewed", spans),
                            model.override(by.value(), version, payload.digest(), modelSpans, now),
                            old);
                }
                case 13 -> {
                    var version = Math.max(1, model.version() - random.nextInt(4) / 3);
                    var payload = payload();
                    return compare(
                            new Event.Withdraw(version, by, payload, "two", "reviewed", spans),
                            model.withdraw(by.value(), version, payload.digest(), modelSpans, now),
                            old);
                }
                case 14 -> {
                    return compare(
                            new Event.Claim(by, spans.lease()), model.claim(by.value(), spans.lease(), now), old);
                }
                default -> {
                    return compare(new Event.Purge(), model.purge(now), old);
                }
            }
        }

        private Outcome compare(Event event, Outcome expected, @Nullable IdempotencyRecord old) {
            trace.add(now + " " + event + " -> " + expected);
            var decision = machine.decide(old, event, now);
            var write = decision.write();
            if (write != null) {
                record = write.at(now);
            } else if (decision.verdict() == Decision.Verdict.CHANGE) {
                record = null;
            }
            same("verdict", expected.verdict().name(), decision.verdict().name());
            same("code", expected.code().name(), decision.reason().name());
            same("alarm", name(expected.alarm()), name(decision.alarm()));
            same("existence", model.exists(), record != null);
            if (record != null) {
                compareFields(record);
                if (record.state() == State.IN_FLIGHT) {
                    generations.put(record.token(), record.generation());
                }
            }
            return expected;
        }

        private void compareFields(IdempotencyRecord record) {
            var fingerprint = record.fingerprint();
            var result = record.result();
            var times = record.times();
            same("state", model.state(), record.state());
            same("version", model.version(), record.version());
            same("generation", model.generation(), record.generation());
            same("token", model.token(), record.token().value());
            same("attempt", model.attempt(), record.attempt());
            same("terms", terms, record.terms());
            same("fingerprint", model.fingerprint(), fingerprint == null ? null : fingerprint.digest());
            same("result", model.result(), result == null ? null : text(result));
            same(
                    "native key",
                    NativeKeys.derive(KEY, model.nativeKeyGeneration(), model.nativeKeyAttempt(), FORMAT),
                    record.nativeKey());
            same("created", model.createdAt(), times.createdAt());
            same("first sent", model.firstSentAt(), times.firstSentAt());
            same("state since", model.stateSince(), times.stateSince());
            same(
                    "lease",
                    model.state() == State.IN_FLIGHT ? model.leaseUntil() : model.claimedUntil(),
                    times.leaseUntil());
            same("expiry", model.expiresAt(), times.expiresAt());
            same("time to forget", model.forgetAt(), times.forgetAt());
            same(
                    "history",
                    model.history(),
                    record.evidence().stream()
                            .map(line -> new ReferenceKeyModel.Line(
                                    line.kind(), line.attempt(), line.result() == null ? null : text(line.result())))
                            .toList());
        }

        private void same(String what, @Nullable Object expected, @Nullable Object actual) {
            if (expected == null ? actual != null : !expected.equals(actual)) {
                throw new Disagreement(what + ": the model says " + expected + ", the machine " + actual + "; seed "
                        + seed + ", key " + number + "\n" + String.join("\n", trace));
            }
        }

        private static @Nullable String name(@Nullable Enum<?> value) {
            return value == null ? null : value.name();
        }

        private AttemptToken token() {
            if (record != null && random.nextInt(4) > 0) {
                return record.token();
            }
            return tokens.isEmpty() || random.nextInt(4) == 0 ? newToken() : tokens.get(random.nextInt(tokens.size()));
        }

        private AttemptToken newToken() {
            var token = new AttemptToken("%016x%016x".formatted(random.nextLong(), random.nextLong()));
            tokens.add(token);
            return token;
        }

        /** A further attempt at what an attempt wanted. */
        private AttemptToken nextAttempt(AttemptToken of) {
            var token = newToken();
            payloads.put(token, payloads.computeIfAbsent(of, t -> payload()));
            attempts.put(token, model.attempt() + 1);
            return token;
        }

        private Fingerprint payload() {
            return new Fingerprint(Fingerprint.JCS_SHA256, random.nextInt(4) == 0 ? "bb" : "aa");
        }

        private StoredResult result() {
            var text = random.nextInt(3) == 0 ? "one" : "other";
            return new StoredResult(StoredResult.Kind.RESULT, "utf8", text.getBytes(StandardCharsets.UTF_8));
        }

        private static String text(StoredResult result) {
            return new String(result.bytes(), StandardCharsets.UTF_8);
        }

        private <E> E pick(E[] values) {
            return values[random.nextInt(values.length)];
        }
    }
}
