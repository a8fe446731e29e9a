package dev.idempotency.cli;

import static dev.idempotency.cli.Operator.RULING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.idempotency.cli.Operator.Run;
import dev.idempotency.store.StoreException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How commands end that do not do what they say: with a code and a sentence, and without a stack trace. */
final class ExitCodesTest {
    private static final String SECRET = "geheim-9f86d081";

    private static final Servers.Place PLACE = Servers.postgres();

    private final Operator operator = new Operator(PLACE);

    @TempDir
    private Path directory;

    private static void assertEnds(Run run, ExitCode code) {
        assertThat(run.code()).as(run.out() + run.err()).isEqualTo(code.code());
        assertThat(run.out() + run.err()).doesNotContain("\tat ").doesNotContain(SECRET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "resolve",
                "unknown",
                "list --state COMPLETED",
                "list --limit 0",
                "list --older-than soon",
                "list --older-than P1M",
                "list --after nonsense",
                "list --state IN_FLIGHT --held",
                "list --prefix x",
                "show",
                "show charge-card",
                "show charge-card ''",
                "audit charge-card",
                "audit --before nonsense",
                "audit --limit 0",
                "resolve executed charge-card ORD-1 --by a --why b --evidence c --result-unknown",
                "resolve executed charge-card ORD-1 --version 2 --by a --why b --evidence c",
                "resolve executed charge-card ORD-1 --version 2 --by a --why b --evidence c --result-unknown --result f",
                "resolve executed charge-card ORD-1 --version 2 --by a --why b --evidence c --result /nowhere/at/all",
                "resolve executed charge-card ORD-1 --version 2 --by '' --why b --evidence c --result-unknown",
                "resolve executed charge-card ORD-1 --version 0 --by a --why b --evidence c --result-unknown",
                "resolve declined charge-card ORD-1 --version 2 --by a --why b --evidence c --reason ''",
                "resolve not-executed charge-card ORD-1 --version 2 --by a --why b",
                "override request charge-card ORD-1 --version 2 --by a --why b --evidence c --fingerprint nonsense",
                "override approve charge-card ORD-1 --version 2 --by a --why b --evidence c",
                "fingerprint",
                "fingerprint /nowhere/at/all",
                "serve --port 70000",
                "serve --port 0 --bind 0.0.0.0",
                "serve --token-file /nowhere/at/all"
            })
    void commandLine_thatIsWrong_isUsage(String line) {
        Run run = operator.run(line.isEmpty() ? List.of() : Guide.words(line));

        assertEnds(run, ExitCode.USAGE);
        assertThat(run.err()).isNotBlank();
    }

    @Test
    void commandLine_withoutAPlace_isUsage() {
        assertEnds(new Operator(List.of()).run("list"), ExitCode.USAGE);
        assertEnds(
                new Operator(List.of()).run("list", "--jdbc-url", Servers.jdbcUrl(), "--redis-url", "redis://x"),
                ExitCode.USAGE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--jdbc-url=jdbc:postgresql://u:" + SECRET + "@host:x/db",
                "--jdbc-url=jdbc:postgresql://u:" + SECRET + "@host/db",
                "--jdbc-url=jdbc:postgresql://u:" + SECRET + "@127.0.0.1:1/db",
                "--jdbc-url=jdbc:postgresql://127.0.0.1:1,u:" + SECRET + "@127.0.0.1:2/db",
                "--jdbc-url=jdbc:postgresql:u:" + SECRET + "@127.0.0.1/db?ssl=false",
                "--jdbc-url=nonsense://u:" + SECRET + "@host",
                "--redis-url=nonsense://:" + SECRET + "@host",
                "--redis-url=redis://:" + SECRET + "@",
                "--redis-urll=redis://:" + SECRET + "@host",
                "redis://:" + SECRET + "@host",
                "--limit=" + "password=" + SECRET
            })
    void secrets_inACommandLineThatIsWrong_areNotRepeated(String argument) {
        var logged = new ArrayList<String>();
        var listener = new Handler() {
            @Override
            public void publish(LogRecord line) {
                logged.add(line.getMessage() + Arrays.toString(line.getParameters()));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger.getLogger("").addHandler(listener);
        try {
            assertEnds(new Operator(List.of()).run("list", argument), ExitCode.USAGE);
            assertEnds(new Operator(List.of()).run("list", "--json", argument), ExitCode.USAGE);
        } finally {
            Logger.getLogger("").removeHandler(listener);
        }
        assertThat(logged.toString()).doesNotContain(SECRET);
    }

    @Test
    void secrets_ofAServerThatRefuses_areNotRepeated() {
        var nobody = new Operator(
                List.of("--jdbc-url", Servers.jdbcUrl().replace("user=postgres", "user=nobody&password=" + SECRET)));

        assertEnds(nobody.run("list"), ExitCode.STORE_FAILED);
        assertEnds(
                new Operator(List.of("--redis-url", "redis://u:" + SECRET + "@127.0.0.1:1")).run("list"),
                ExitCode.STORE_FAILED);
    }

    @Test
    void secrets_ofAUrlInTheEnvironment_areNotRepeated() {
        var url = "jdbc:postgresql://u:" + SECRET + "@127.0.0.1:1/db";

        assertEnds(new Operator(List.of()).variable("IDEMPOTENCY_JDBC_URL", url).run("list"), ExitCode.USAGE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "The connection attempt failed.: u:" + SECRET + "@127.0.0.1",
                "u:" + SECRET + "@127.0.0.1",
                "no host 'u:" + SECRET + "@db'",
                "jdbc:postgresql://u:" + SECRET + "@db/x"
            })
    void secrets_thatADriverRepeats_areHidden(String message) {
        assertThat(Secrets.hide(message)).doesNotContain(SECRET).contains("***");
    }

    @Test
    void times_andAddressesOfPeople_areNotHidden() {
        assertThat(Secrets.hide("from 2026-01-01T10:00:00Z on, says ada@example.com"))
                .isEqualTo("from 2026-01-01T10:00:00Z on, says ada@example.com");
    }

    /** A server that takes the connection and says nothing: the command used to hang for ever. */
    @ParameterizedTest
    @ValueSource(strings = {"--jdbc-url=jdbc:postgresql://127.0.0.1:%d/db", "--redis-url=redis://127.0.0.1:%d"})
    void store_thatNeverAnswers_endsTheCommandWithACodeOfItsOwn(String place) throws IOException {
        try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            var operator = new Operator(List.of(place.formatted(silent.getLocalPort()), "--time-limit", "1s"));

            Run list = operator.run("list", "--json");
            Run act = operator.run(RULING, "reopen", "charge-card", "ORD-1", "--version", "1", "--yes");

            assertEnds(list, ExitCode.NO_ANSWER);
            assertThat(list.json().get("outcome").textValue()).isEqualTo("no-answer");
            assertThat(list.json().get("message").textValue()).isEqualTo("The store has not answered within 1s");
            assertEnds(act, ExitCode.NO_ANSWER);
            assertThat(act.err()).contains("may have been written");
        }
    }

    @Test
    void store_thatNeverAnswersTheLogin_endsTheCommandWithoutAnyOption() throws IOException {
        try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            var operator = new Operator(List.of(
                    "--jdbc-url", "jdbc:postgresql://127.0.0.1:" + silent.getLocalPort() + "/db" + "?loginTimeout=1"));

            assertEnds(operator.run("list"), ExitCode.STORE_FAILED);
        }
    }

