package dev.idempotency.benchmarks;

import dev.idempotency.benchmarks.Subject.Closing;
import dev.idempotency.benchmarks.Subject.Kind;
import dev.idempotency.redis.RedisIdempotencyStore;
import io.lettuce.core.RedisClient;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.StringCodec;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import org.redisson.Redisson;
import org.redisson.api.RBucket;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.integration.redis.metadata.RedisMetadataStore;

/** On Redis. */
final class RedisSubjects {
    private static final Duration RETENTION = Duration.ofDays(7);
    private static final String RESERVED = "?";
    /** Who records must be who has reserved. */
    private static final String RECORD = "local v = redis.call('GET', KEYS[1]) if v ~= ARGV[1] then return v end "
            + "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return ARGV[1]";

    private RedisSubjects() {}

    /** Two commands through one connection of Lettuce: reserve under a token if nothing stands, record under that token. */
    static Subject raw(Server redis, Downstream downstream) {
        RedisClient client = RedisClient.create(redis.url());
        StatefulRedisConnection<String, String> connection = client.connect(StringCodec.UTF8);
        RedisCommands<String, String> commands = connection.sync();
        String script = commands.scriptLoad(RECORD);
        String retention = Long.toString(RETENTION.toMillis());
        SetArgs reserving = SetArgs.Builder.nx().px(RETENTION.toMillis());
        return new Subject(
                "raw SET NX GET + EVALSHA; GET (Lettuce)",
                Kind.LIMIT,
                order -> {
                    String key = "raw:" + order.orderId();
                    var random = ThreadLocalRandom.current();
                    String token = RESERVED + new UUID(random.nextLong(), random.nextLong());
                    String standing = commands.setGet(key, token, reserving);
                    if (standing != null) {
                        return standing;
                    }
                    String result = downstream.call();
                    String recorded = commands.evalsha(
                            script, ScriptOutputType.VALUE, new String[] {key}, token, result, retention);
                    if (!token.equals(recorded)) {
                        throw new IllegalStateException("not recorded");
                    }
                    return result;
                },
                order -> commands.get("raw:" + order.orderId()),
                client::shutdown);
    }

    static Subject library(Server redis, Downstream downstream) {
        return library(redis, (store, closing) -> Library.on(store, downstream, closing));
    }

    static Subject many(Server redis, Downstream downstream) {
        return library(redis, (store, closing) -> Library.many(store, downstream, closing));
    }

    static Subject near(Server redis, Downstream downstream) {
        return library(redis, (store, closing) -> Library.near(store, downstream, closing));
    }

    private static Subject library(Server redis, BiFunction<RedisIdempotencyStore, Closing, Subject> how) {
        RedisClient client = RedisClient.create(redis.url());
        RedisIdempotencyStore store = RedisIdempotencyStore.create(client);
        return how.apply(store, () -> {
            store.close();
            client.shutdown();
        });
    }

    static Subject redisson(Server redis, Downstream downstream) {
        var config = new Config();
        config.setCodec(org.redisson.client.codec.StringCodec.INSTANCE);
        config.useSingleServer().setAddress(redis.url());
        RedissonClient client = Redisson.create(config);
        Subject.Work work = order -> {
            RBucket<String> bucket = client.getBucket("redisson:" + order.orderId());
            if (!bucket.setIfAbsent(RESERVED, RETENTION)) {
                return bucket.get();
            }
            String result = downstream.call();
            bucket.setIfExists(result, RETENTION);
            return result;
        };
        Subject.Work replay =
                order -> client.<String>getBucket("redisson:" + order.orderId()).get();
        return new Subject(
                "Redisson RBucket setIfAbsent + setIfExists; get", Kind.PEER, work, replay, client::shutdown);
    }

    static Subject springIntegration(Server redis, Downstream downstream) {
        var uri = java.net.URI.create(redis.url());
        var factory = new LettuceConnectionFactory(new RedisStandaloneConfiguration(uri.getHost(), uri.getPort()));
        factory.afterPropertiesSet();
        factory.start();
        var store = new RedisMetadataStore(factory, "spring-integration");
        Subject.Work work = MetadataStoreWork.on(store, downstream);
        Closing close = factory::destroy;
        return new Subject(
                "Spring Integration RedisMetadataStore", Kind.PEER, work, order -> store.get(order.orderId()), close);
    }
}
