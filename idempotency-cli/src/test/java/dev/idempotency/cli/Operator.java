package dev.idempotency.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** A person at a terminal. Not thread-safe. */
final class Operator {
    static final String[] RULING = {"--by", "ada", "--why", "customer waits", "--evidence", "ch-1 at the provider"};
    static final String[] OTHER_RULING = {"--by", "grace", "--why", "seen with ada", "--evidence", "re-1"};

    private static final ObjectMapper JSON = new ObjectMapper();

    /** How a command ended. */
    record Run(int code, String out, String err) {
        JsonNode json() {
            try {
                return JSON.readTree(out);
            } catch (JsonProcessingException e) {
                throw new AssertionError("no document: " + out, e);
            }
        }
    }

    private final List<String> place;
    private final Map<String, String> variables = new HashMap<>();
    private final Queue<String> answers = new ArrayDeque<>();
    private final List<String> questions = new ArrayList<>();

    Operator(Servers.Place place) {
        this(place.options());
    }

    /** What is put at the end of each command line. */
    Operator(List<String> place) {
        this.place = place;
    }

    Operator variable(String name, String value) {
        variables.put(name, value);
        return this;
    }

    Operator answering(String answer) {
        answers.add(answer);
        return this;
    }

    List<String> questions() {
        return questions;
    }

    Run run(String... args) {
        return run(List.of(args));
    }

    Run run(String[] ruling, String... args) {
        var all = new ArrayList<>(List.of(args));
        all.addAll(List.of(ruling));
        return run(all);
    }

    Run run(List<String> args) {
        var all = new ArrayList<>(args);
        int end = all.indexOf("--");
        all.addAll(end < 0 ? all.size() : end, place);
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        int code = CommandLineOf.everything(environment(
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8)))
                .execute(all.toArray(String[]::new));
        return new Run(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    Environment environment(PrintStream out, PrintStream err) {
        return new Environment(out, err, StandardCharsets.UTF_8, variables::get, new Environment.Terminal() {
            @Override
            public @Nullable String ask(String question) {
                questions.add(question);
                return answers.poll();
            }

            @Override
            public char @Nullable [] askSecret(String question) {
                String answer = ask(question);
                return answer == null ? null : answer.toCharArray();
            }
        });
    }
}
