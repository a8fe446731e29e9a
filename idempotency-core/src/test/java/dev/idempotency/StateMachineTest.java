package dev.idempotency;

import static dev.idempotency.Standing.*;
import static dev.idempotency.store.Evidence.Kind;
import static java.time.Duration.ZERO;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.StateMachine.Row;
import dev.idempotency.StateMachine.Rule;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the state machine against the table in {@code docs/state-machine.md}. */
final class StateMachineTest {
    private static final StateMachine MACHINE = new StateMachine();
    private static final List<List<String>> TABLE =
            MarkdownTable.rows("state-machine.md", "Event", "OPEN", "IN_FLIGHT", "IN_DOUBT", "COMPLETED", "CLOSED");

    /**
     * One way into a cell.
     *
     * @param answer which of the cell's answers it leads to
     * @param write what is to be written; null for nothing
     */
    private record Way(String name, IdempotencyRecord record, Event event, int answer, Write write) {}

    // ---- the table

    @Test
    void table_hasTheEventsOfTheCodeInOrder() {
        assertThat(TABLE.stream().map(row -> row.get(0)))
                .containsExactlyElementsOf(
                        Arrays.stream(Row.values()).map(row -> row.event).toList());
    }

    @Test
    void table_has140FilledCells() {
        assertThat(TABLE)
                .hasSize(28)
                .allSatisfy(row -> assertThat(row).hasSize(6).noneMatch(String::isBlank));
    }

    @Test
    void table_equalsTheCode() {
        for (Row row : Row.values()) {
            for (State state : State.values()) {
                assertThat(cell(row, state)).as(row + " x " + state).isEqualTo(text(row, state));
            }
        }
    }

    /** What the code's rule for a cell says, in the language of the table. */
    private static String text(Row row, State state) {
        Rule rule = row.rule(state);
        return switch (rule) {
            case START, TAKE, SEND_AGAIN, EXECUTE_AGAIN -> "IN_FLIGHT";
            case START_UNLESS_BURNED -> "IN_FLIGHT / R:BURNED";
            case ACQUIRE, RENEW -> "= renewed";
            case CLAIM -> "= claimed / R:NOT_YET";
            case OWN_DOUBT -> "R:IN_DOUBT";
            case COMPLETE, COMPLETE_LATE, FIND -> "COMPLETED";
            case COMPLETE_AGAIN -> "= / R:DONE + CONFLICT alarm / COMPLETED";
            case CONTRADICT -> "R:DONE + CONTRADICTION alarm";
            case ORPHANED -> "R:LOST + ORPHAN alarm";
            case OUTDATED -> "R:SUPERSEDED + evidence";
            case OUTDATED_COMPLETED -> "R:SUPERSEDED / R:SUPERSEDED + DUPLICATE alarm / R:SUPERSEDED + evidence";
            case OUTDATED_CLOSED -> "R:SUPERSEDED + CONTRADICTION alarm";
            case RELEASE -> "OPEN / IN_DOUBT";
            case RELEASE_DOUBT -> "OPEN / =";
            case DOUBT, LAPSE -> "IN_DOUBT";
            case CLOSE -> "CLOSED";
            case OVERRIDE -> "OPEN";
            case WITHDRAW -> "COMPLETED / CLOSED / R:STATE";
            case FORGET -> state == State.OPEN ? "forgotten / =" : "forgotten";
            case UNCHANGED -> "=";
            case LOST, LEASE_LOST, DONE, SUPERSEDED, STATE, NOT_YET, WINDOW_CLOSED, NOT_QUIESCENT -> "R:" + rule;
            case NON_TERMINAL, CHANGED -> "R:" + rule;
            case CONFLICT -> conflict(row, state);
        };
    }

    private static String conflict(Row row, State state) {
        if (row == Row.RESERVE_MISMATCH) {
            return "R:MISMATCH";
        }
        return switch (state) {
            case OPEN -> "IN_FLIGHT";
            case IN_FLIGHT -> "R:WAIT / R:LAPSED";
            case IN_DOUBT -> "R:IN_DOUBT";
            case COMPLETED -> "= / R:RESULT_EXPIRED";
            case CLOSED -> "=";
        };
    }

    @Test
    void rules_areAllUsed() {
        var used = new HashSet<Rule>();
        for (Row row : Row.values()) {
            for (State state : State.values()) {
                used.add(row.rule(state));
            }
        }
        assertThat(used).containsExactlyInAnyOrder(Rule.values());
    }

    private static String cell(Row row, State state) {
        return TABLE.get(row.ordinal()).get(1 + state.ordinal());
    }

    private static List<String> answers(Row row, State state) {
        return List.of(cell(row, state).split(" / "));
    }

    /** A decision in the language of the table. */
    private static String render(Decision decision) {
        Write write = decision.write();
        return switch (decision.verdict()) {
            case SAME -> "=";
            case CHANGE ->
                write == null
                        ? "forgotten"
                        : write.newState()
                                ? write.next().state().name()
                                : write.next().state() == State.IN_DOUBT ? "= claimed" : "= renewed";
            case REFUSED ->
                "R:" + decision.reason()
                        + (decision.alarm() != null
                                ? " + " + decision.alarm() + " alarm"
                                : write != null ? " + evidence" : "");
        };
    }

    // ---- each cell

    static Stream<Arguments> cells() {
        return Arrays.stream(Row.values())
                .flatMap(row -> Arrays.stream(State.values())
                        .map(state -> Arguments.of(
                                Named.of(row.event, row), Named.of(state.name(), state), cell(row, state))));
    }

    @ParameterizedTest(name = "{0} x {1}: {2}")
    @MethodSource("cells")
    void cell_eachWayIntoIt_isDecidedAsTheTableSays(Row row, State state, String cell) {
        List<String> answers = answers(row, state);
        List<Way> ways = ways(row, state);

        for (Way way : ways) {
            Decision decision = MACHINE.decide(way.record(), way.event(), NOW);

            assertThat(render(decision)).as(way.name()).isEqualTo(answers.get(way.answer()));
            assertThat(decision.write()).as(way.name()).isEqualTo(way.write());
        }
        assertThat(ways.stream().map(Way::answer).distinct().sorted())
                .as("ways into %s", cell)
                .containsExactlyElementsOf(
                        IntStream.range(0, answers.size()).boxed().toList());
    }

