package dev.idempotency.slack;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/** Two bots that answer each other: seen by how often bots write in one thread. Counts in this process alone. */
final class LoopBreaker {
    private static final int MOST_THREADS = 10_000;

    private final int most;
    private final Cache<String, AtomicInteger> counts;

    /** Lets so many messages of bots through in a thread, within a time that begins with the first of them. */
    LoopBreaker(int most, Duration within, Ticker ticker) {
        this.most = most;
        this.counts = Caffeine.newBuilder()
                .ticker(ticker)
                .expireAfterWrite(within)
                .maximumSize(MOST_THREADS)
                .build();
    }

    /** Counts a message; says whether it is one too many. */
    boolean isLoop(SlackEvent event) {
        if (!SlackBots.isByBot(event)) {
            return false;
        }
        String thread = Objects.requireNonNullElse(event.threadTs(), "");
        String key = String.join(":", String.valueOf(event.appId()), String.valueOf(event.channel()), thread);
        return counts.get(key, k -> new AtomicInteger()).incrementAndGet() > most;
    }
}
