package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the guides tell people to type names programs, modules, profiles, tests and files that exist. */
final class CommandsTest {
    private static final Set<String> PROGRAMS =
            Set.of("mvn", "java", "git", "cd", "tail", "export", "curl", "openssl", "cut");
    private static final Set<String> PHASES =
            Set.of("clean", "validate", "compile", "test", "package", "verify", "install", "deploy", "spotless:apply");
    /** Of Maven and its plugins. */
    private static final Set<String> PROPERTIES = Set.of(
            "skipTests", "maven.repo.local", "surefire.failIfNoSpecifiedTests", "spotless.check.skip", "jacoco.skip");

    /** A path into this repository. */
    private static final Pattern OURS = Pattern.compile("(docs|benchmarks|idempotency-[a-z]+|examples)/[^,]+");

    private static final Pattern MODULE = Pattern.compile("<module>([^<]+)</module>");
    private static final Pattern PROFILE = Pattern.compile("<profile>\\s*<id>([^<]+)</id>");
    private static final Pattern FINAL_NAME = Pattern.compile("<finalName>([^<]+)</finalName>");

    private final String parent = String.join("\n", Markdown.read(Markdown.ROOT.resolve("pom.xml")));
    private final Set<String> modules = found(MODULE, parent);
    private final Set<String> profiles = new HashSet<>(found(PROFILE, parent));
    private final Set<String> built = new HashSet<>();
    private final String written;

    CommandsTest() {
        var text = new StringBuilder();
        for (String module : modules) {
            String pom = String.join("\n", Markdown.read(Markdown.ROOT.resolve(module + "/pom.xml")));
            profiles.addAll(found(PROFILE, pom));
            found(FINAL_NAME, pom).forEach(name -> built.add(module + "/target/" + name + ".jar"));
            text.append(pom).append(java(module + "/src"));
        }
        written = text.toString();
    }

    private static Set<String> found(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(match -> match.group(1)).collect(Collectors.toSet());
    }

    @Test
    void commands_ofAllGuides_nameWhatExists() {
        var wrong = new ArrayList<String>();
        int checked = 0;
        for (Markdown file : Markdown.all()) {
            for (Markdown.Block block : file.blocks()) {
                if (!block.language().equals("sh")) {
                    continue;
                }
                for (String command : commands(block.text())) {
                    checked++;
                    for (String complaint : complaints(command)) {
                        wrong.add(block.where() + ": " + complaint + " in: " + command);
                    }
                }
            }
        }

        assertThat(wrong).isEmpty();
        assertThat(checked).as("commands that were checked").isGreaterThan(10);
    }

    /** The simple commands of a block; loops are taken apart, comments are dropped. */
    private static List<String> commands(List<String> block) {
        String text = String.join("\n", block).replace("\\\n", " ");
        var commands = new ArrayList<String>();
        for (String part : text.split("&&|\\|\\||[;|\n]")) {
            String command = part.strip().replaceFirst("^do ", "").strip();
            if (!command.isEmpty() && !command.startsWith("#") && !command.matches("(for \\w+ in .*|do|done)")) {
                commands.add(command);
            }
        }
        return commands;
    }

    private List<String> complaints(String command) {
        var words = Arrays.stream(
                        command.replaceAll("\"?\\$\\([^)]*\\)\"?", "value").split("\\s+"))
                .map(word -> word.replaceAll("['\"]", ""))
                .toList();
        var complaints = new ArrayList<String>();
        words.stream()
                .filter(word -> OURS.matcher(word).matches() && !word.contains("/target/"))
                .filter(path -> !Files.exists(Markdown.ROOT.resolve(path)))
                .forEach(path -> complaints.add("no file " + path));
        switch (words.get(0)) {
            case "mvn" -> maven(words, complaints);
            case "java" -> java(words, complaints);
            default -> {
                if (!PROGRAMS.contains(words.get(0)) && !Files.isExecutable(Markdown.ROOT.resolve(words.get(0)))) {
                    complaints.add("'" + words.get(0) + "' is none of " + PROGRAMS);
                }
            }
        }
        return complaints;
    }

    private void maven(List<String> words, List<String> complaints) {
        for (int i = 1; i < words.size(); i++) {
            String word = words.get(i);
            if (word.equals("-pl") && i + 1 < words.size()) {
                Arrays.stream(words.get(++i).split(","))
                        .map(module -> module.replaceAll("^'?!|'$", ""))
                        .filter(module -> !modules.contains(module))
                        .forEach(module -> complaints.add("no module " + module));
            } else if (word.startsWith("-P")) {
                String profile = word.length() > 2 ? word.substring(2) : words.get(++i);
                if (!profiles.contains(profile)) {
                    complaints.add("no profile " + profile);
                }
            } else if (word.startsWith("-Dtest=")) {
                Arrays.stream(word.substring("-Dtest=".length()).split(","))
                        .filter(test -> !isTest(test))
                        .forEach(test -> complaints.add("no test " + test));
            } else if (word.startsWith("-D") && !isProperty(word.substring(2).replaceFirst("=.*", ""))) {
                complaints.add("nobody reads the property " + word.substring(2));
            } else if (!word.startsWith("-") && !PHASES.contains(word)) {
                complaints.add("no phase or goal " + word);
            }
        }
    }