    private static List<Way> ways(Row row, State state) {
        IdempotencyRecord record = in(state);
        return switch (row) {
            case RESERVE -> reserve(state);
            case RESERVE_OWN -> reserveOwn(state);
            case RESERVE_MISMATCH -> {
                var bound = state == State.OPEN ? reopened(FINGERPRINT) : record;
                yield List.of(
                        same("another payload", bound, Standing.reserve(OTHER_FINGERPRINT, NEW)),
                        same("another payload, lapsed", lapsed(bound), Standing.reserve(OTHER_FINGERPRINT, NEW)),
                        same("another payload, expired", expired(bound), Standing.reserve(OTHER_FINGERPRINT, NEW)));
            }
            case RENEW_OWN ->
                List.of(new Way(
                        "own",
                        record,
                        new Event.Renew(OWN, SPANS),
                        0,
                        state == State.IN_FLIGHT ? renewed(record) : null));
            case RENEW_STALE ->
                orNothing(state, new Event.Renew(STALE, SPANS), same("stale", record, new Event.Renew(STALE, SPANS)));
            case COMPLETE_OWN -> completeOwn(state);
            case COMPLETE_STALE -> completeStale(state);
            case RELEASE_OWN -> release(state);
            case RELEASE_STALE ->
                orNothing(
                        state, new Event.Release(STALE, SPANS), same("stale", record, new Event.Release(STALE, SPANS)));
            case DOUBT_OWN -> {
                var event = new Event.MarkInDoubt(OWN, "timed out");
                yield List.of(
                        state == State.IN_FLIGHT
                                ? change("own", record, event, doubt(record, Kind.IN_DOUBT, "timed out"))
                                : same("own", record, event));
            }
            case DOUBT_STALE ->
                orNothing(
                        state,
                        new Event.MarkInDoubt(STALE, "timed out"),
                        same("stale", record, new Event.MarkInDoubt(STALE, "timed out")));
            case EXPIRE_LAPSED -> {
                var over = lapsed(record);
                yield List.of(
                        state == State.IN_FLIGHT
                                ? change(
                                        "lease over",
                                        over,
                                        new Event.Expire(OWN),
                                        doubt(over, Kind.LAPSED, "lease over at " + NOW))
                                : same("lease over", over, new Event.Expire(OWN)));
            }
            case EXPIRE_EARLY -> {
                var left = leasedUntil(NOW.plus(TICK), record);
                var early = same("lease left", left, new Event.Expire(OWN));
                var takeOver = same("lease left, take over", left, new Event.TakeOver(OWN, NEW, SPANS));
                yield state == State.IN_FLIGHT ? List.of(early, takeOver) : List.of(early);
            }
            case TAKE_OVER -> {
                var event = new Event.TakeOver(OWN, NEW, SPANS);
                var over = lapsed(record);
                yield List.of(
                        state == State.IN_FLIGHT
                                ? change("lease over", over, event, attempt(over, Kind.TAKEN_OVER, false))
                                : same("no lease", over, event));
            }
            case CLAIM -> {
                var event = new Event.Claim(OWN, LEASE);
                var claimed = write(record.with().version(42).build(), false, false, LEASE, null, ZERO);
                var over = lapsed(record);
                var claimedAnew = write(over.with().version(42).build(), false, false, LEASE, null, ZERO);
                yield state == State.IN_DOUBT
                        ? List.of(
                                change("not claimed", record, event, claimed),
                                change("claim over", over, event, claimedAnew),
                                new Way("claim left", leasedUntil(NOW.plus(TICK), record), event, 1, null))
                        : List.of(same("not in doubt", record, event));
            }
            case RESEND -> {
                var event = new Event.Resend(OWN, NEW, SPANS);
                var open = firstSentAt(NOW.minus(GUARD).plus(TICK), record);
                yield List.of(
                        state == State.IN_DOUBT
                                ? change("window open", open, event, attempt(open, Kind.RESENT, false))
                                : same("window open", open, event));
            }
            case RESEND_LATE ->
                List.of(
                        same("window over", windowOver(record), new Event.Resend(OWN, NEW, SPANS)),
                        same(
                                "no window agreed",
                                record.with().terms(OTHER_TERMS).build(),
                                new Event.Resend(OWN, NEW, SPANS)));
            case FOUND -> found(state);
            case REEXECUTE -> {
                var plain = reExecute(OWN, false);
                var sealed = reExecute(OWN, true);
                var due = quiescent(record);
                var sealedFrom = record.with()
                        .nativeKey(NativeKeys.derive(KEY, 3, 3, FORMAT))
                        .build();
                yield state == State.IN_DOUBT
                        ? List.of(
                                change("quiescent", due, plain, attempt(due, Kind.REEXECUTED, false)),
                                change("sealed", record, sealed, attempt(sealedFrom, Kind.REEXECUTED, true)))
                        : List.of(same("quiescent", due, plain), same("sealed", record, sealed));
            }
            case NOT_QUIESCENT -> {
                var early = since(NOW.minus(QUIESCENCE).plus(TICK), record);
                var never = record.with().terms(OTHER_TERMS).build();
                yield List.of(
                        same("re-execute", early, reExecute(OWN, false)),
                        same("re-execute, no quiescence agreed", never, reExecute(OWN, false)),
                        same("close", early, new Event.Close(OWN, false, SPANS)),
                        same("close, no quiescence agreed", never, new Event.Close(OWN, false, SPANS)));
            }
            case CLOSE -> {
                var plain = new Event.Close(OWN, false, SPANS);
                var sealed = new Event.Close(OWN, true, SPANS);
                var due = quiescent(record);
                yield state == State.IN_DOUBT
                        ? List.of(
                                change(
                                        "quiescent",
                                        due,
                                        plain,
                                        closed(due, "the provider had nothing after quiescence")),
                                change("sealed", record, sealed, closed(record, "the provider sealed it")))
                        : List.of(same("quiescent", due, plain), same("sealed", record, sealed));
            }
            case RECOVERY_STALE -> recoveryStale(state);
            case OVERRIDE -> {
                var event = overrule(41, OWN);
                yield List.of(
                        state.isTerminal()
                                ? change("reviewed", record, event, overridden(record))
                                : same("reviewed", record, event));
            }
            case OVERRIDE_STALE ->
                orNothing(
                        state,
                        overrule(41, OWN),
                        same("another version", record, overrule(40, OWN)),
                        same("another attempt", record, overrule(41, STALE)));
            case WITHDRAW -> withdraw(state);
            case WITHDRAW_STALE ->
                orNothing(
                        state,
                        withdrawal(41, OWN),
                        same("another version", record, withdrawal(40, OWN)),
                        same("another attempt", record, withdrawal(41, STALE)));
            case PURGE -> {
                var due = same("due", forgettable(record), new Event.Purge());
                yield state == State.OPEN
                        ? List.of(due, new Way("no record", null, new Event.Purge(), 1, null))
                        : List.of(due);
            }
            case PURGE_EARLY ->
                List.of(
                        same("tombstone kept", expired(record), new Event.Purge()),
                        same("result kept", record, new Event.Purge()));
        };
    }

