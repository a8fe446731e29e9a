package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisException;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CountedCommandTest {
    private static boolean mayHaveWritten(int sent, Throwable failure) {
        var command = new CountedCommand<>(new Command<>(
                CommandType.EVALSHA,
                new IntegerOutput<>(ByteArrayCodec.INSTANCE),
                new CommandArgs<>(ByteArrayCodec.INSTANCE).add("sha")));
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

        assertThat(mayHaveWritten(1, refusal)).isFalse();
        assertThat(mayHaveWritten(2, refusal)).isTrue();
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
        assertThat(mayHaveWritten(1, new RedisCommandExecutionException(message)))
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
