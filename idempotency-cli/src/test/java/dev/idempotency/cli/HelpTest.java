package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintStream;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The help of each command teaches by an example, and each example can be typed. */
final class HelpTest {
    private static CommandLine everything() {
        var nowhere = new PrintStream(PrintStream.nullOutputStream());
        return CommandLineOf.everything(new Operator(List.of()).environment(nowhere, nowhere));
    }

    private static List<CommandLine> commands(CommandLine root) {
        var commands = new ArrayList<CommandLine>();
        for (CommandLine command : root.getSubcommands().values()) {
            commands.addAll(command.getSubcommands().isEmpty() ? List.of(command) : commands(command));
        }
        return commands;
    }

    @Test
    void help_ofEachCommand_hasExamplesThatParse() {
        List<CommandLine> commands = commands(everything());

        assertThat(commands).hasSize(15);
        for (CommandLine command : commands) {
            String help = command.getUsageMessage().replaceAll(" \\\\\\R\\s*", " ");
            String name = command.getCommandSpec().qualifiedName();
            List<String> examples = help.lines()
                    .map(String::strip)
                    .filter(line -> line.startsWith(name + " "))
                    .toList();
            assertThat(examples).as("examples of " + name).isNotEmpty();
            for (String example : examples) {
                List<String> words = Guide.words(example);
                var parsed =
                        everything().parseArgs(words.subList(1, words.size()).toArray(String[]::new));
                assertThat(parsed.errors()).isEmpty();
            }
        }
    }

    @Test
    void help_ofEachCommand_fitsATerminalAndIsAskedForAlike() {
        for (CommandLine command : commands(everything())) {
            assertThat(command.getUsageMessage().lines())
                    .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(104));
            assertThat(command.getCommandSpec().findOption("--help")).isNotNull();
            assertThat(command.getCommandSpec().findOption("--json")).isNotNull();
        }
    }

    @Test
    void serve_takesAddressesWithEqualsSigns_fieldsAndAZone() {
        var serve = everything()
                .parseArgs(
                        "serve",
                        "--provider-url",
                        "charge-card=https://dashboard.example/payments?key={nativeKey}&a=b",
                        "--provider-url",
                        "refund=https://dashboard.example/{key}",
                        "--show",
                        "charge-card=orderId,amount",
                        "--zone",
                        "Europe/Berlin")
                .subcommand();

        assertThat(serve.matchedOptionValue("--provider-url", Map.of()))
                .isEqualTo(Map.of(
                        "charge-card",
                        "https://dashboard.example/payments?key={nativeKey}&a=b",
                        "refund",
                        "https://dashboard.example/{key}"));
        assertThat(serve.matchedOptionValue("--show", Map.of())).isEqualTo(Map.of("charge-card", "orderId,amount"));
        assertThat(serve.matchedOptionValue("--zone", (ZoneId) ZoneOffset.UTC)).isEqualTo(ZoneId.of("Europe/Berlin"));
    }
}