    private static List<Way> reserve(State state) {
        IdempotencyRecord record = in(state);
        var event = Standing.reserve(FINGERPRINT, NEW);
        return switch (state) {
            case OPEN -> {
                var ways = new ArrayList<Way>();
                ways.add(change("no record", null, event, started(null)));
                ways.add(change("released", record, event, started(record)));
                var used = record.with()
                        .nativeKey(NativeKeys.derive(KEY, 3, 1, FORMAT))
                        .build();
                ways.add(change("released, and the provider may know its native key", used, event, sentBefore(used)));
                ways.add(change("reopened", reopened(FINGERPRINT), event, started(reopened(FINGERPRINT))));
                for (State old : List.of(State.OPEN, State.COMPLETED, State.CLOSED)) {
                    var forgettable = forgettable(in(old));
                    var other = Standing.reserve(OTHER_FINGERPRINT, NEW);
                    ways.add(change("forgotten " + old, forgettable, event, started(forgettable)));
                    ways.add(change(
                            "forgotten " + old + ", another payload",
                            forgettable,
                            other,
                            started(forgettable, OTHER_FINGERPRINT)));
                }
                yield ways;
            }
            case IN_FLIGHT ->
                List.of(same("lease left", record, event), new Way("lease over", lapsed(record), event, 1, null));
            case COMPLETED -> List.of(same("kept", record, event), new Way("expired", expired(record), event, 1, null));
            case IN_DOUBT, CLOSED -> List.of(same("kept", record, event), same("expired", expired(record), event));
        };
    }

    private static List<Way> reserveOwn(State state) {
        IdempotencyRecord record = in(state);
        var event = Standing.reserve(FINGERPRINT, OWN);
        return switch (state) {
            case OPEN -> {
                var first = started(null);
                var own = first.next().with().token(OWN).build();
                yield List.of(
                        change("no record", null, event, with(first, own)),
                        new Way("released", record, event, 1, null),
                        new Way("forgotten", forgettable(in(State.COMPLETED)), event, 1, null));
            }
            case IN_FLIGHT ->
                List.of(
                        change("lease left", record, event, renewed(record)),
                        change("lease over", lapsed(record), event, renewed(lapsed(record))));
            case COMPLETED -> List.of(same("kept", record, event), new Way("expired", expired(record), event, 1, null));
            case IN_DOUBT, CLOSED -> List.of(same("kept", record, event), same("expired", expired(record), event));
        };
    }

    private static List<Way> completeOwn(State state) {
        IdempotencyRecord record = in(state);
        IdempotencyRecord unknown = record.with().result(null).build();
        var event = complete(OWN, RESULT);
        return switch (state) {
            case OPEN -> List.of(evidence("released", 0, record, event, Kind.SUPERSEDED, 2, RESULT));
            case IN_FLIGHT ->
                List.of(
                        change("lease left", record, event, completed(record)),
                        change("lease over", lapsed(record), event, completed(lapsed(record))));
            case IN_DOUBT ->
                List.of(change(
                        "late",
                        record,
                        event,
                        completed(history(record, Kind.LATE_RESULT, "the attempt's own answer came late", null))));
            case COMPLETED ->
                List.of(
                        same("same outcome", record, event),
                        evidence("another", 1, record, complete(OWN, OTHER_RESULT), Kind.CONFLICT, 2, OTHER_RESULT),
                        evidence(
                                "a decline of what ran", 1, unknown, complete(OWN, DECLINE), Kind.CONFLICT, 2, DECLINE),
                        evidence(
                                "of what ran in a transaction that did not",
                                1,
                                unknown.with().terms(SAME_TRANSACTION).build(),
                                event,
                                Kind.CONFLICT,
                                2,
                                RESULT),
                        new Way(
                                "the result of what ran",
                                unknown,
                                event,
                                2,
                                completed(history(
                                        unknown, Kind.LATE_RESULT, "the attempt's own answer came late", null))));
            case CLOSED -> List.of(evidence("closed", 0, record, event, Kind.CONTRADICTION, 2, RESULT));
        };
    }

    private static List<Way> completeStale(State state) {
        IdempotencyRecord record = in(state);
        var event = complete(STALE, RESULT);
        return switch (state) {
            case OPEN ->
                List.of(
                        same("no record", null, event),
                        evidence("released", 0, record, event, Kind.SUPERSEDED, 1, RESULT));
            case IN_FLIGHT, IN_DOUBT -> List.of(evidence("superseded", 0, record, event, Kind.SUPERSEDED, 1, RESULT));
            case COMPLETED ->
                List.of(
                        same("same outcome", record, event),
                        evidence("another", 1, record, complete(STALE, OTHER_RESULT), Kind.DUPLICATE, 1, OTHER_RESULT),
                        evidence(
                                "a decline of what ran",
                                1,
                                record.with().result(null).build(),
                                complete(STALE, DECLINE),
                                Kind.DUPLICATE,
                                1,
                                DECLINE),
                        evidence(
                                "a result of what ran",
                                2,
                                record.with().result(null).build(),
                                event,
                                Kind.SUPERSEDED,
                                1,
                                RESULT));
            case CLOSED -> List.of(evidence("closed", 0, record, event, Kind.CONTRADICTION, 1, RESULT));
        };
    }

