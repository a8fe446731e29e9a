package dev.idempotency.testkit;

import dev.idempotency.testkit.HttpProviderSimulator.Gate;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Which request is held where. Each gate holds one request, the first that comes. Thread-safe. */
final class Gates {
    private record Held(Gate gate, AtomicBoolean taken, CountDownLatch arrived, CountDownLatch open) {}

    private final ConcurrentMap<String, Held> held = new ConcurrentHashMap<>();

    void hold(String reference, Gate gate) {
        Held before =
                held.put(reference, new Held(gate, new AtomicBoolean(), new CountDownLatch(1), new CountDownLatch(1)));
        if (before != null) {
            before.open().countDown();
        }
    }

    /** Tells whether a request stands at the gate of its reference; waits for it. */
    boolean await(String reference, Duration atMost) throws InterruptedException {
        Held here = held.get(reference);
        return here != null && here.arrived().await(atMost.toNanos(), TimeUnit.NANOSECONDS);
    }

    void open(String reference) {
        Held here = held.remove(reference);
        if (here != null) {
            here.open().countDown();
        }
    }

    /** A request comes to a gate. Returns when it may go on. */
    void pass(String reference, Gate gate) throws IOException {
        Held here = held.get(reference);
        if (here == null || here.gate() != gate || here.taken().getAndSet(true)) {
            return;
        }
        here.arrived().countDown();
        try {
            here.open().await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("the simulator is being closed");
        }
    }
}
