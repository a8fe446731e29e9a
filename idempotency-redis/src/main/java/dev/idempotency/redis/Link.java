package dev.idempotency.redis;

import dev.idempotency.store.StoreException;
import io.lettuce.core.ReadFrom;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.models.role.RedisInstance;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.List;

/** The way to the server, or to the masters of a Cluster: one connection to each, shared by all threads. Thread-safe. */
interface Link extends AutoCloseable {
    /** What leads to the master of a key. */
    StatefulConnection<byte[], byte[]> to(byte[] key);

    /** The very connection on which {@link #to} has its commands sent: what a WAIT must go through. */
    StatefulConnection<byte[], byte[]> directlyTo(byte[] key);

    /** A connection of its own for what is published. */
    StatefulRedisPubSubConnection<byte[], byte[]> pubSub();

    /** A connection to each server that has records. */
    List<StatefulRedisConnection<byte[], byte[]>> masters();

    /** Whether no write is to be sent at present, because the master is about to be replaced. */
    default boolean isHeld() {
        return false;
    }

    /**
     * Told by whom a server refused because it is a replica: goes where the master is now.
     *
     * @return whether it is worth to try again
     */
    default boolean leave(StatefulConnection<byte[], byte[]> replica) {
        return false;
    }

    @Override
    void close();

    static Link to(RedisClusterClient client, Duration timeout) {
        StatefulRedisClusterConnection<byte[], byte[]> connection = client.connect(ByteArrayCodec.INSTANCE);
        connection.setTimeout(timeout);
        connection.setReadFrom(ReadFrom.UPSTREAM);
        return new Link() {
            @Override
            public StatefulConnection<byte[], byte[]> to(byte[] key) {
                return connection;
            }

            @Override
            public StatefulConnection<byte[], byte[]> directlyTo(byte[] key) {
                RedisClusterNode master = connection.getPartitions().getMasterBySlot(SlotHash.getSlot(key));
                if (master == null) {
                    throw new StoreException("No master is known for slot " + SlotHash.getSlot(key), false, null);
                }
                // By host and port: what commands are sent on that go by slot.
                return connection.getConnection(
                        master.getUri().getHost(), master.getUri().getPort());
            }

            @Override
            public StatefulRedisPubSubConnection<byte[], byte[]> pubSub() {
                return client.connectPubSub(ByteArrayCodec.INSTANCE);
            }

            @Override
            public List<StatefulRedisConnection<byte[], byte[]>> masters() {
                return connection.getPartitions().stream()
                        .filter(node -> node.getRole() == RedisInstance.Role.UPSTREAM
                                && !node.getSlots().isEmpty())
                        .map(node -> connection.getConnection(
                                node.getUri().getHost(), node.getUri().getPort()))
                        .toList();
            }

            @Override
            public void close() {
                connection.close();
            }
        };
    }
}
