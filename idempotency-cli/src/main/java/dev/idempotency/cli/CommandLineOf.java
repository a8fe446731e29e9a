package dev.idempotency.cli;

import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** All commands, put together. */
final class CommandLineOf {
    private CommandLineOf() {}

    static CommandLine everything(Environment environment) {
        var root = new CommandLine(new RootCommand(environment));
        root.addSubcommand(new ListCommand(environment));
        root.addSubcommand(new ShowCommand(environment));
        root.addSubcommand(new CommandLine(new RootCommand.ResolveGroup(environment))
                .addSubcommand(new ResolveCommands.Executed(environment))
                .addSubcommand(new ResolveCommands.Declined(environment))
                .addSubcommand(new ResolveCommands.NotExecuted(environment)));
        root.addSubcommand(new ResolveCommands.ReExecute(environment));
        root.addSubcommand(new ResolveCommands.Reopen(environment));
        root.addSubcommand(new CommandLine(new RootCommand.OverrideGroup(environment))
                .addSubcommand(new OverrideListCommand(environment))
                .addSubcommand(new OverrideCommands.Request(environment))
                .addSubcommand(new OverrideCommands.Withdraw(environment))
                .addSubcommand(new OverrideCommands.Approve(environment))
                .addSubcommand(new OverrideCommands.Refuse(environment)));
        root.addSubcommand(new AuditCommand(environment));
        root.addSubcommand(new FingerprintCommand(environment));
        root.addSubcommand(new ServeCommand(environment));
        return root
                // A key may begin with @, and is no name of a file.
                .setExpandAtFiles(false)
                .setOut(environment.outWriter())
                .setErr(environment.errWriter())
                .setUsageHelpWidth(104)
                .setUsageHelpAutoWidth(false)
                .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
                .setParameterExceptionHandler((wrong, args) -> usage(environment, wrong, args));
    }

    private static int usage(Environment environment, ParameterException wrong, String[] args) {
        boolean json = List.of(args).contains("--json");
        String command = wrong.getCommandLine().getCommandSpec().qualifiedName();
        new Output(environment, json).failed(Failure.usage(told(wrong) + ". Try: " + command + " --help"));
        return ExitCode.USAGE.code();
    }

    /** What nobody asked for is named, and not repeated: it may be a secret in the wrong place. */
    private static String told(ParameterException wrong) {
        if (wrong instanceof UnmatchedArgumentException unmatched) {
            return "There is no "
                    + unmatched.getUnmatched().stream()
                            .map(CommandLineOf::nameOnly)
                            .collect(Collectors.joining(", "));
        }
        String message = wrong.getMessage();
        return message == null ? "The command line is wrong" : message;
    }

    private static String nameOnly(String argument) {
        String name = argument.contains("=") ? argument.substring(0, argument.indexOf('=')) : argument;
        return name.startsWith("-") || name.matches("[a-z-]{1,20}") ? "'" + name + "'" : "such argument";
    }
}
