package dev.idempotency.testkit.process;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/**
 * A main class of this class path in a JVM of its own, which can be killed and frozen as an operating system does it. Talks to
 * it in lines: its standard input and output. Its standard error is this process's.
 *
 * <p>No child outlives this process, whichever way this process ends; only a frozen one does, if this process is killed with
 * {@code kill -9}. The JVM is set up to start quickly and to be small, not to run fast for long. Freezing needs a Unix. Thread-safe.
 *
 * @since 0.1.0
 */
public final class ChildJvm implements AutoCloseable {
    private static final List<String> FAST_START =
            List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto");
    private static final Duration SIGNAL = Duration.ofSeconds(10);
    private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> RUNNING.forEach(Process::destroyForcibly), "kill-children"));
    }

    private final Process process;
    private final Writer input;
    private final List<String> output = new ArrayList<>();
    private boolean ended;

    private ChildJvm(Process process, String name) {
        this.process = process;
        this.input = process.outputWriter(StandardCharsets.UTF_8);
        var reader = new Thread(this::readOutput, "output of " + name);
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Starts a child.
     *
     * @param main the class with a static {@code main(String[])}; neither needs to be public
     * @param args its arguments
     * @return the child, running
     * @throws UncheckedIOException if no process can be started
     */
    public static ChildJvm start(Class<?> main, String... args) {
        return start(List.of(), main, args);
    }

    /**
     * Starts a child with options for its JVM.
     *
     * @param jvmOptions such as {@code -Xmx64m} or {@code -Duser.timezone=Asia/Tokyo}; win over the kit's
     * @param main the class with a static {@code main(String[])}; neither needs to be public
     * @param args its arguments
     * @return the child, running
     * @throws UncheckedIOException if no process can be started
     */
    public static ChildJvm start(List<String> jvmOptions, Class<?> main, String... args) {
        return start(System.getProperty("java.class.path"), jvmOptions, main, args);
    }

    static ChildJvm start(String classPath, List<String> jvmOptions, Class<?> main, String... args) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(FAST_START);
        command.addAll(jvmOptions);
        command.addAll(List.of(
                "-cp",
                classPath,
                ChildLauncher.class.getName(),
                Long.toString(ProcessHandle.current().pid()),
                main.getName()));
        command.addAll(List.of(args));
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            RUNNING.add(process);
            var unused = process.onExit().thenAccept(RUNNING::remove);
            return new ChildJvm(process, main.getSimpleName() + " " + process.pid());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void readOutput() {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                synchronized (this) {
                    output.add(line);
                    notifyAll();
                }
            }
        } catch (IOException e) {
            // A pipe that breaks has ended as well.
        }
        synchronized (this) {
            ended = true;
            notifyAll();
        }
    }

    /**
     * The child's process.
     *
     * @return its process id
     */
    public long pid() {
        return process.pid();
    }

    /**
     * Tells whether the child runs. A frozen one does.
     *
     * @return false once it has ended
     */
    public boolean isAlive() {
        return process.isAlive();
    }

    /**
     * Writes a line to the child's standard input.
     *
     * @param line the line, without its end
     * @throws UncheckedIOException if the child has ended
     */
    public void send(String line) {
        synchronized (input) {
            try {
                input.write(line + "\n");
                input.flush();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Ends the child's standard input. */
    void endInput() {
        synchronized (input) {
            try {
                input.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /**
     * What the child has said.
     *
     * @return the lines of its standard output so far; a snapshot that cannot be changed
     */
    public synchronized List<String> output() {
        return List.copyOf(output);
    }

    /**
     * Waits for a line of the child's standard output.
     *
     * @param wanted which line
     * @param atMost how long to wait
     * @return the first such line since the start, even if it came long ago
     * @throws IllegalStateException if the child has ended without it; the message has its last lines
     * @throws TimeoutException if it has not come in time; the message has the child's last lines
     * @throws InterruptedException if this thread is interrupted while it waits
     */
    public synchronized String await(Predicate<String> wanted, Duration atMost)
            throws TimeoutException, InterruptedException {
        long end = System.nanoTime() + atMost.toNanos();
        int seen = 0;
        while (true) {
            for (; seen < output.size(); seen++) {
                if (wanted.test(output.get(seen))) {
                    return output.get(seen);
                }
            }
            if (ended) {
                throw new IllegalStateException("the child has ended without that line; it said " + lastLines());
            }
            long left = end - System.nanoTime();
            if (left <= 0) {
                throw new TimeoutException("no such line after " + atMost + "; the child said " + lastLines());
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }

    private List<String> lastLines() {
        return output.subList(Math.max(0, output.size() - 5), output.size());
    }

    /** Kills the child with {@code kill -9}, also a frozen one. Returns when it is gone and all that it said has been read. */
    public void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    /**
     * Waits for the child to end by itself.
     *
     * @param atMost how long to wait
     * @return its exit status; all that it said has been read
     * @throws TimeoutException if it is still running
     * @throws InterruptedException if this thread is interrupted while it waits
     */
    public int awaitExit(Duration atMost) throws TimeoutException, InterruptedException {
        if (!process.waitFor(atMost.toNanos(), TimeUnit.NANOSECONDS)) {
            throw new TimeoutException("the child still runs after " + atMost + "; it said " + output());
        }
        awaitEnd();
        return process.exitValue();
    }

    private synchronized void awaitEnd() {
        boolean interrupted = false;
        process.onExit().join();
        while (!ended) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Freezes the child with SIGSTOP, as a long pause of its machine would: none of its threads runs until {@link #thaw}, and
     * its connections stay open. Returns when it stands still.
     *
     * @throws IllegalStateException if it has ended, or there are no signals here
     */
    public void freeze() {
        signal("STOP");
        if (!Waiting.until(SIGNAL, () -> state().startsWith("T"))) {
            throw new IllegalStateException("process " + pid() + " did not stop: " + state());
        }
    }

    /**
     * Lets a frozen child go on, with SIGCONT.
     *
     * @throws IllegalStateException if it has ended, or there are no signals here
     */
    public void thaw() {
        signal("CONT");
    }

    private void signal(String name) {
        String said = run("kill", "-" + name, Long.toString(pid()));
        if (!said.isEmpty()) {
            throw new IllegalStateException("kill -" + name + " " + pid() + ": " + said);
        }
    }

    /** As {@code ps} shows it: T for a stopped process. */
    private String state() {
        Path stat = Path.of("/proc", Long.toString(pid()), "stat");
        if (!Files.exists(stat)) {
            return run("ps", "-o", "state=", "-p", Long.toString(pid()));
        }
        try {
            String text = Files.readString(stat, StandardCharsets.ISO_8859_1);
            return text.substring(text.lastIndexOf(')') + 2);
        } catch (IOException e) {
            return "gone";
        }
    }

    private static String run(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            process.onExit().join();
            return said.strip();
        } catch (IOException e) {
            throw new IllegalStateException("no signals here", e);
        }
    }

    /** Kills the child. */
    @Override
    public void close() {
        kill();
    }
}