    private static boolean isTest(String pattern) {
        String name = Pattern.quote(pattern.replaceFirst("#.*", "")).replace("*", "\\E.*\\Q") + "\\.java";
        try (var files = Files.walk(Markdown.ROOT)) {
            return files.filter(file -> file.toString().replace('\\', '/').contains("/src/test/java/"))
                    .map(Path::getFileName)
                    .anyMatch(file -> file.toString().matches(name));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void java(List<String> words, List<String> complaints) {
        int jar = Math.max(words.indexOf("-jar"), words.indexOf("-cp"));
        if (jar < 0 || jar + 1 == words.size()) {
            complaints.add("java without -jar or -cp");
        } else if (!built.contains(words.get(jar + 1))) {
            complaints.add("no module builds " + words.get(jar + 1));
        } else {
            String program = sources(words.get(jar + 1).replaceFirst("/target/.*", ""));
            if (words.get(jar).equals("-cp")) {
                String type = words.get(jar + 2).replaceFirst(".*\\.", "");
                if (!program.contains("class " + type + " ")) {
                    complaints.add("no class " + type);
                }
            }
            words.stream()
                    .skip(jar + 2)
                    .filter(word -> word.matches("--[a-z][a-z-]+"))
                    .filter(option -> !Pattern.compile("(?<![\\w-])" + option + "(?![\\w-])")
                            .matcher(program)
                            .find())
                    .forEach(option -> complaints.add("no option " + option));
        }
    }

    /** What a module and the test kits are written in: a program's options stand in there as text. */
    private static String sources(String module) {
        return java(module + "/src/main")
                + java("idempotency-testkit/src/main")
                + java("idempotency-slack-testkit/src/main");
    }

    private static String java(String folder) {
        Path root = Markdown.ROOT.resolve(folder);
        if (!Files.exists(root)) {
            return "";
        }
        try (var files = Files.walk(root)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .map(file -> String.join("\n", Markdown.read(file)))
                    .collect(Collectors.joining("\n"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Whether somebody reads a property: a pom, a test, or Maven itself. */
    private boolean isProperty(String name) {
        return PROPERTIES.contains(name) || parent.contains(name) || written.contains(name);
    }

    @Test
    void complaints_aboutWrongCommands_areMade() {
        assertThat(List.of(
                        "mvn test -pl idempotency-core -Dtest=NoSuchTest",
                        "mvn test -pl no-such-module",
                        "mvn -Pno-such-profile verify",
                        "mvn verify -Dno." + "such=1",
                        "mvn no-such-phase",
                        "java -jar examples/payments/target/no-such.jar",
                        "java -jar examples/payments/target/payments.jar --no-such-option",
                        "cd examples/no-such-folder",
                        "no-such-program"))
                .allSatisfy(command -> assertThat(complaints(command)).hasSize(1));
        assertThat(complaints("java -jar examples/payments/target/payments.jar --compare docs/faults.md"))
                .isEmpty();
    }

    /** Whoever is new pastes the first two. */
    @Test
    void firstScreen_ofTheReadme_hasJavaAndTheTwoCommands() {
        Markdown readme = Markdown.of("README.md");

        assertThat(readme.blocks().get(0).language()).isEqualTo("java");
        assertThat(readme.blocks().get(0).line()).isLessThan(25);
        assertThat(readme.lines()).hasSizeLessThanOrEqualTo(150);
        assertThat(readme.blocks().stream()
                        .filter(block -> block.language().equals("sh"))
                        .limit(2)
                        .map(Markdown.Block::text))
                .containsExactly(
                        List.of("mvn -q -B -ntp package -DskipTests -pl examples/payments -am"
                                + " && java -jar examples/payments/target/payments.jar"),
                        List.of("mvn -B -ntp verify"));
    }

    @Test
    void testCommand_ofTheReadme_isTheOneOfTheGate() {
        Path readme = Markdown.ROOT.resolve("README.md");
        assertThat(readme).as("the first page of the project").exists();
        Matcher gate = Pattern.compile("(?m)^exec (.*?) \"\\$@\"$")
                .matcher(String.join("\n", Markdown.read(Markdown.ROOT.resolve(".ci/run"))));
        assertThat(gate.find()).as(".ci/run ends with exec").isTrue();

        assertThat(Markdown.of("README.md").blocks())
                .as("a block of README.md with the command of .ci/run: " + gate.group(1))
                .anyMatch(block ->
                        block.language().equals("sh") && commands(block.text()).contains(gate.group(1)));
    }
}