    /** Any payload may take a key that was freed, unless two people agreed on one. */
    private static Write freed(IdempotencyRecord first, @Nullable Fingerprint stillBound) {
        return write(
                history(first, Kind.RELEASED, "nothing was executed", null)
                        .with()
                        .version(42)
                        .state(State.OPEN)
                        .request(null)
                        .fingerprint(stillBound)
                        .build(),
                false,
                true,
                null,
                RETENTION,
                TOMBSTONE);
    }

    private static List<Way> release(State state) {
        IdempotencyRecord record = in(state);
        var first = firstAttempt(record);
        var firstEver = first.with().generation(1).build();
        var event = new Event.Release(OWN, SPANS);
        var freed = freed(firstEver, null);
        var freedForTheOverride = freed(first, FINGERPRINT);
        var transactional = record.with().terms(SAME_TRANSACTION).build();
        var freedWithItsTransaction = freed(transactional, FINGERPRINT);
        return switch (state) {
            case IN_FLIGHT ->
                List.of(
                        change("attempt 1", firstEver, event, freed),
                        change("attempt 1 after an override", first, event, freedForTheOverride),
                        change("attempt 2, same transaction", transactional, event, freedWithItsTransaction),
                        new Way(
                                "attempt 2",
                                record,
                                event,
                                1,
                                doubt(record, Kind.IN_DOUBT, "nothing was sent, but an earlier attempt was")));
            case IN_DOUBT ->
                List.of(
                        change("attempt 1", firstEver, event, freed),
                        change("attempt 1 after an override", first, event, freedForTheOverride),
                        change("attempt 2, same transaction", transactional, event, freedWithItsTransaction),
                        new Way("attempt 2", record, event, 1, null));
            default -> List.of(same("attempt 1", first, event), same("attempt 2", record, event));
        };
    }

    private static List<Way> found(State state) {
        IdempotencyRecord record = in(state);
        var event = new Event.Found(OWN, RESULT, SPANS);
        var other = new Event.Found(OWN, OTHER_RESULT, SPANS);
        return switch (state) {
            case OPEN, IN_FLIGHT -> List.of(same("found", record, event));
            case IN_DOUBT ->
                List.of(change(
                        "found",
                        record,
                        event,
                        completed(history(record, Kind.FOUND, "the provider had the write", null))));
            case COMPLETED ->
                List.of(
                        same("same outcome", record, event),
                        evidence("another", 1, record, other, Kind.CONFLICT, 2, OTHER_RESULT),
                        new Way(
                                "the result of what ran",
                                record.with().result(null).build(),
                                event,
                                2,
                                completed(history(record, Kind.FOUND, "the provider had the write", null))));
            case CLOSED -> List.of(evidence("closed", 0, record, event, Kind.CONTRADICTION, 2, RESULT));
        };
    }

    private static List<Way> recoveryStale(State state) {
        IdempotencyRecord record = quiescent(lapsed(in(state)));
        var ways = new ArrayList<Way>();
        for (Event event : List.of(
                new Event.Expire(STALE),
                new Event.TakeOver(STALE, NEW, SPANS),
                new Event.Claim(STALE, LEASE),
                new Event.Resend(STALE, NEW, SPANS),
                new Event.Found(STALE, RESULT, SPANS),
                reExecute(STALE, false),
                reExecute(STALE, true),
                new Event.Close(STALE, false, SPANS),
                new Event.Close(STALE, true, SPANS))) {
            ways.add(same("stale " + event, record, event));
            if (state == State.OPEN) {
                ways.add(same("no record " + event, null, event));
            }
        }
        return ways;
    }

    private static List<Way> withdraw(State state) {
        var event = withdrawal(41, OWN);
        if (state != State.OPEN) {
            return List.of(same("not open", in(state), event));
        }
        var paid = opened(RESULT);
        var unknown = opened(null, line(Kind.FOUND, null));
        var closed = opened(null, line(Kind.CLOSED, null));
        var twice = opened(RESULT, line(Kind.CLOSED, null), line(Kind.OVERRIDE, null));
        var late = with(paid, line(Kind.DUPLICATE, OTHER_RESULT));
        return List.of(
                change("completed before", paid, event, withdrawn(paid, State.COMPLETED, RESULT)),
                change("a late answer since", late, event, withdrawn(late, State.COMPLETED, RESULT)),
                change("executed before, without a result", unknown, event, withdrawn(unknown, State.COMPLETED, null)),
                change("closed in a generation before", twice, event, withdrawn(twice, State.COMPLETED, RESULT)),
                new Way("closed before", closed, event, 1, withdrawn(closed, State.CLOSED, null)),
                new Way("nobody has opened it", in(State.OPEN), event, 2, null),
                new Way("reserved since, and released", with(paid, line(Kind.RELEASED, null)), event, 2, null),
                new Way("what it was is not told any more", opened(null), event, 2, null));
    }

    private static Evidence line(Kind kind, StoredResult result) {
        return new Evidence(kind, NOW.minusSeconds(3), 2, "a line", result);
    }

    /** Opened by an override that replaced a result, with lines before it. */
    private static IdempotencyRecord opened(StoredResult replaced, Evidence... before) {
        var lines = new ArrayList<>(List.of(before));
        lines.add(line(Kind.OVERRIDE, replaced));
        return with(reopened(OTHER_FINGERPRINT), lines.toArray(Evidence[]::new));
    }

    private static IdempotencyRecord with(IdempotencyRecord record, Evidence... lines) {
        var history = new ArrayList<>(record.evidence());
        history.addAll(List.of(lines));
        return record.with().evidence(history).build();
    }

    private static Write withdrawn(IdempotencyRecord record, State state, StoredResult result) {
        var kind = state == State.CLOSED ? Kind.CLOSED : Kind.FOUND;
        var next = with(record, new Evidence(kind, NOW, 2, "Ada, approved by Bob: nobody has it", null))
                .with()
                .version(42)
                .state(state)
                .fingerprint(FINGERPRINT)
                .result(result)
                .build();
        return write(next, false, true, null, RETENTION, TOMBSTONE);
    }

    private static Event.Withdraw withdrawal(long version, AttemptToken token) {
        return new Event.Withdraw(version, token, FINGERPRINT, "Ada, approved by Bob", "nobody has it", SPANS);
    }

