package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tlc2.TLC;

/**
 * The specification is checked by TLC: what must hold holds in every state, and each mutant breaks all that it is said to break, and
 * no more; what must come true does. A few runs in the normal build; all of them in the profile {@code spec}.
 */
final class SpecificationTest {
    private static final Path SPECIFICATION = Markdown.ROOT.resolve("docs/spec/IdemCall.tla");
    private static final Pattern VIOLATED =
            Pattern.compile("Invariant (\\w+) is violated|Temporal properties were violated");
    private static final Pattern STATES = Pattern.compile("([\\d,]+) distinct states found");
    private static final Pattern ACTION = Pattern.compile("(?m)^(\\w+)(?:\\([\\w, ]+\\))? *==");
    private static final List<String> INVARIANTS =
            List.of("AtMostOneEffect", "ResultIsEffect", "CallersAgree", "AnswerDurable", "AnswerTrue");

    private static final Map<String, String> BASE = constants(
            "N = 2; Policy = \"HOLD\"; Cap = \"NONE\"; OnMissing = \"REEXEC\"; Human = \"NONE\"; HumanMiss = \"WAIT\"; L = 2;"
                    + " T = 1; D = 1; P = 0; Q = 2; Lag = 0; W = 99; G = 99; TTL = 99; H = 99; RelTTL = 99; Skew = 0; Fence = \"UNIQUE\";"
                    + " LateAccept = TRUE; OwnRecog = TRUE; HostOwner = FALSE; ReturnEarly = FALSE; OnAmbig = \"DOUBT\";"
                    + " PurgeLive = FALSE; DlCheck = TRUE; GuardAtSend = TRUE; ReleaseUnsent = TRUE; Heartbeats = TRUE; Marker ="
                    + " FALSE; NetDup = FALSE; ResetT0 = \"NEVER\"; ReleaseAny = FALSE; Kinds = {\"acqReply\", \"callReply\","
                    + " \"recReply\", \"request\", \"reset\", \"crash\", \"pause\", \"evict\"}; Faults = 2; Failovers = 0;"
                    + " MaxTok = 3");

    private static Map<String, String> constants(String text) {
        var constants = new LinkedHashMap<String, String>();
        for (String one : text.split(";")) {
            int equals = one.indexOf('=');
            constants.put(
                    one.substring(0, equals).strip(), one.substring(equals + 1).strip());
        }
        return constants;
    }

    @TestFactory
    Stream<DynamicTest> runs_ofTheTable_endAsItSays() {
        return rows("Run", "What is checked", "Breaks", "States", "Settings")
                .map(row -> DynamicTest.dynamicTest(row.get(0) + " " + row.get(1), () -> {
                    var holding = new ArrayList<>(INVARIANTS);
                    var broken = new ArrayList<String>();
                    // A run ends at what is violated first; the next one leaves that out.
                    Verdict verdict = check(row, broken.size(), "Spec", "INVARIANT", holding);
                    while (!verdict.holds()) {
                        assertThat(holding.remove(verdict.violated())).isTrue();
                        broken.add(verdict.violated());
                        verdict = check(row, broken.size(), "Spec", "INVARIANT", holding);
                    }
                    assertThat(List.of(broken.isEmpty() ? "nothing" : String.join(", ", broken), verdict.states()))
                            .as("what it broke, and how many states there are")
                            .isEqualTo(List.of(plain(row.get(2)), row.get(3)));
                }));
    }

    @TestFactory
    Stream<DynamicTest> endings_ofTheTable_comeOrNot() {
        return rows("Run", "What is checked", "Must come true", "Does", "Settings")
                .map(row -> DynamicTest.dynamicTest(row.get(0) + " " + row.get(1), () -> {
                    Verdict verdict = check(row, 0, "FairSpec", "PROPERTY", List.of(plain(row.get(2))));
                    assertThat(verdict.holds() ? "always" : "not always").isEqualTo(row.get(3));
                }));
    }

