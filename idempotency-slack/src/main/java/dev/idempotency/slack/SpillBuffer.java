package dev.idempotency.slack;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StreamCorruptedException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps deliveries in files while the store does not answer. What was added is on the disk before {@link #add} says so, and
 * stays there until the store has it. After a crash it may be given to the store twice, which is what the store's keys are for.
 *
 * <p>One file is written at a time; {@link #drain} closes it, and reads and removes the closed ones, oldest first. An entry is
 * its length, its checksum and its bytes; what a crash has cut off was never acknowledged.
 */
final class SpillBuffer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SpillBuffer.class);
    private static final String SUFFIX = ".spill";
    private static final int HEADER = 12;

    /** Never compared. */
    @SuppressWarnings("ArrayRecordComponent")
    record Entry(String key, byte[] payload, Map<String, String> attributes) {}

    /** Takes entries to where they belong. */
    @FunctionalInterface
    interface Sink {
        /**
         * Takes an entry.
         *
         * @throws RuntimeException if it was not taken: the entry stays, and so do those after it
         */
        void take(Entry entry);
    }

    @SuppressWarnings("ArrayRecordComponent")
    private record Pending(byte[] frame, CompletableFuture<Boolean> written) {}

    private final Path directory;
    private final long maxBytes;
    private final FileChannel guard;
    private final FileLock onlyOne;
    private final BlockingQueue<Pending> pending = new LinkedBlockingQueue<>();
    private final Thread writer;
    private final AtomicLong size = new AtomicLong();

    /** Guards what follows; taken by the writer for one batch, and by the drain to close the file that is written. */
    private final Object files = new Object();

    private final Deque<Path> closedFiles = new ArrayDeque<>();
    private @Nullable FileChannel open;
    private @Nullable Path openFile;
    /** How much of the file that is written was acknowledged. */
    private long openBytes;

    private long next;
    private boolean closed;
    /** How far the oldest file was drained: what is before is in the store. */
    private long drained;

    /**
     * Opens a directory, with what is left in it.
     *
     * @throws UncheckedIOException if it cannot be written
     * @throws IllegalStateException if another one has it open
     */
    SpillBuffer(Path directory, long maxBytes) {
        this.directory = directory;
        this.maxBytes = maxBytes;
        try {
            Files.createDirectories(directory);
            guard = FileChannel.open(directory.resolve("owner"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            onlyOne = own();
            try (Stream<Path> left = Files.list(directory)) {
                left.filter(file -> file.toString().endsWith(SUFFIX)).sorted().forEach(closedFiles::add);
            }
            for (Path file : closedFiles) {
                size.addAndGet(Files.size(file));
                next = Math.max(next, number(file) + 1);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("The spill buffer's directory cannot be used", e);
        }
        writer = new Thread(this::write, "slack-spill");
        writer.setDaemon(true);
        writer.start();
    }

    private FileLock own() throws IOException {
        FileLock mine = null;
        try {
            mine = guard.tryLock();
        } catch (OverlappingFileLockException e) {
            LOG.debug("Open in this process", e);
        }
        if (mine == null) {
            guard.close();
            throw new IllegalStateException("The spill buffer's directory is in use; each process needs its own");
        }
        return mine;
    }

    private static long number(Path file) {
        String name = file.getFileName().toString();
        return Long.parseLong(name.substring(0, name.length() - SUFFIX.length()), 16);
    }

    /**
     * Keeps an entry.
     *
     * @param nanos how long to wait for the disk
     * @return true when it is on the disk; false when there is no room, no time, or the disk failed
     */
    boolean add(Entry entry, long nanos) {
        byte[] frame = frame(entry);
        if (size.addAndGet(frame.length) > maxBytes) {
            size.addAndGet(-frame.length);
            return false;
        }
        var added = new Pending(frame, new CompletableFuture<>());
        pending.add(added);
        try {
            return added.written.get(Math.max(0, nanos), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException | TimeoutException e) {
            return false;
        }
    }

    /** One write and one wait for the disk for all that have come meanwhile. */
    private void write() {
        var batch = new ArrayList<Pending>();
        try {
            while (true) {
                batch.add(pending.take());
                pending.drainTo(batch);
                boolean isWritten = write(batch);
                batch.forEach(added -> added.written.complete(isWritten));
                batch.clear();
            }
        } catch (InterruptedException e) {
            batch.addAll(pending);
            batch.forEach(added -> added.written.complete(false));
        }
    }

    private boolean write(List<Pending> batch) {
        var all = new ByteArrayOutputStream();
        batch.forEach(added -> all.writeBytes(added.frame));
        synchronized (files) {
            if (closed) {
                return false;
            }
            try {
                if (open == null) {
                    openFile = directory.resolve(String.format("%016x", next++) + SUFFIX);
                    open = FileChannel.open(
                            openFile,
                            StandardOpenOption.CREATE_NEW,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.APPEND);
                    openBytes = 0;
                    forceDirectory();
                }
                var bytes = ByteBuffer.wrap(all.toByteArray());
                while (bytes.hasRemaining()) {
                    open.write(bytes);
                }
                open.force(false);
                openBytes += all.size();
                return true;
            } catch (IOException e) {
                LOG.error("The spill buffer cannot be written", e);
                // What is in the file after a failed write is not known: nothing more is put behind it.
                size.addAndGet(closeFile() - openBytes - all.size());
                return false;
            }
        }
    }

    private void forceDirectory() {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            LOG.debug("This system does not open directories", e);
        }
    }

    /** Answers how long the file has become. */
    private long closeFile() {
        if (open == null || openFile == null) {
            return 0;
        }
        long length = openBytes;
        try {
            length = open.size();
            open.close();
        } catch (IOException e) {
            LOG.warn("A file of the spill buffer could not be closed", e);
        }
        closedFiles.add(openFile);
        open = null;
        openFile = null;
        return length;
    }

    /** How many bytes wait, with what is being written. */
    long size() {
        return size.get();
    }

    /**
     * Takes everything out, oldest first, until the sink throws. One thread at a time.
     *
     * @throws RuntimeException what the sink has thrown
     */
    void drain(Sink sink) {
        while (true) {
            Path file;
            synchronized (files) {
                if (closedFiles.isEmpty()) {
                    closeFile();
                }
                file = closedFiles.peek();
            }
            if (file == null) {
                return;
            }
            drain(file, sink);
            synchronized (files) {
                closedFiles.remove();
                drained = 0;
            }
        }
    }

    private void drain(Path file, Sink sink) {
        try {
            long length = Files.size(file);
            try (InputStream raw = Files.newInputStream(file)) {
                raw.skipNBytes(drained);
                var in = new DataInputStream(new BufferedInputStream(raw));
                for (byte[] body = body(in, length); body != null; body = body(in, length)) {
                    sink.take(entry(body));
                    drained += HEADER + body.length;
                }
                Files.delete(file);
            } catch (StreamCorruptedException e) {
                LOG.error("File {} of the spill buffer is damaged; what follows is not read", file.getFileName());
                Files.move(file, file.resolveSibling(file.getFileName() + ".damaged"));
            }
            size.addAndGet(-length);
        } catch (IOException e) {
            throw new UncheckedIOException("The spill buffer cannot be read", e);
        }
    }

    private static byte[] frame(Entry entry) {
        var body = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(body)) {
            out.writeUTF(entry.key);
            out.writeInt(entry.attributes.size());
            for (var attribute : entry.attributes.entrySet()) {
                out.writeUTF(attribute.getKey());
                out.writeUTF(attribute.getValue());
            }
            out.write(entry.payload);
        } catch (IOException e) {
            throw new UncheckedIOException("An entry does not fit", e);
        }
        byte[] bytes = body.toByteArray();
        return ByteBuffer.allocate(HEADER + bytes.length)
                .putInt(bytes.length)
                .putLong(checksum(bytes))
                .put(bytes)
                .array();
    }

    /** Null at the end, which may be within an entry that was never acknowledged. */
    private byte @Nullable [] body(DataInputStream in, long fileLength) throws IOException {
        if (fileLength - drained < HEADER) {
            return null;
        }
        int length = in.readInt();
        long checksum = in.readLong();
        if (length < 0) {
            throw new StreamCorruptedException();
        }
        if (length > fileLength - drained - HEADER) {
            return null;
        }
        byte[] body = in.readNBytes(length);
        if (checksum(body) != checksum) {
            throw new StreamCorruptedException();
        }
        return body;
    }

    private static Entry entry(byte[] body) throws IOException {
        var in = new DataInputStream(new ByteArrayInputStream(body));
        String key = in.readUTF();
        int count = in.readInt();
        Map<String, String> attributes = new HashMap<>();
        for (int i = 0; i < count; i++) {
            attributes.put(in.readUTF(), in.readUTF());
        }
        return new Entry(key, in.readAllBytes(), attributes);
    }

    private static long checksum(byte[] bytes) {
        var crc = new CRC32();
        crc.update(bytes);
        return crc.getValue();
    }

    /** What is in the files stays there for the next one. */
    @Override
    public void close() {
        writer.interrupt();
        synchronized (files) {
            closed = true;
            closeFile();
        }
        try {
            onlyOne.release();
            guard.close();
        } catch (IOException e) {
            LOG.warn("The spill buffer's directory could not be given back", e);
        }
    }
}