    @Test
    void timeLimit_doesNotCountTheTimeInWhichAPersonThinks() {
        var slow = new Environment.Terminal() {
            @Override
            public String ask(String question) {
                long until = System.nanoTime() + 1_500_000_000L;
                while (System.nanoTime() - until < 0) {
                    LockSupport.parkNanos(50_000_000);
                }
                return "yes";
            }

            @Override
            public char[] askSecret(String question) {
                return ask(question).toCharArray();
            }
        };
        var world = new Operator(List.of()).environment(System.out, System.err);
        var limit = new TimeLimit(Duration.ofSeconds(1));
        var asking = limit.around(new Environment(world.out(), world.err(), world.charset(), world.variables(), slow));

        assertThatCode(() -> assertThat(
                                limit.<String>call(() -> asking.terminal().ask("?")))
                        .isEqualTo("yes"))
                .doesNotThrowAnyException();
    }

    @Test
    void payloads_thatAreNotJson_areUsage_andNotRepeated() throws IOException {
        Path file = Files.writeString(directory.resolve("wrong.json"), "{\"card\":\"" + SECRET + "\",}");

        assertEnds(new Operator(List.of()).run("fingerprint", file.toString()), ExitCode.USAGE);
    }

    @Test
    void table_thatIsNotThere_isStoreFailed() {
        Run run = new Operator(List.of("--jdbc-url", Servers.jdbcUrl(), "--table", "nowhere")).run("list", "--json");

        assertEnds(run, ExitCode.STORE_FAILED);
        assertThat(run.json().get("message").textValue()).contains("There is no table");
    }

    @Test
    void key_thatIsUnknown_isUnknownKey() {
        assertEnds(operator.run("show", "charge-card", "ORD-1"), ExitCode.UNKNOWN_KEY);
        assertEnds(
                operator.run(RULING, "reopen", "charge-card", "ORD-1", "--version", "1", "--yes"),
                ExitCode.UNKNOWN_KEY);
        assertEnds(operator.run(RULING, "reopen", "charge-card", "ORD-1", "--version", "1"), ExitCode.UNKNOWN_KEY);
    }

    @Test
    void password_askedForWithoutATerminal_isUsage() {
        assertEnds(operator.run("list", "--ask-password"), ExitCode.USAGE);
    }

    @Test
    void password_ofATerminalOrTheEnvironment_isUsed() {
        var asked = new ArrayList<>(PLACE.options());
        asked.add("--ask-password");
        var person = new Operator(asked).answering("postgres");

        assertThat(person.run("list").code()).isZero();
        assertThat(person.questions()).containsExactly("Password: ");
        assertThat(new Operator(PLACE)
                        .variable("IDEMPOTENCY_USER", "nobody-there")
                        .variable("IDEMPOTENCY_PASSWORD", SECRET)
                        .run("list")
                        .code())
                .isEqualTo(ExitCode.STORE_FAILED.code());
    }

    @Test
    void failuresOfTheStore_sayWhetherTheActMayBeWritten() {
        var perhaps = Failure.of(new StoreException("no reply", true, null));
        var not = Failure.of(new StoreException("no connection", false, null));

        assertThat(perhaps.code()).isEqualTo(ExitCode.PERHAPS_WRITTEN);
        assertThat(perhaps.text()).contains("Repeat the very same act");
        assertThat(not.code()).isEqualTo(ExitCode.STORE_FAILED);
        assertThat(Failure.ofRead(new StoreException("no reply", true, null)).code())
                .isEqualTo(ExitCode.STORE_FAILED);
    }

    @Test
    void help_ofTheProgram_hasEveryExitCode() {
        Run run = new Operator(List.of()).run("--help");

        assertThat(run.code()).isZero();
        String codes = run.out().substring(run.out().indexOf("Exit codes:"));
        assertThat(Arrays.stream(ExitCode.values()).map(code -> code.code() + " "))
                .allSatisfy(code -> assertThat(codes).contains(code));
    }
}
