package dev.idempotency.cli;

import java.util.Arrays;

/**
 * The command line: lists, shows and decides keys, asks for and approves overrides, reads the audit trail, and serves the
 * {@link OperationsConsole}. {@code docs/operations.md} has its commands, exit codes and JSON.
 *
 * @since 0.1.0
 */
public final class Main {
    private static final String LOG_SETTINGS = "logback.configurationFile";
    private static final String LOG_LEVEL = "idempotency.log";

    private Main() {}

    /**
     * Runs one command and ends the process with its exit code.
     *
     * @param args the command line; {@code --help} explains it
     */
    public static void main(String[] args) {
        boolean serves = Arrays.asList(args).contains("serve");
        setUnlessSet(LOG_SETTINGS, "dev/idempotency/cli/logback.xml");
        setUnlessSet(LOG_LEVEL, serves ? "WARN" : "ERROR");
        if (serves) {
            HttpLimits.set();
        }
        System.exit(CommandLineOf.everything(Environment.ofProcess()).execute(args));
    }

    private static void setUnlessSet(String name, String value) {
        if (System.getProperty(name) == null) {
            System.setProperty(name, value);
        }
    }
}
