package dev.idempotency.testkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.TimeZone;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class ChildJvmTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    /** Echoes its input. */
    static final class Echo {
        public static void main(String[] args) throws IOException {
            System.out.println("ready " + String.join(",", args));
            var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                switch (line) {
                    case "halt" -> {
                        System.out.println("halting");
                        Runtime.getRuntime().halt(7);
                    }
                    case "zone" -> System.out.println(TimeZone.getDefault().getID());
                    default -> System.out.println("echo " + line);
                }
            }
        }
    }

    /** Has a child of its own, whose process id it prints. */
    static final class Parent {
        public static void main(String[] args) {
            System.out.println("grandchild " + ChildJvm.start(Echo.class).pid());
            System.out.println(System.getProperty("none"));
        }
    }

    @Test
    void child_started_takesArgumentsAndLines() throws Exception {
        try (var child = ChildJvm.start(Echo.class, "a", "b c")) {
            assertThat(child.await(line -> line.startsWith("ready"), LONG)).isEqualTo("ready a,b c");
            child.send("one");
            child.send("two");
            assertThat(child.await(line -> line.contains("two"), LONG)).isEqualTo("echo two");
            assertThat(child.output()).containsExactly("ready a,b c", "echo one", "echo two");
            assertThat(child.isAlive()).isTrue();
        }
    }

    @Test
    void child_withJvmOptions_hasThem() throws Exception {
        try (var child = ChildJvm.start(List.of("-Duser.timezone=Pacific/Kiritimati"), Echo.class)) {
            child.send("zone");
            assertThat(child.await(line -> line.contains("/"), LONG)).isEqualTo("Pacific/Kiritimati");
        }
    }

    @Test
    void child_thatHalts_saidWhatItSaid() throws Exception {
        try (var child = ChildJvm.start(Echo.class)) {
            child.send("halt");
            assertThat(child.awaitExit(LONG)).isEqualTo(7);
            assertThat(child.output()).endsWith("halting");
            assertThatThrownBy(() -> child.await("never"::equals, LONG))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("halting");
        }
    }

    @Test
    void child_killed_isGone() throws Exception {
        var child = ChildJvm.start(Echo.class);
        child.await(line -> line.startsWith("ready"), LONG);
        child.kill();

        assertThat(ProcessHandle.of(child.pid()).filter(ProcessHandle::isAlive)).isEmpty();
        assertThat(child.awaitExit(LONG)).isEqualTo(128 + 9);
    }

    @Test
    void child_frozen_saysNothingUntilItIsThawed() throws Exception {
        try (var child = ChildJvm.start(Echo.class)) {
            child.await(line -> line.startsWith("ready"), LONG);
            child.freeze();
            child.send("hello");
            assertThatThrownBy(() -> child.await("echo hello"::equals, Duration.ofMillis(300)))
                    .isInstanceOf(TimeoutException.class);
            assertThat(child.isAlive()).isTrue();
            child.thaw();
            assertThat(child.await("echo hello"::equals, LONG)).isEqualTo("echo hello");
        }
    }

    @Test
    void child_frozenAndKilled_isGone() throws Exception {
        var child = ChildJvm.start(Echo.class);
        child.await(line -> line.startsWith("ready"), LONG);
        child.freeze();
        child.kill();

        assertThat(child.isAlive()).isFalse();
    }

    @Test
    void child_ofAKilledParent_ends() throws Exception {
        var parent = ChildJvm.start(Parent.class);
        String line = parent.await(said -> said.startsWith("grandchild"), LONG);
        var grandchild =
                ProcessHandle.of(Long.parseLong(line.replaceAll("\\D", ""))).orElseThrow();
        parent.kill();

        assertThat(Waiting.until(LONG, () -> !grandchild.isAlive())).isTrue();
    }
}
