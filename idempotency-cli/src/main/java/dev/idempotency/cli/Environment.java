package dev.idempotency.cli;

import java.io.Console;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a command sees of the world.
 *
 * @param out for what was asked
 * @param err for everything else
 * @param charset what both can show
 * @param variables the environment, by name
 * @param terminal the person, if there is one
 */
record Environment(
        PrintStream out,
        PrintStream err,
        Charset charset,
        Function<String, @Nullable String> variables,
        Terminal terminal) {

    /** A person at a terminal. */
    interface Terminal {
        /** What the person typed; null when there is nobody. */
        @Nullable
        String ask(String question);

        /** The same without showing it. */
        char @Nullable [] askSecret(String question);
    }

    static Environment ofProcess() {
        Charset charset = Stream.of("stdout.encoding", "sun.stdout.encoding", "native.encoding")
                .map(System::getProperty)
                .filter(name -> name != null && Charset.isSupported(name))
                .map(Charset::forName)
                .findFirst()
                .orElse(StandardCharsets.US_ASCII);
        return new Environment(
                new PrintStream(System.out, true, charset),
                new PrintStream(System.err, true, charset),
                charset,
                System::getenv,
                new ProcessTerminal());
    }

    PrintWriter outWriter() {
        return new PrintWriter(new OutputStreamWriter(out, charset), true);
    }

    PrintWriter errWriter() {
        return new PrintWriter(new OutputStreamWriter(err, charset), true);
    }

    @Nullable
    String variable(String name) {
        String value = variables.apply(name);
        return value == null || value.isEmpty() ? null : value;
    }

    /** Newer JDKs have a console without a terminal, too: it reads nothing there, or what was piped in on purpose. */
    @SuppressWarnings("SystemConsoleNull")
    private static final class ProcessTerminal implements Terminal {
        @Override
        public @Nullable String ask(String question) {
            Console console = System.console();
            return console == null ? null : console.readLine("%s", question);
        }

        @Override
        public char @Nullable [] askSecret(String question) {
            Console console = System.console();
            return console == null ? null : console.readPassword("%s", question);
        }
    }
}
