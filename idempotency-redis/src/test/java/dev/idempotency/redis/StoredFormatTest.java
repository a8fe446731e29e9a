package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.store.AttemptToken;
import dev.idempotency.testkit.StoredFormat;
import io.lettuce.core.ScoredValue;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What each format has left on a server is kept as the commands that bring it back, and read by the code of today.
 * {@code -Dstored.format.write=true} writes the newest one anew.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class StoredFormatTest {
    private static final int NEWEST = 1;
    private static final String PREFIX = "stored-format";
    private static final HexFormat HEX = HexFormat.of();

    private final StatefulRedisConnection<byte[], byte[]> connection =
            Redises.Standalone.CLIENT.connect(ByteArrayCodec.INSTANCE);
    private final RedisCommands<byte[], byte[]> redis = connection.sync();
    private RedisIdempotencyStore store;

    @BeforeEach
    void begin() {
        names().forEach(name -> redis.del(HEX.parseHex(name)));
        store = Redises.standalone().prefix(PREFIX).build();
    }

    @AfterEach
    void end() {
        store.close();
        names().forEach(name -> redis.del(HEX.parseHex(name)));
        connection.close();
    }

    private static Path file(int format, String name) {
        return Path.of("src/test/resources/dev/idempotency/redis/format-" + format, name);
    }

    private List<String> names() {
        return redis.keys("{" + PREFIX + ":*").stream()
                .map(HEX::formatHex)
                .sorted()
                .toList();
    }

    private String described() {
        return StoredFormat.describe(store, store.inbox(), store.versionGuard());
    }

    /** Each value as the command that writes it, all but the command in hexadecimal digits. */
    private List<String> commands() {
        var commands = new ArrayList<String>();
        for (String name : names()) {
            byte[] key = HEX.parseHex(name);
            switch (redis.type(key)) {
                case "string" -> commands.add("SET " + name + " " + HEX.formatHex(redis.get(key)));
                case "hash" -> {
                    var fields = new TreeMap<String, String>();
                    redis.hgetall(key)
                            .forEach((field, value) -> fields.put(HEX.formatHex(field), HEX.formatHex(value)));
                    fields.forEach((field, value) -> commands.add("HSET " + name + " " + field + " " + value));
                }
                case "zset" -> {
                    for (ScoredValue<byte[]> entry : redis.zrangeWithScores(key, 0, -1)) {
                        commands.add("ZADD " + name + " " + hex("%.0f".formatted(entry.getScore())) + " "
                                + HEX.formatHex(entry.getValue()));
                    }
                }
                default -> throw new AssertionError("the library writes no " + redis.type(key));
            }
        }
        return commands;
    }

    private static String hex(String text) {
        return HEX.formatHex(Layout.bytes(text));
    }

    private void run(String command) {
        String[] words = command.split(" ", -1);
        byte[][] args = Arrays.stream(words).skip(1).map(HEX::parseHex).toArray(byte[][]::new);
        switch (words[0]) {
            case "SET" -> redis.set(args[0], args[1]);
            case "HSET" -> redis.hset(args[0], args[1], args[2]);
            case "ZADD" ->
                redis.zadd(args[0], Double.parseDouble(new String(args[1], StandardCharsets.UTF_8)), args[2]);
            default -> throw new AssertionError(command);
        }
    }

    /** What does not depend on the time: records without their seven times, payloads and acts without theirs. */
    private static List<String> withoutTimes(List<String> commands) {
        var left = new ArrayList<String>();
        for (String command : commands) {
            String[] words = command.split(" ", -1);
            byte[] key = HEX.parseHex(words[1]);
            String name = new String(key, StandardCharsets.UTF_8);
            if (words[0].equals("SET") && !name.contains("}:version:")) {
                left.add(name + " " + words[2].substring(0, 52) + " " + words[2].substring(52 + 2 * 7 * Long.BYTES));
            } else if (words[0].equals("SET")) {
                left.add(name + " " + words[2].substring(2 * Long.BYTES));
            } else if (words[0].equals("HSET") && name.contains("}:act:")) {
                left.add(name + " " + words[2] + " " + words[3].substring(2 * Long.BYTES));
            } else if (words[0].equals("HSET")) {
                boolean stays = List.of(hex("s"), hex("b"), hex("n"), hex("y")).contains(words[2]);
                left.add(name + " " + words[2] + " " + (stays ? words[3] : ""));
            } else {
                left.add(name);
            }
        }
        return left;
    }

    private static String withoutTokens(String command, List<AttemptToken> tokens) {
        return tokens.stream()
                .map(AttemptToken::value)
                .reduce(command, (left, token) -> left.replace(hex(token), hex("f".repeat(32))));
    }

    /** A change here is a change of the format: a version of its own once one was released. */
    @Test
    @Order(1)
    void newestFormat_isWrittenAsItIsKept() throws IOException {
        List<AttemptToken> tokens = StoredFormat.fill(store, store.inbox(), store.versionGuard());
        List<String> commands = commands().stream()
                .map(command -> withoutTokens(command, tokens))
                .toList();
        if (Boolean.getBoolean("stored.format.write")) {
            Files.createDirectories(file(NEWEST, "commands.txt").getParent());
            Files.write(file(NEWEST, "commands.txt"), commands);
            Files.writeString(file(NEWEST, "reads.txt"), described());
        }

        assertThat(withoutTimes(commands)).isEqualTo(withoutTimes(Files.readAllLines(file(NEWEST, "commands.txt"))));
    }

    @ParameterizedTest
    @ValueSource(ints = 1)
    void format_asItIsKept_isReadAndGoesOn(int format) throws IOException {
        Files.readAllLines(file(format, "commands.txt")).forEach(this::run);

        assertThat(described()).isEqualTo(Files.readString(file(format, "reads.txt")));
    }
}
