package dev.idempotency.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Who has used how much CPU time, in nanoseconds. What this platform does not tell is -1. */
final class Processor {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    /** What {@code /proc} counts in: 10 ms on every Linux that Java runs on. */
    private static final long TICK = 10_000_000;

    private Processor() {}

    static long ofThisProcess() {
        return SYSTEM.getProcessCpuTime();
    }

    /** A server's first process, and all that it has started. */
    static long ofServer(long pid) {
        if (pid < 0) {
            return -1;
        }
        long[] first = times(pid);
        if (first == null) {
            return -1;
        }
        // Those that have ended meanwhile are counted with their parent.
        long ticks = Arrays.stream(first).sum();
        List<ProcessHandle> children = ProcessHandle.of(pid)
                .map(ProcessHandle::descendants)
                .orElseGet(Stream::empty)
                .toList();
        for (ProcessHandle child : children) {
            long[] times = times(child.pid());
            if (times != null) {
                ticks += times[0] + times[1];
            }
        }
        return ticks * TICK;
    }

    /** In user mode, in the kernel, and the same of children that have ended. */
    private static long @Nullable [] times(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            return new long[] {
                Long.parseLong(fields[11]),
                Long.parseLong(fields[12]),
                Long.parseLong(fields[13]),
                Long.parseLong(fields[14])
            };
        } catch (IOException e) {
            return null;
        }
    }

    /** The whole machine. */
    static long ofMachine() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/stat"))) {
            String[] fields = lines.findFirst().orElse("").split(" +", -1);
            // user nice system idle iowait irq softirq steal
            long busy = 0;
            for (int i : new int[] {1, 2, 3, 6, 7, 8}) {
                busy += Long.parseLong(fields[i]);
            }
            return busy * TICK;
        } catch (IOException | RuntimeException e) {
            return -1;
        }
    }

    /** What the current thread has allocated, in bytes. */
    static long allocatedByThisThread() {
        return THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    static long memoryGigabytes() {
        return SYSTEM.getTotalMemorySize() >> 30;
    }

    static int count() {
        return Runtime.getRuntime().availableProcessors();
    }
}