    private static List<Way> orNothing(State state, Event event, Way... ways) {
        var all = new ArrayList<>(List.of(ways));
        if (state == State.OPEN) {
            all.add(same("no record", null, event));
        }
        return all;
    }

    // ---- ways and writes

    private static Way same(String name, IdempotencyRecord record, Event event) {
        return new Way(name, record, event, 0, null);
    }

    private static Way change(String name, IdempotencyRecord record, Event event, Write write) {
        return new Way(name, record, event, 0, write);
    }

    private static Way evidence(
            String name,
            int answer,
            IdempotencyRecord record,
            Event event,
            Evidence.Kind kind,
            int attempt,
            StoredResult result) {
        var line = new Evidence(kind, NOW, attempt, "an answer that could not be recorded", result);
        var next = record.with().version(42).evidence(List.of(HISTORY, line)).build();
        return new Way(name, record, event, answer, write(next, false, false, null, null, ZERO));
    }

    private static Event.ReExecute reExecute(AttemptToken expected, boolean sealed) {
        return new Event.ReExecute(expected, NEW, sealed, FORMAT, SPANS);
    }

    private static Event.Overrule overrule(long version, AttemptToken token) {
        return new Event.Overrule(version, token, OTHER_FINGERPRINT, "Ada, approved by Bob", "wrong amount", SPANS);
    }

    private static IdempotencyRecord history(
            IdempotencyRecord record, Evidence.Kind kind, String detail, StoredResult result) {
        var line = new Evidence(kind, NOW, record.attempt(), detail, result);
        return record.with().evidence(List.of(HISTORY, line)).build();
    }

    private static Write write(
            IdempotencyRecord next,
            boolean firstSent,
            boolean newState,
            Duration lease,
            Duration retention,
            Duration tombstone) {
        return new Write(next, false, firstSent, newState, lease, retention, tombstone);
    }

    private static Write with(Write write, IdempotencyRecord next) {
        return new Write(
                next,
                write.created(),
                write.firstSent(),
                write.newState(),
                write.lease(),
                write.retention(),
                write.tombstone());
    }

    private static Write started(IdempotencyRecord old) {
        return started(old, FINGERPRINT);
    }

    private static Write started(IdempotencyRecord old, Fingerprint fingerprint) {
        boolean created = old == null || old.isForgettable(NOW);
        int generation = created ? 1 : 3;
        var next = new IdempotencyRecord(
                KEY,
                generation,
                fingerprint,
                State.IN_FLIGHT,
                old == null ? 1 : 42,
                NEW,
                1,
                NativeKeys.derive(KEY, generation, 1, FORMAT),
                OTHER_TERMS,
                null,
                OTHER_REQUEST,
                created ? List.of() : List.of(HISTORY),
                created ? IdempotencyRecord.Times.UNSET : old.times());
        return new Write(next, created, true, true, LEASE, RETENTION.plus(LEASE), TOMBSTONE);
    }

    private static Write sentBefore(IdempotencyRecord old) {
        Write write = started(old);
        return new Write(
                write.next(),
                write.created(),
                false,
                write.newState(),
                write.lease(),
                write.retention(),
                write.tombstone());
    }

    private static Write renewed(IdempotencyRecord record) {
        return write(record.with().version(42).build(), false, false, LEASE, null, ZERO);
    }

    private static Write completed(IdempotencyRecord record) {
        var next = record.with()
                .version(42)
                .state(State.COMPLETED)
                .request(null)
                .result(RESULT)
                .build();
        return write(next, false, true, null, RETENTION, TOMBSTONE);
    }

    private static Write doubt(IdempotencyRecord record, Evidence.Kind kind, String detail) {
        var next = history(record, kind, detail, null)
                .with()
                .version(42)
                .state(State.IN_DOUBT)
                .build();
        return write(next, false, true, null, null, ZERO);
    }

    private static Write attempt(IdempotencyRecord record, Evidence.Kind kind, boolean firstSent) {
        var next = history(record, kind, "as attempt 3", null)
                .with()
                .version(42)
                .state(State.IN_FLIGHT)
                .token(NEW)
                .attempt(3)
                .build();
        return write(next, firstSent, true, LEASE, null, ZERO);
    }

    private static Write closed(IdempotencyRecord record, String detail) {
        var next = history(record, Kind.CLOSED, detail, null)
                .with()
                .version(42)
                .state(State.CLOSED)
                .request(null)
                .build();
        return write(next, false, true, null, RETENTION, TOMBSTONE);
    }

    private static Write overridden(IdempotencyRecord record) {
        var next = history(record, Kind.OVERRIDE, "Ada, approved by Bob: wrong amount", record.result())
                .with()
                .version(42)
                .generation(4)
                .state(State.OPEN)
                .fingerprint(OTHER_FINGERPRINT)
                .result(null)
                .build();
        return write(next, false, true, null, RETENTION, TOMBSTONE);
    }

    // ---- the same table, met from the outside

    /** Cells that no record and event fall into; the code answers there as it does in the cell named beside it. */
    private static final Map<String, Row> UNREACHED = Map.of(
            "EXPIRE_EARLY x OPEN", Row.EXPIRE_LAPSED,
            "EXPIRE_EARLY x IN_DOUBT", Row.EXPIRE_LAPSED,
            "EXPIRE_EARLY x COMPLETED", Row.EXPIRE_LAPSED,
            "EXPIRE_EARLY x CLOSED", Row.EXPIRE_LAPSED,
            "PURGE x IN_FLIGHT", Row.PURGE_EARLY,
            "PURGE x IN_DOUBT", Row.PURGE_EARLY);

