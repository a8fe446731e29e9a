package dev.idempotency.examples.slack.events;

import com.sun.net.httpserver.HttpHandler;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.slack.Called;
import dev.idempotency.slack.SlackHandler;
import dev.idempotency.slack.SlackListener;
import dev.idempotency.testkit.ForwardingInbox;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Lets this process die at a step, the so-manieth time that it comes there, without a word to anybody: as {@code kill -9} would at
 * just that moment. Does nothing until it is ordered to. Thread-safe.
 */
final class HaltAt implements SlackListener {
    /** What the shell says of a process that was killed. */
    static final int STATUS = 137;

    private record Order(Step step, AtomicInteger left) {}

    private final AtomicReference<@Nullable Order> order = new AtomicReference<>();

    /**
     * Orders a death.
     *
     * @param text such as {@code after-claim:5}, for the fifth time from now
     * @throws IllegalArgumentException if it cannot be understood
     */
    void order(String text) {
        int colon = text.indexOf(':');
        order.set(new Order(
                Step.of(text.substring(0, colon)), new AtomicInteger(Integer.parseInt(text.substring(colon + 1)))));
    }

    private void at(Step here) {
        Order due = order.get();
        if (due != null && due.step() == here && due.left().decrementAndGet() == 0) {
            Runtime.getRuntime().halt(STATUS);
        }
    }

    /** A store that dies after an offer, a claim or an end. */
    InboxStore on(InboxStore store) {
        return new Dying(store);
    }

    /** An endpoint that dies when its answer is out. */
    HttpHandler on(HttpHandler endpoint) {
        return exchange -> {
            endpoint.handle(exchange);
            if (exchange.getResponseCode() == 200) {
                at(Step.AFTER_ACK);
            }
        };
    }

    /** A handler that dies when it is done. */
    SlackHandler on(SlackHandler handler) {
        return (event, context) -> {
            handler.handle(event, context);
            at(Step.AFTER_HANDLE);
        };
    }

    @Override
    public void onCalled(Called called) {
        if (called.method().equals("chat.postMessage") && called.outcome() == Called.Outcome.OK) {
            at(Step.AFTER_EFFECT);
        }
    }

    private final class Dying extends ForwardingInbox {
        Dying(InboxStore store) {
            super(store);
        }

        @Override
        public Offered offer(InboxMessage message, Duration retention) {
            Offered offered = super.offer(message, retention);
            if (offered == Offered.ACCEPTED) {
                at(Step.AFTER_OFFER);
            }
            return offered;
        }

        @Override
        public List<InboxClaim> claim(String queue, int limit, Duration lease) {
            List<InboxClaim> claims = super.claim(queue, limit, lease);
            if (!claims.isEmpty()) {
                at(Step.AFTER_CLAIM);
            }
            return claims;
        }

        @Override
        public boolean done(InboxClaim claim) {
            boolean isDone = super.done(claim);
            at(Step.AFTER_DONE);
            return isDone;
        }
    }
}