    private static Stream<List<String>> rows(String... header) {
        boolean all = System.getProperty("spec.runs", "sample").equals("all");
        return Markdown.of("docs/spec/README.md").table(header).stream()
                .filter(row -> all || row.get(0).endsWith("*"));
    }

    private static String plain(String cell) {
        return cell.replace("`", "");
    }

    /** What a run printed. Nothing violated: then it has gone through all the states. */
    private record Verdict(String violated, String states) {
        boolean holds() {
            return violated.isEmpty();
        }
    }

    private static Verdict check(
            List<String> row, int number, String specification, String keyword, List<String> toHold)
            throws IOException, InterruptedException {
        String run = row.get(0).replace("*", "");
        // Each has a directory of its own: counter-examples stay there for people to read.
        Path directory = Files.createDirectories(Path.of("target", "tlc", run + (number == 0 ? "" : "-" + number))
                .toAbsolutePath());
        Files.copy(SPECIFICATION, directory.resolve("IdemCall.tla"), StandardCopyOption.REPLACE_EXISTING);
        var constants = new LinkedHashMap<>(BASE);
        constants.putAll(constants(plain(row.get(4))));
        assertThat(constants).as("constants of " + run).hasSameSizeAs(BASE);
        var text = new StringBuilder("SPECIFICATION " + specification + "\nCHECK_DEADLOCK FALSE\nCONSTANTS\n");
        constants.forEach((name, value) ->
                text.append("  ").append(name).append(" = ").append(value).append('\n'));
        // States that differ in the label of their last step are the same; what comes true is looked for step by step.
        text.append(keyword.equals("INVARIANT") ? "VIEW View\n" : "");
        toHold.forEach(one -> text.append(keyword).append(' ').append(one).append('\n'));
        Files.writeString(directory.resolve("IdemCall.cfg"), text);
        Path output = directory.resolve("output");
        var process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-Xmx1g",
                        "-Djava.io.tmpdir=" + directory,
                        "-cp",
                        checker(),
                        TLC.class.getName(),
                        "-workers",
                        "1",
                        "-metadir",
                        directory.resolve("states").toString(),
                        "-config",
                        "IdemCall.cfg",
                        "IdemCall.tla")
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(30, TimeUnit.MINUTES)).as(run).isTrue();
        } finally {
            process.destroyForcibly();
        }
        String said = Files.readString(output);
        Matcher violated = VIOLATED.matcher(said);
        boolean holds = said.contains("No error has been found");
        boolean isViolated = violated.find();
        assertThat(holds ^ isViolated).as(said).isTrue();
        String states = STATES.matcher(said)
                .results()
                .map(found -> found.group(1))
                .reduce((one, other) -> other)
                .orElseThrow();
        return new Verdict(isViolated ? Objects.requireNonNullElse(violated.group(1), toHold.get(0)) : "", states);
    }

    /** The jar of the checker. */
    private static String checker() {
        return Path.of(URI.create(TLC.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toString()))
                .toString();
    }

    /** Every event of the state machine has its actions in the specification, or is said to have none. */
    @Test
    void events_ofTheStateMachine_areThoseOfTheSpecification() throws IOException {
        Set<String> actions = new TreeSet<>();
        Matcher action = ACTION.matcher(Files.readString(SPECIFICATION));
        while (action.find()) {
            actions.add(action.group(1));
        }
        List<String> mapped = new ArrayList<>();
        for (List<String> row : Markdown.of("docs/spec/README.md").table("Event", "Actions")) {
            mapped.add(row.get(0));
            if (!row.get(1).startsWith("none:")) {
                assertThat(actions).contains(row.get(1).replace("`", "").split(", "));
            }
        }
        assertThat(mapped)
                .isEqualTo(Markdown.of("docs/state-machine.md")
                        .table("Event", "OPEN", "IN_FLIGHT", "IN_DOUBT", "COMPLETED", "CLOSED")
                        .stream()
                        .map(row -> row.get(0))
                        .toList());
    }
}
