package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisException;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CountedCommandTest {
    private static boolean mayHaveWritten(int sent, Throwable failure, String... replies) {
        var refused = new AtomicInteger();
        var output = CountedCommand.scriptOutput(refused);
        var command = new CountedCommand<>(
                new Command<>(CommandType.EVALSHA, output, new CommandArgs<>(ByteArrayCodec.INSTANCE).add("sha")),
                refused);
        for (var reply : replies) {
            output.setError(ByteBuffer.wrap(reply.getBytes(StandardCharsets.UTF_8)));
        }
        for (var i = 0; i < sent; i++) {
            var buffer = Unpooled.buffer();
            command.encode(buffer);
            assertThat(buffer.readableBytes()).isPositive();
        }
        return command.failed(failure).mayHaveWritten();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "READONLY You can't write against a read only replica.",
                "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
                "LOADING Redis is loading the dataset in memory",
                "NOSCRIPT No matching script. Please use EVAL.",
                "NOAUTH Authentication required.",
                "NOPERM this user has no permissions to run the 'evalsha' command",
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                "NOREPLICAS Not enough good replicas to write.",
                "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
                "BUSY Redis is busy running a script.",
                "CLUSTERDOWN The cluster is down",
                "MOVED 1234 127.0.0.1:7000"
            })
    void refusal_ofACommandSentOnce_isCertain(String message) {
        var refusal = new RedisCommandExecutionException(message);

        assertThat(mayHaveWritten(1, refusal, message)).isFalse();
        assertThat(mayHaveWritten(2, refusal, message)).isTrue();
    }

    /** While a slot moves, the old node redirects and the new one refuses: the command was sent twice and run by nobody. */
    @Test
    void refusal_afterARedirect_isCertain() {
        var tryAgain = "TRYAGAIN Multiple keys request during rehashing of slot";
        var refusal = new RedisCommandExecutionException(tryAgain);

        assertThat(mayHaveWritten(2, refusal, "ASK 42 127.0.0.1:7000", tryAgain))
                .isFalse();
        assertThat(mayHaveWritten(3, refusal, "ASK 42 127.0.0.1:7000", tryAgain))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NOPERM this user has no permissions to run the 'set' command script: abc, on @user_script:131.",
                "OOM command not allowed when used memory > 'maxmemory'. script: abc, on @user_script:4.",
                "ERR something else",
                "UNKILLABLE ...",
                "WRONGTYPE Operation against a key holding the wrong kind of value script: abc, on @user_script:4."
            })
    void error_ofACommandThatHadBegun_isNotCertain(String message) {
        assertThat(mayHaveWritten(1, new RedisCommandExecutionException(message), message))
                .isTrue();
    }

    @Test
    void connectionLost_isCertainOnlyOfACommandThatWasNeverSent() {
        assertThat(mayHaveWritten(0, new RedisException("Currently not connected")))
                .isFalse();
        assertThat(mayHaveWritten(1, new RedisException("Connection closed"))).isTrue();
        assertThat(mayHaveWritten(0, new RedisCommandTimeoutException("timed out")))
                .isTrue();
    }
}
