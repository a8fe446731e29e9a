package dev.idempotency.slack;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** Uses a spill buffer in a process of its own, and says what it has done, line by line. */
final class SpillChild {
    static final long ROOM = 1L << 30;
    private static final long LONG = Duration.ofMinutes(1).toNanos();

    private SpillChild() {}

    static SpillBuffer.Entry entry(String key) {
        // Some longer than a page of the disk.
        byte[] payload =
                (key + ":").repeat(1 + Math.floorMod(key.hashCode(), 997)).getBytes(StandardCharsets.UTF_8);
        return new SpillBuffer.Entry(key, payload, Map.of("of", key));
    }

    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[1]);
        switch (args[0]) {
            case "own" -> own(directory);
            case "add" -> add(directory, false);
            case "add-late" -> add(directory, true);
            case "add-some" -> addSome(directory);
            default -> drain(directory);
        }
    }

    private static void own(Path directory) throws Exception {
        try (var buffer = new SpillBuffer(directory, ROOM)) {
            System.out.println("owner " + buffer.size());
            System.in.read();
        } catch (IllegalStateException e) {
            System.out.println("refused");
        }
    }

    /** Four threads until the process is killed. Late: says that an entry is kept before it is. */
    private static void add(Path directory, boolean isLate) {
        var buffer = new SpillBuffer(directory, ROOM);
        for (int i = 0; i < 4; i++) {
            String name = "t" + i + "-";
            new Thread(() -> {
                        for (int n = 0; ; n++) {
                            if (isLate || buffer.add(entry(name + n), LONG)) {
                                System.out.println("kept " + name + n);
                            }
                            if (isLate && n % 100 == 0) {
                                buffer.add(entry(name + n), LONG);
                            }
                        }
                    })
                    .start();
        }
    }

    /** Where a file cannot grow beyond some size. */
    private static void addSome(Path directory) {
        try (var buffer = new SpillBuffer(directory, ROOM)) {
            int failed = 0;
            long bytes = 0;
            for (int n = 0; n < 300 && failed < 3; n++) {
                if (buffer.add(entry("k" + n), LONG)) {
                    System.out.println("kept k" + n);
                } else {
                    failed++;
                    System.out.println("failed k" + n);
                }
                bytes = buffer.size();
            }
            System.out.println("size " + bytes);
        }
    }

    private static void drain(Path directory) {
        try (var buffer = new SpillBuffer(directory, ROOM)) {
            buffer.drain(entry -> System.out.println("taken " + entry.key()));
        }
        System.out.println("empty");
    }
}