    @Test
    void everyRecordAndEvent_fallIntoACell_andGetOneOfItsAnswers() {
        Map<String, Set<String>> met = new TreeMap<>();
        for (IdempotencyRecord record : records()) {
            for (Event event : events()) {
                Row row = StateMachine.row(record, event, NOW);
                boolean asOpen = event instanceof Event.Reserve && record.isForgettable(NOW);
                State state = asOpen ? State.OPEN : record.state();
                assertThat(StateMachine.rule(record, event, NOW)).isEqualTo(row.rule(state));
                met.computeIfAbsent(row + " x " + state, name -> new TreeSet<>())
                        .add(render(MACHINE.decide(record, event, NOW)));
            }
        }

        Map<String, Set<String>> expected = new TreeMap<>();
        for (Row row : Row.values()) {
            for (State state : State.values()) {
                String name = row + " x " + state;
                if (UNREACHED.containsKey(name)) {
                    assertThat(row.rule(state))
                            .as(name)
                            .isEqualTo(UNREACHED.get(name).rule(state));
                } else {
                    expected.put(name, new TreeSet<>(answers(row, state)));
                }
            }
        }
        expected.get("RESERVE_OWN x OPEN").remove("IN_FLIGHT"); // only without a record
        expected.get("PURGE x OPEN").remove("="); // only without a record
        assertThat(met).isEqualTo(expected);
    }

    private static List<IdempotencyRecord> records() {
        var records = new ArrayList<IdempotencyRecord>();
        var bases = new ArrayList<IdempotencyRecord>(
                Arrays.stream(State.values()).map(Standing::in).toList());
        bases.add(reopened(FINGERPRINT));
        bases.add(opened(RESULT));
        bases.add(opened(null, line(Kind.CLOSED, null)));
        bases.add(in(State.COMPLETED).with().result(null).build());
        for (IdempotencyRecord base : bases) {
            for (IdempotencyRecord kept : List.of(base, expired(base), forgettable(base))) {
                for (IdempotencyRecord leased : List.of(kept, lapsed(kept), leasedUntil(NOW.plus(TICK), kept))) {
                    for (IdempotencyRecord timed : List.of(leased, quiescent(leased), windowOver(leased))) {
                        records.add(timed);
                        records.add(firstAttempt(timed));
                    }
                }
            }
        }
        return records;
    }

    private static List<Event> events() {
        var events = new ArrayList<Event>();
        events.add(Standing.reserve(FINGERPRINT, NEW));
        events.add(Standing.reserve(FINGERPRINT, OWN));
        events.add(Standing.reserve(OTHER_FINGERPRINT, NEW));
        events.add(new Event.Purge());
        events.add(overrule(41, OWN));
        events.add(overrule(40, OWN));
        events.add(withdrawal(41, OWN));
        events.add(withdrawal(40, OWN));
        for (AttemptToken token : List.of(OWN, STALE)) {
            events.add(new Event.Renew(token, SPANS));
            events.add(complete(token, RESULT));
            events.add(complete(token, OTHER_RESULT));
            events.add(new Event.Release(token, SPANS));
            events.add(new Event.MarkInDoubt(token, "timed out"));
            events.add(new Event.Expire(token));
            events.add(new Event.TakeOver(token, NEW, SPANS));
            events.add(new Event.Claim(token, LEASE));
            events.add(new Event.Resend(token, NEW, SPANS));
            events.add(new Event.Found(token, RESULT, SPANS));
            events.add(new Event.Found(token, OTHER_RESULT, SPANS));
            events.add(new Event.Close(token, false, SPANS));
            events.add(new Event.Close(token, true, SPANS));
            events.add(reExecute(token, false));
            events.add(reExecute(token, true));
        }
        return events;
    }

    @Test
    void everyAcceptedWrite_raisesTheVersionByOne_andNeverLowersTheGeneration() {
        for (IdempotencyRecord record : records()) {
            for (Event event : events()) {
                Decision decision = MACHINE.decide(record, event, NOW);
                Write write = decision.write();
                if (write == null) {
                    continue;
                }
                var next = write.next();
                assertThat(next.version()).isEqualTo(record.version() + 1);
                assertThat(next.key()).isEqualTo(record.key());
                assertThat(next.generation()).isGreaterThanOrEqualTo(write.created() ? 1 : record.generation());
                boolean enters = decision.verdict() == Decision.Verdict.CHANGE
                        && write.newState()
                        && next.state() == State.IN_FLIGHT;
                assertThat(next.token().equals(record.token())).isEqualTo(!enters);
                if (decision.verdict() == Decision.Verdict.REFUSED) {
                    assertThat(next.with()
                                    .version(41)
                                    .evidence(record.evidence())
                                    .build())
                            .isEqualTo(record);
                }
            }
        }
    }

    /** The reasons that callers of the state machine go on. */
    @Test
    void acceptedEvents_sayWhatHappened() {
        var flight = lapsed(in(State.IN_FLIGHT));
        var doubt = quiescent(in(State.IN_DOUBT));

        assertThat(reason(null, Standing.reserve(FINGERPRINT, NEW))).isEqualTo(Decision.Reason.ACQUIRED);
        assertThat(reason(flight, Standing.reserve(FINGERPRINT, OWN))).isEqualTo(Decision.Reason.ACQUIRED);
        assertThat(reason(flight, new Event.Renew(OWN, SPANS))).isEqualTo(Decision.Reason.RENEWED);
        assertThat(reason(flight, complete(OWN, RESULT))).isEqualTo(Decision.Reason.COMPLETED);
        assertThat(reason(in(State.COMPLETED), complete(OWN, RESULT))).isEqualTo(Decision.Reason.COMPLETED);
        assertThat(reason(firstAttempt(flight), new Event.Release(OWN, SPANS))).isEqualTo(Decision.Reason.RELEASED);
        assertThat(reason(flight, new Event.Release(OWN, SPANS))).isEqualTo(Decision.Reason.IN_DOUBT);
        assertThat(reason(doubt, new Event.Release(OWN, SPANS))).isEqualTo(Decision.Reason.IN_DOUBT);
        assertThat(reason(in(State.OPEN), new Event.Release(OWN, SPANS))).isEqualTo(Decision.Reason.UNCHANGED);
        assertThat(reason(flight, new Event.MarkInDoubt(OWN, "timed out"))).isEqualTo(Decision.Reason.IN_DOUBT);
        assertThat(reason(flight, new Event.Expire(OWN))).isEqualTo(Decision.Reason.IN_DOUBT);
        assertThat(reason(flight, new Event.TakeOver(OWN, NEW, SPANS))).isEqualTo(Decision.Reason.TAKEN_OVER);
        assertThat(reason(doubt, new Event.Claim(OWN, LEASE))).isEqualTo(Decision.Reason.CLAIMED);
        assertThat(reason(doubt, new Event.Resend(OWN, NEW, SPANS))).isEqualTo(Decision.Reason.RESENT);
        assertThat(reason(doubt, new Event.Found(OWN, RESULT, SPANS))).isEqualTo(Decision.Reason.COMPLETED);
        assertThat(reason(doubt, reExecute(OWN, false))).isEqualTo(Decision.Reason.REEXECUTED);
        assertThat(reason(doubt, new Event.Close(OWN, false, SPANS))).isEqualTo(Decision.Reason.CLOSED);
        assertThat(reason(in(State.COMPLETED), overrule(41, OWN))).isEqualTo(Decision.Reason.OVERRIDDEN);
        assertThat(reason(opened(RESULT), withdrawal(41, OWN))).isEqualTo(Decision.Reason.WITHDRAWN);
        assertThat(reason(forgettable(in(State.CLOSED)), new Event.Purge())).isEqualTo(Decision.Reason.FORGOTTEN);
        assertThat(reason(in(State.COMPLETED), Standing.reserve(FINGERPRINT, NEW)))
                .isEqualTo(Decision.Reason.REPLAY);
        assertThat(reason(in(State.CLOSED), Standing.reserve(FINGERPRINT, NEW)))
                .isEqualTo(Decision.Reason.REPLAY_NOT_EXECUTED);
    }

