package dev.idempotency.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;

/** Where the time and the memory of a run go, by the flight recorder, condensed to text. */
final class Profile implements AutoCloseable {
    private static final int LINES = 18;
    /** The crew's threads: what the harness and the servers' drivers do elsewhere is not the subject's work. */
    private static final String CALLER = "caller";

    private final Recording recording = new Recording();

    Profile() {
        recording.enable("jdk.ExecutionSample").withPeriod(Duration.ofMillis(10));
        recording.enable("jdk.ObjectAllocationSample").with("throttle", "1000/s");
        recording.enable("jdk.JavaMonitorEnter").withThreshold(Duration.ofMillis(1));
        recording.enable("jdk.ThreadPark").withThreshold(Duration.ofMillis(1));
        recording.start();
    }

    /** Ends it. */
    String text() throws IOException {
        recording.stop();
        Path file = Files.createTempFile("benchmarks", ".jfr");
        try {
            recording.dump(file);
            return condensed(RecordingFile.readAllEvents(file));
        } finally {
            Files.delete(file);
        }
    }

    private static String condensed(List<RecordedEvent> events) {
        var self = new HashMap<String, Double>();
        var within = new HashMap<String, Double>();
        var allocated = new HashMap<String, Double>();
        var allocating = new HashMap<String, Double>();
        var waiting = new HashMap<String, Double>();
        int samples = 0;
        for (RecordedEvent event : events) {
            if (event.getStackTrace() == null) {
                continue;
            }
            List<RecordedFrame> frames = event.getStackTrace().getFrames();
            switch (event.getEventType().getName()) {
                case "jdk.ExecutionSample" -> {
                    if (event.getThread("sampledThread") != null
                            && CALLER.equals(event.getThread("sampledThread").getJavaName())) {
                        samples++;
                        self.merge(name(frames.get(0)), 1.0, Double::sum);
                        each(frames, Profile::isOurs, within, 1);
                    }
                }
                case "jdk.ObjectAllocationSample" -> {
                    if (event.getThread() != null
                            && CALLER.equals(event.getThread().getJavaName())) {
                        double weight = event.getLong("weight");
                        allocated.merge(event.getClass("objectClass").getName(), weight, Double::sum);
                        each(frames, Profile::isOurs, allocating, weight);
                    }
                }
                case "jdk.JavaMonitorEnter", "jdk.ThreadPark" -> {
                    if (event.getThread() != null
                            && CALLER.equals(event.getThread().getJavaName())) {
                        double millis = event.getDuration().toNanos() / 1e6;
                        frames.stream()
                                .filter(frame ->
                                        !frame.getMethod().getType().getName().startsWith("java."))
                                .filter(frame ->
                                        !frame.getMethod().getType().getName().startsWith("jdk."))
                                .findFirst()
                                .ifPresent(frame -> waiting.merge(name(frame), millis, Double::sum));
                    }
                }
                default -> {}
            }
        }
        return "  " + samples + " samples of running Java code, one for every 10 ms of it\n"
                + table("CPU, by the method at work", self)
                + table("CPU, by method of the library with all it calls", within)
                + table("Bytes, by class", allocated)
                + table("Bytes, by method of the library with all it calls", allocating)
                + table("Waiting for more than a millisecond, by who waits", waiting);
    }

    private static void each(
            List<RecordedFrame> frames, Predicate<String> wanted, Map<String, Double> counts, double weight) {
        Set<String> seen = new HashSet<>();
        for (RecordedFrame frame : frames) {
            if (wanted.test(frame.getMethod().getType().getName()) && seen.add(name(frame))) {
                counts.merge(name(frame), weight, Double::sum);
            }
        }
    }

    private static boolean isOurs(String type) {
        return type.startsWith("dev.idempotency.") && !type.startsWith("dev.idempotency.benchmarks.");
    }

    private static String name(RecordedFrame frame) {
        String type = frame.getMethod().getType().getName();
        return type.replaceFirst("^dev\\.idempotency\\.", "").replaceFirst("\\$\\$Lambda.*", "(lambda)") + "."
                + frame.getMethod().getName();
    }

    private static String table(String title, Map<String, Double> counts) {
        double all = counts.values().stream().mapToDouble(Double::doubleValue).sum();
        if (title.contains("with all it calls")) {
            all = counts.values().stream()
                    .mapToDouble(Double::doubleValue)
                    .max()
                    .orElse(0);
        }
        var text = new StringBuilder("  " + title + "\n");
        if (counts.isEmpty()) {
            return text.append("    none\n").toString();
        }
        double whole = all;
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Double>comparingByValue(Comparator.reverseOrder()))
                .limit(LINES)
                .forEach(entry -> text.append(
                        String.format("    %5.1f %%  %s%n", 100 * entry.getValue() / whole, entry.getKey())));
        return text.toString();
    }

    @Override
    public void close() {
        recording.close();
    }
}
