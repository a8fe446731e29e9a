package dev.idempotency.slack;

import dev.idempotency.Attempt;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.ResultUnavailableException;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.VersionGuard;
import dev.idempotency.slack.Handled.Outcome;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** One consumer at work: its handler runs as the call of an operation, whose key is what the event is about. */
final class Consuming {
    private static final int LONGEST_KEY = 200;

    private final SlackConsumer consumer;
    private final Operation<Work, String> operation;
    private final VersionGuard guard;
    private final Duration retention;

    /** An event to be handled; the engine sees the key alone. */
    private record Work(String key, SlackEvent event, AtomicBoolean isRun) {}

    /** What a handler threw, so that the engine takes nothing in it for the outcome of the handler itself. */
    static final class HandlerFailedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        HandlerFailedException(Exception cause) {
            super("The handler failed", cause);
        }
    }

    Consuming(SlackConsumer consumer, Idempotency idempotency, VersionGuard guard, SlackWorker.Settings settings) {
        this.consumer = consumer;
        this.guard = guard;
        this.retention = settings.retention();
        var described = idempotency
                .operation("slack." + consumer.name(), Work.class, String.class)
                .key(Work::key)
                .fingerprint(Work::key)
                // A handler may run again: its writes are known by their keys for as long as they are remembered.
                .recovery(Recovery.nativeKey(settings.itself()))
                .lease(settings.lease())
                .retention(settings.retention());
        Duration beyond = settings.remembered().minus(settings.retention());
        if (!beyond.isNegative() && !beyond.isZero()) {
            // That a handler has run is known for as long as its writes are: only then its time begins anew.
            described.tombstone(beyond);
        }
        this.operation = described.calling(this::call);
    }

    SlackConsumer consumer() {
        return consumer;
    }

    /**
     * Lets the consumer handle an event, unless it has.
     *
     * @throws RuntimeException if it did not come to an end: to be tried again
     */
    Outcome handle(SlackEvent event, Identities identities) {
        if (!consumer.wants(event)) {
            return Outcome.LEFT_OUT;
        }
        Optional<IdempotencyKey> entity = consumer.isOrdered(event)
                ? identities.entity(event).map(id -> new IdempotencyKey("slack." + consumer.name(), id))
                : Optional.empty();
        Optional<EntityVersion> version = SlackKeys.version(event);
        boolean isOrdered = entity.isPresent() && version.isPresent();
        if (isOrdered && guard.compare(entity.get(), version.get()) == VersionGuard.Verdict.STALE) {
            return Outcome.STALE;
        }
        Identities.Identity identity = identities.of(event);
        boolean isTyped =
                consumer.handler().tellsTypesApart() && SlackKeys.message(event).isPresent();
        String key = isTyped ? SlackKeys.ofType(identity.key(), event.type()) : identity.key();
        var work = new Work(key, event, new AtomicBoolean());
        try {
            operation.execute(work);
        } catch (ResultUnavailableException e) {
            // It was handled: nothing else is in the result.
        }
        if (isOrdered) {
            // Only now: a version that fails must not take older ones with it.
            guard.advance(entity.get(), version.get(), retention);
        }
        if (work.isRun.get()) {
            return Outcome.HANDLED;
        }
        return identity.isOtherMessage() ? Outcome.DUPLICATE_ACT : Outcome.DUPLICATE;
    }

    private String call(Work work, Attempt attempt) {
        // The handler's writes are known by keys of their own, the same in every run.
        attempt.nativeKey();
        work.isRun.set(true);
        try {
            consumer.handler().handle(work.event, new Context(work));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HandlerFailedException(e);
        } catch (Exception e) {
            throw new HandlerFailedException(e);
        }
        return "handled";
    }

    private final class Context implements HandlerContext {
        private final Work work;

        Context(Work work) {
            this.work = work;
        }

        @Override
        public String key(String purpose) {
            if (!purpose.matches("[A-Za-z0-9._-]{1,50}")) {
                throw new IllegalArgumentException(
                        "purpose must be 1 to 50 letters, digits, dots, hyphens and underscores");
            }
            String key = String.join(":", consumer.name(), work.key, purpose);
            return key.length() <= LONGEST_KEY ? key : SlackKeys.digested(consumer.name(), work.key, purpose);
        }

        @Override
        public Optional<EntityVersion> version() {
            return SlackKeys.version(work.event);
        }
    }
}
