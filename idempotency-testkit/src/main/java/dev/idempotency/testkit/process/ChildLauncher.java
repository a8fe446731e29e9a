package dev.idempotency.testkit.process;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;

/** What a {@link ChildJvm} runs first: sees to it that the child dies with its parent, then runs the child's own main class. */
final class ChildLauncher {
    /** The status of a child whose parent has died. */
    static final int ORPHANED = 113;

    private ChildLauncher() {}

    /**
     * Runs a main class.
     *
     * @param args the parent's process id, the name of the main class, and its arguments
     * @throws Exception what the main class threw
     */
    public static void main(String[] args) throws Exception {
        var parent = ProcessHandle.of(Long.parseLong(args[0]));
        if (parent.isEmpty()) {
            Runtime.getRuntime().halt(ORPHANED);
        }
        var unused = parent.get().onExit().thenRun(() -> Runtime.getRuntime().halt(ORPHANED));
        Method main = Class.forName(args[1]).getDeclaredMethod("main", String[].class);
        main.setAccessible(true);
        try {
            main.invoke(null, (Object) Arrays.copyOfRange(args, 2, args.length));
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }
}
