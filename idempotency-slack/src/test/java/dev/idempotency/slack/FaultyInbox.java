package dev.idempotency.slack;

import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.store.StoreException;
import dev.idempotency.testkit.ForwardingInbox;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** An inbox that fails or hangs when it is told to. */
final class FaultyInbox extends ForwardingInbox {
    enum Mode {
        WORKS,
        /** Refuses at once. */
        FAILS,
        /** Keeps the message, and says that it failed. */
        LIES,
        /** Does not answer until it is told something else. */
        HANGS
    }

    final AtomicInteger offers = new AtomicInteger();
    /** How many offers are being made. */
    final AtomicInteger underWay = new AtomicInteger();

    final AtomicInteger mostAtOnce = new AtomicInteger();
    private volatile Mode mode = Mode.WORKS;
    private volatile CountDownLatch released = new CountDownLatch(1);

    FaultyInbox(InboxStore to) {
        super(to);
    }

    /** What hangs until now goes on, and meets the new mode. */
    void become(Mode next) {
        CountDownLatch before = released;
        released = new CountDownLatch(1);
        mode = next;
        before.countDown();
    }

    @Override
    public Offered offer(InboxMessage message, Duration retention) {
        offers.incrementAndGet();
        mostAtOnce.accumulateAndGet(underWay.incrementAndGet(), Math::max);
        try {
            while (mode == Mode.HANGS) {
                CountDownLatch next = released;
                if (mode == Mode.HANGS) {
                    next.await();
                }
            }
            if (mode == Mode.FAILS) {
                throw failure();
            }
            Offered offered = super.offer(message, retention);
            if (mode == Mode.LIES) {
                throw failure();
            }
            return offered;
        } catch (InterruptedException e) {
            throw failure();
        } finally {
            underWay.decrementAndGet();
        }
    }

    private static StoreException failure() {
        return new StoreException("simulated", true, null);
    }
}
