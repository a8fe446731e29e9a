package dev.idempotency.cli;

import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Slows down whoever guesses, address by address, and says so in the log. Thread-safe. */
final class WrongSecrets {
    private static final Logger LOG = LoggerFactory.getLogger(WrongSecrets.class);
    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration BETWEEN_LINES = Duration.ofMinutes(1);
    private static final int AT_ONCE = 4;

    private final ConcurrentMap<InetAddress, Integer> waiting = new ConcurrentHashMap<>();
    private final AtomicLong number = new AtomicLong();
    private final AtomicLong lastLine = new AtomicLong(System.nanoTime() - BETWEEN_LINES.toNanos());

    /** Refuses an address from which so many wrong secrets have just come that none is looked at any more. */
    void requireFew(InetAddress from) {
        if (waiting.getOrDefault(from, 0) >= AT_ONCE) {
            throw new Refusal(429, "Too many wrong secrets came from this address. Try again in a second.");
        }
    }

    /** Called for each wrong secret; takes a while. */
    void met(InetAddress from) {
        long all = number.incrementAndGet();
        long last = lastLine.get();
        long now = System.nanoTime();
        if (now - last >= BETWEEN_LINES.toNanos() && lastLine.compareAndSet(last, now)) {
            LOG.warn("Somebody at {} does not know the secret; {} wrong ones since the console was started", from, all);
        }
        waiting.merge(from, 1, Integer::sum);
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            waiting.computeIfPresent(from, (same, many) -> many == 1 ? null : many - 1);
        }
    }
}