    private static Decision.Reason reason(IdempotencyRecord record, Event event) {
        return MACHINE.decide(record, event, NOW).reason();
    }

    // ---- boundaries, to the nanosecond

    @Test
    void window_atItsVeryEnd_isOver() {
        var event = new Event.Resend(OWN, NEW, SPANS);
        var doubt = in(State.IN_DOUBT);
        Instant end = doubt.times().firstSentAt().plus(GUARD);

        assertThat(render(MACHINE.decide(doubt, event, end.minus(TICK)))).isEqualTo("IN_FLIGHT");
        assertThat(render(MACHINE.decide(doubt, event, end))).isEqualTo("R:WINDOW_CLOSED");
    }

    /** The provider may have counted from a request without an effect, which no lookup finds. */
    @Test
    void window_afterALookupThatFoundNothing_doesNotStartAnewUnderTheSameNativeKey() {
        var doubt = quiescent(windowOver(in(State.IN_DOUBT)));

        IdempotencyRecord again =
                MACHINE.decide(doubt, reExecute(OWN, false), NOW).toWrite().at(NOW);
        IdempotencyRecord lost = MACHINE.decide(again, new Event.MarkInDoubt(NEW, "timed out"), NOW)
                .toWrite()
                .at(NOW);

        assertThat(lost.nativeKey()).isEqualTo(doubt.nativeKey());
        assertThat(MACHINE.decide(lost, new Event.Resend(NEW, STALE, SPANS), NOW)
                        .reason())
                .isEqualTo(Decision.Reason.WINDOW_CLOSED);
        IdempotencyRecord sealed =
                MACHINE.decide(doubt, reExecute(OWN, true), NOW).toWrite().at(NOW);
        assertThat(sealed.nativeKey()).isNotEqualTo(doubt.nativeKey());
        assertThat(sealed.times().firstSentAt()).isEqualTo(NOW);
    }

    /** A refusal has no effect, and may be what the provider counts from. */
    @Test
    void window_afterARefusalThatFreedTheKey_doesNotStartAnewUnderTheSameNativeKey() {
        var terms = new Event.Reserve(KEY, FINGERPRINT, OWN, TERMS, null, FORMAT, SPANS);
        IdempotencyRecord refused = MACHINE.decide(null, terms, NOW).toWrite().at(NOW);
        IdempotencyRecord free = MACHINE.decide(refused, new Event.Release(OWN, SPANS), NOW)
                .toWrite()
                .at(NOW);
        Instant later = NOW.plus(GUARD).minus(TICK);

        var again = new Event.Reserve(KEY, FINGERPRINT, NEW, TERMS, null, FORMAT, SPANS);
        IdempotencyRecord reserved =
                MACHINE.decide(free, again, later).toWrite().at(later);

        assertThat(reserved.nativeKey()).isEqualTo(refused.nativeKey());
        assertThat(reserved.times().firstSentAt()).isEqualTo(NOW);
        assertThat(reserved.times().createdAt()).isEqualTo(NOW);
    }

    /** Whoever refuses after a long call may know the native key for its whole window from then on. */
    @Test
    void release_keepsTheRecordForItsRetentionFromThenOn() {
        Instant later = NOW.plus(RETENTION);

        IdempotencyRecord free = MACHINE.decide(firstAttempt(in(State.IN_FLIGHT)), new Event.Release(OWN, SPANS), later)
                .toWrite()
                .at(later);

        assertThat(free.times().expiresAt()).isEqualTo(later.plus(RETENTION));
        assertThat(free.times().forgetAt()).isEqualTo(later.plus(RETENTION).plus(TOMBSTONE));
    }

    /** Only a re-send needs an open window. */
    @Test
    void attempts_thatSendANativeKeyAgain_areToldFromThoseThatFollowEvidence() {
        var doubt = quiescent(in(State.IN_DOUBT));
        var resend = new Event.Resend(OWN, NEW, SPANS);

        assertThat(StateMachine.isResent(firstAttempt(doubt))).isFalse();
        assertThat(StateMachine.isResent(
                        MACHINE.decide(doubt, resend, NOW).toWrite().next()))
                .isTrue();
        assertThat(StateMachine.isResent(MACHINE.decide(doubt, reExecute(OWN, false), NOW)
                        .toWrite()
                        .next()))
                .isFalse();
        assertThat(StateMachine.isResent(
                        MACHINE.decide(lapsed(in(State.IN_FLIGHT)), new Event.TakeOver(OWN, NEW, SPANS), NOW)
                                .toWrite()
                                .next()))
                .isFalse();
        assertThat(StateMachine.isResent(doubt.with().attempt(5).build()))
                .as("unknown: the strict answer")
                .isTrue();
    }

