package dev.idempotency.redis;

import dev.idempotency.store.WakingStore;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Who wants to be told of which record: one connection for all, subscribed to the records that somebody waits for and to no
 * others. A record's channel has the record's name. Thread-safe.
 */
final class WakeUps implements AutoCloseable {
    private final StatefulRedisPubSubConnection<byte[], byte[]> connection;
    private final ConcurrentMap<ByteBuffer, Set<Runnable>> waiting = new ConcurrentHashMap<>();

    WakeUps(StatefulRedisPubSubConnection<byte[], byte[]> connection) {
        this.connection = connection;
        connection.addListener(new RedisPubSubAdapter<>() {
            @Override
            public void message(byte[] channel, byte[] message) {
                waiting.getOrDefault(ByteBuffer.wrap(channel), Set.of()).forEach(Runnable::run);
            }
        });
    }

    /** Nothing waits for the server here: a subscription that fails is a notice that is lost. */
    WakingStore.Watch watch(byte[] channel, Runnable wake) {
        var own = new Runnable() {
            @Override
            public void run() {
                wake.run();
            }
        };
        waiting.compute(ByteBuffer.wrap(channel), (key, others) -> {
            Set<Runnable> all = others;
            if (all == null) {
                all = ConcurrentHashMap.newKeySet();
                var unused = connection.async().subscribe(channel);
            }
            all.add(own);
            return all;
        });
        return () -> waiting.computeIfPresent(ByteBuffer.wrap(channel), (key, all) -> {
            all.remove(own);
            if (!all.isEmpty()) {
                return all;
            }
            var unused = connection.async().unsubscribe(channel);
            return null;
        });
    }

    /** How many records somebody waits for. */
    int size() {
        return waiting.size();
    }

    @Override
    public void close() {
        connection.close();
    }
}
