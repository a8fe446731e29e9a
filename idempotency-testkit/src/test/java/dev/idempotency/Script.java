package dev.idempotency;

import dev.idempotency.Simulation.Faults;
import dev.idempotency.Simulation.Request;
import dev.idempotency.Simulation.World;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.Submission;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A world in which a test decides, step by step, what happens when. */
final class Script {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    static final IdempotencyKey KEY = new IdempotencyKey("charge", "order");

    private final OperationSpec<Request, String> spec;
    private final Faults faults;
    private final EffectLedger ledger = EffectLedger.inMemory();
    private final SimulatedProvider provider;
    private final SimulatedStore records;
    private final IdempotencyStore store;
    private final List<Lease> leases = new ArrayList<>();
    private Instant now = START;
    private Duration clockAhead = Duration.ZERO;
    private int drawn;

    Script(World world) {
        spec = Simulation.operation(world).spec;
        faults = world.faults();
        provider = new SimulatedProvider(world.provider(), ledger, () -> now);
        records = new SimulatedStore(this::storeTime, problem -> {}, ledger::append);
        store = faults.store().around(records, this::storeTime);
    }

    void elapse(Duration duration) {
        now = now.plus(duration);
    }

    /** The store's clock is ahead by so much from now on. */
    void setClockAhead(Duration by) {
        clockAhead = by;
    }

    private Instant storeTime() {
        return now.plus(clockAhead);
    }

    /** Time passes, and the latest lease is renewed all the while. */
    void elapseRenewing(Duration duration) {
        Instant end = now.plus(duration);
        while (now.isBefore(end)) {
            elapse(Duration.ofSeconds(3));
            Step<Boolean> step = leases.get(leases.size() - 1).renew();
            while (step instanceof Step.Ask<Boolean> ask) {
                step = ask.then().apply(new Step.Reply(ask.request().run().apply(store), null));
            }
        }
    }

    /** The row is gone, as if release removed it. */
    void forget() {
        records.lose(KEY);
    }

    void purge() {
        records.purge(100);
    }

    void replace(IdempotencyRecord expected, Decision decision) {
        store.replace(expected, decision.toWrite());
    }

    int effects() {
        return provider.ledger().count();
    }

    IdempotencyRecord record() {
        return Objects.requireNonNull(records.record(KEY), "record");
    }

    /** A run of the same request, in the process of that number. */
    Run run(int process) {
        return new Run(process);
    }

    final class Run {
        private final Execution<Request, String> execution;
        private Step<Answer<String>> step;
        private Step.@Nullable Reply withheld;

        private Run(int process) {
            var ports = new Ports(
                    () -> faults.frozenClock()
                            ? 0
                            : Duration.between(START, now).toNanos(),
                    () -> faults.tokens() == null
                            ? AttemptToken.random()
                            : faults.tokens().next(process, ++drawn),
                    faults.machine(),
                    tries -> 100L,
                    leases::add,
                    event -> {});
            var request = new Request("order", "A");
            execution = new Execution<>(spec, ports, request, KEY, new Fingerprint("test", "a"));
            step = execution.start();
        }

        /** Asks the store until something else is to be done. */
        Run go() {
            while (step instanceof Step.Ask<Answer<String>> ask) {
                step = ask.then().apply(new Step.Reply(ask.request().run().apply(store), null));
            }
            return this;
        }

        /** One step of the store is done, but its reply is not heard yet: the process stands still. */
        Run standStill() {
            withheld = new Step.Reply(asking().request().run().apply(store), null);
            return this;
        }

        Run resume() {
            step = asking().then().apply(Objects.requireNonNull(withheld, "withheld"));
            return this;
        }

        /** One step of the store is done, and its reply is lost. */
        Run replyLost() {
            var unheard = asking().request().run().apply(store);
            return requestLost();
        }

        /** One step of the store is not done, and nobody says so. */
        Run requestLost() {
            if (faults.answersUnconfirmed() && asking().request().name().equals("complete")) {
                step = asking().then().apply(new Step.Reply(new Snapshot(true, record(), storeTime()), null));
            } else {
                step = asking().then().apply(new Step.Reply(null, new StoreException("no reply", true, null)));
            }
            return this;
        }

        Run afterPause() {
            step = ((Step.Pause<Answer<String>>) step).then().get();
            return this;
        }

        /** The call's request is on its way; it arrives when the test says so. */
        Submission sent() {
            var attempt = calling().attempt();
            return new Submission(
                    "request-" + attempt.record().token().value() + attempt.number(),
                    attempt.nativeKey(),
                    execution.request().order(),
                    execution.request().payload());
        }

        /** The last check before the first byte, as a careful call makes it. */
        boolean maySend() {
            try {
                calling().attempt().checkMaySend();
                return true;
            } catch (NotExecutedException e) {
                return false;
            }
        }

        Run hears(Effect effect) {
            step = calling().then().apply(new Step.Outcome(effect.effectId(), null));
            return this;
        }

        Run hearsReset() {
            // What was sent had the key in it.
            calling().attempt().nativeKey();
            step = calling().then().apply(new Step.Outcome(null, new IOException("reset")));
            return this;
        }

        Run hearsNotSent() {
            step = calling().then().apply(new Step.Outcome(null, new NotExecutedException("connection refused", null)));
            return this;
        }

        /** The provider is asked now; the answer is heard when the test says so. */
        Finding<String> lookUp() {
            var attempt = ((Step.Investigate<Answer<String>>) step).attempt();
            List<Effect> effects = provider.lookupByKey(attempt.nativeKey());
            return effects.isEmpty()
                    ? Finding.missing()
                    : Finding.found(effects.get(0).effectId());
        }

        Run hears(Finding<String> finding) {
            step = ((Step.Investigate<Answer<String>>) step).then().apply(new Step.Outcome(finding, null));
            return this;
        }

        boolean isCalling() {
            return step instanceof Step.Call;
        }

        boolean isInvestigating() {
            return step instanceof Step.Investigate;
        }

        boolean isWaiting() {
            return step instanceof Step.Pause;
        }

        @Nullable
        Answer<String> answer() {
            return step instanceof Step.Done<Answer<String>> done ? done.answer() : null;
        }

        private Step.Ask<Answer<String>> asking() {
            return (Step.Ask<Answer<String>>) step;
        }

        private Step.Call<Answer<String>> calling() {
            return (Step.Call<Answer<String>>) step;
        }
    }

    /** The request reaches the provider, which takes it in and does nothing. */
    void isRefused(Submission submission) {
        provider.refuse(submission);
    }

    /** The request reaches the provider. */
    Effect arrives(Submission submission) {
        Reply reply = provider.submit(submission);
        return reply instanceof Reply.Created created ? created.effect() : ((Reply.Replayed) reply).effect();
    }
}