    @Test
    void window_thatNeverEnds_isOpenForGood() {
        var endless = new RecoveryTerms(
                RecoveryTerms.Policy.NATIVE, RecoveryTerms.WhenMissing.HOLD, null, ProviderProfile.ENDLESS);
        var doubt = in(State.IN_DOUBT).with().terms(endless).build();

        assertThat(render(MACHINE.decide(doubt, new Event.Resend(OWN, NEW, SPANS), NOW.plus(Duration.ofDays(36_000)))))
                .isEqualTo("IN_FLIGHT");
    }

    @Test
    void quiescence_atItsVeryEnd_isReached() {
        var doubt = in(State.IN_DOUBT);
        Instant end = doubt.times().stateSince().plus(QUIESCENCE);

        for (Event event : List.of(reExecute(OWN, false), new Event.Close(OWN, false, SPANS))) {
            assertThat(render(MACHINE.decide(doubt, event, end.minus(TICK)))).isEqualTo("R:NOT_QUIESCENT");
            assertThat(render(MACHINE.decide(doubt, event, end))).isIn("IN_FLIGHT", "CLOSED");
        }
    }

    @Test
    void lease_atItsVeryEnd_isOver() {
        var flight = in(State.IN_FLIGHT);
        Instant end = flight.times().leaseUntil();

        assertThat(render(MACHINE.decide(flight, new Event.Expire(OWN), end.minus(TICK))))
                .isEqualTo("R:NOT_YET");
        assertThat(render(MACHINE.decide(flight, new Event.Expire(OWN), end))).isEqualTo("IN_DOUBT");
        assertThat(render(MACHINE.decide(flight, Standing.reserve(FINGERPRINT, NEW), end.minus(TICK))))
                .isEqualTo("R:WAIT");
        assertThat(render(MACHINE.decide(flight, Standing.reserve(FINGERPRINT, NEW), end)))
                .isEqualTo("R:LAPSED");
    }

    @Test
    void record_atTheVeryEndOfItsTombstone_isForgotten() {
        var completed = in(State.COMPLETED);
        Instant end = completed.times().forgetAt();

        assertThat(render(MACHINE.decide(completed, new Event.Purge(), end.minus(TICK))))
                .isEqualTo("R:NOT_YET");
        assertThat(render(MACHINE.decide(completed, new Event.Purge(), end))).isEqualTo("forgotten");
    }

    // ---- history

    @ParameterizedTest
    @EnumSource(State.class)
    void evidence_offeredAgain_isNotWrittenAgain_butTheAlarmIsRepeated(State state) {
        var event = complete(STALE, OTHER_RESULT);
        Decision first = MACHINE.decide(in(state), event, NOW);

        Decision again = MACHINE.decide(first.toWrite().next(), event, NOW.plusSeconds(5));

        assertThat(again.write()).isNull();
        assertThat(again.verdict()).isEqualTo(first.verdict());
        assertThat(again.reason()).isEqualTo(first.reason());
        assertThat(again.alarm()).isEqualTo(first.alarm());
    }

    @Test
    void evidence_ofAnotherKindAttemptOrResult_isWrittenToo() {
        var line = MACHINE.decide(in(State.IN_DOUBT), complete(STALE, RESULT), NOW)
                .toWrite()
                .next();
        var otherAttempt = new Event.Complete(STALE, 3, 7, RESULT, SPANS);
        var otherResult = complete(STALE, OTHER_RESULT);
        var otherKind = line.with().state(State.CLOSED).build();

        assertThat(MACHINE.decide(line, otherAttempt, NOW).toWrite().next().evidence())
                .hasSize(3);
        assertThat(MACHINE.decide(line, otherResult, NOW).toWrite().next().evidence())
                .hasSize(3);
        assertThat(MACHINE.decide(otherKind, complete(STALE, RESULT), NOW)
                        .toWrite()
                        .next()
                        .evidence())
                .hasSize(3);
    }

    @Test
    void history_whenFull_dropsItsOldestLines_butNoOverride() {
        var lines = new ArrayList<Evidence>();
        for (int i = 1; i <= StateMachine.MAX_EVIDENCE; i++) {
            Evidence.Kind kind = i == 1 || i == 3 ? Kind.OVERRIDE : Kind.RESENT;
            lines.add(new Evidence(kind, NOW, i, "line " + i, null));
        }
        var full = in(State.IN_FLIGHT).with().evidence(lines).build();

        var next = MACHINE.decide(full, new Event.MarkInDoubt(OWN, "timed out"), NOW)
                .toWrite()
                .next();

        assertThat(next.evidence()).hasSize(StateMachine.MAX_EVIDENCE);
        assertThat(next.evidence().stream().map(Evidence::detail).limit(3))
                .containsExactly("line 1", "line 3", "line 4");
        assertThat(next.evidence().get(StateMachine.MAX_EVIDENCE - 1).detail()).isEqualTo("timed out");
    }

    @Test
    void history_withRoomForOneLine_keepsAll() {
        var lines = new ArrayList<Evidence>();
        for (int i = 1; i < StateMachine.MAX_EVIDENCE; i++) {
            lines.add(new Evidence(Kind.RESENT, NOW, i, "line " + i, null));
        }
        var almostFull = in(State.IN_FLIGHT).with().evidence(lines).build();

        var next = MACHINE.decide(almostFull, new Event.MarkInDoubt(OWN, "timed out"), NOW)
                .toWrite()
                .next();

        assertThat(next.evidence()).hasSize(StateMachine.MAX_EVIDENCE);
        assertThat(next.evidence().get(0).detail()).isEqualTo("line 1");
    }

    @Test
    void history_ofOverridesAlone_growsBeyondItsLimit() {
        var lines = new ArrayList<Evidence>();
        for (int i = 1; i <= StateMachine.MAX_EVIDENCE; i++) {
            lines.add(new Evidence(Kind.OVERRIDE, NOW, i, "line " + i, null));
        }
        var full = in(State.COMPLETED).with().evidence(lines).build();

        var next = MACHINE.decide(full, overrule(41, OWN), NOW).toWrite().next();

        assertThat(next.evidence()).hasSize(StateMachine.MAX_EVIDENCE + 1).startsWith(lines.toArray(new Evidence[0]));
    }

    @Test
    void decision_withoutAWrite_saysSoWhenAskedForIt() {
        assertThatThrownBy(() -> Decision.refused(Decision.Reason.WAIT).toWrite())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("REFUSED WAIT has nothing to write");
    }
}
