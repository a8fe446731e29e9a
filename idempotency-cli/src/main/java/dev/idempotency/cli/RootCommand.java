package dev.idempotency.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Commands that only hold others. Alone they show their help, and end as a wrong command line does. */
@Command(
        name = "idempotency",
        versionProvider = RootCommand.Version.class,
        description = {
            "See and decide keys in doubt, on PostgreSQL or Redis.",
            "",
            "Where the records stand is said by --jdbc-url or --redis-url, or by the variables IDEMPOTENCY_JDBC_URL and"
                    + " IDEMPOTENCY_REDIS_URL. User and password come from the URL, from IDEMPOTENCY_USER and"
                    + " IDEMPOTENCY_PASSWORD, or from a question with --ask-password; they are never printed.",
            ""
        },
        footer = {
            "",
            "A first session:",
            "  idempotency list --state IN_DOUBT",
            "  idempotency show charge-card ORD-1",
            "  idempotency resolve executed charge-card ORD-1 --version 2 --result-unknown \\",
            "      --by ada --why 'customer waits' --evidence 'ch-1 at the provider'",
            "",
            "Exit codes: 0 done, 1 refused, 2 wrong command line, 3 unknown key, 4 store failed, nothing",
            "written, 5 not confirmed, 6 store failed, perhaps written, 7 fault, 8 no answer in time."
        })
class RootCommand implements Callable<Integer> {
    private final Environment environment;

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // the parser acts on it
    private boolean help;

    @Option(names = "-V", versionHelp = true, description = "Show the version of this program.")
    @SuppressWarnings("UnusedVariable") // the parser acts on it
    private boolean version;

    RootCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        if (spec != null) {
            spec.commandLine().usage(environment.err());
        }
        return ExitCode.USAGE.code();
    }

    /** The version of the jar. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"idempotency " + (version == null ? "(not from a jar)" : version)};
        }
    }

    @Command(name = "resolve", description = "Say what became of the write of a key in doubt.")
    static final class ResolveGroup extends RootCommand {
        ResolveGroup(Environment environment) {
            super(environment);
        }
    }

    @Command(name = "override", description = "Let another payload take over a key: one person asks, another approves.")
    static final class OverrideGroup extends RootCommand {
        OverrideGroup(Environment environment) {
            super(environment);
        }
    }
}
