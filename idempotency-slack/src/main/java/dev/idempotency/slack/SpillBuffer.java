package dev.idempotency.slack;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
 * its length, the checksums of its length and of its bytes, and its bytes. What a crash has cut off was never acknowledged. A
 * file with damage is set aside when all that can be read in it was taken.
 */
final class SpillBuffer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SpillBuffer.class);
    private static final Pattern NAME = Pattern.compile("(0[0-9a-f]{15})\\.spill");
    /** A system may give up all locks on a file when one channel to it is closed: so no second one is opened. */
    private static final Set<Path> OPEN_HERE = ConcurrentHashMap.newKeySet();

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

    /** A file that is not written any more, and how much of it counts. */
    private record Closed(Path file, long bytes) {}

    private final Path owned;
    private final long maxBytes;
    private final FileChannel guard;
    private final FileAttribute<?>[] forOwnerOnly;
    private final BlockingQueue<Pending> pending = new LinkedBlockingQueue<>();
    private final Thread writer;
    private final AtomicLong size = new AtomicLong();

    /** Guards what follows; taken by the writer for one batch, and by the drain to close the file that is written. */
    private final Object files = new Object();

    private final Deque<Closed> closedFiles = new ArrayDeque<>();
    private @Nullable FileChannel open;
    private @Nullable Path openFile;
    /** How much of the file that is written was acknowledged. */
    private long openBytes;

    private long next;
    private boolean isFailing;
    private volatile boolean closed;

    /** How far the oldest file was drained: what is before is in the store, or damaged. Only the drain looks at it. */
    private long drained;

    private boolean isDamaged;

    /**
     * Opens a directory, with what is left in it.
     *
     * @throws UncheckedIOException if it cannot be written
     * @throws IllegalStateException if another one has it open
     */
    SpillBuffer(Path directory, long maxBytes) {
        this.maxBytes = maxBytes;
        try {
            Files.createDirectories(directory);
            owned = directory.toRealPath();
            forOwnerOnly = forOwnerOnly(owned);
            guard = own();
        } catch (IOException e) {
            throw unusable(e);
        }
        try {
            takeOver();
        } catch (IOException e) {
            giveBack();
            throw unusable(e);
        }
        writer = new Thread(this::write, "slack-spill");
        writer.setDaemon(true);
        writer.start();
    }

    private static UncheckedIOException unusable(IOException e) {
        return new UncheckedIOException("The spill buffer's directory cannot be used", e);
    }

    private FileChannel own() throws IOException {
        if (!OPEN_HERE.add(owned)) {
            throw inUse();
        }
        try {
            FileChannel file = create(owned.resolve("owner"), StandardOpenOption.CREATE);
            if (file.tryLock() != null) {
                return file;
            }
            file.close();
        } catch (IOException | OverlappingFileLockException e) {
            OPEN_HERE.remove(owned);
            throw e;
        }
        OPEN_HERE.remove(owned);
        throw inUse();
    }

    private static IllegalStateException inUse() {
        return new IllegalStateException("The spill buffer's directory is in use; each process needs its own");
    }

    private void giveBack() {
        try {
            guard.close();
        } catch (IOException e) {
            LOG.warn("The spill buffer's directory could not be given back", e);
        }
        OPEN_HERE.remove(owned);
    }

    private void takeOver() throws IOException {
        try (Stream<Path> all = Files.list(owned)) {
            for (Path file : all.sorted().toList()) {
                Matcher name = NAME.matcher(file.getFileName().toString());
                if (name.matches()) {
                    next = Math.max(next, Long.parseLong(name.group(1), 16) + 1);
                    close(file, Files.size(file));
                    size.addAndGet(Files.size(file));
                }
            }
        }
    }

    /** What people write to each other is for nobody else on this machine. */
    private static FileAttribute<?>[] forOwnerOnly(Path directory) {
        boolean isPosix =
                directory.getFileSystem().supportedFileAttributeViews().contains("posix");
        return isPosix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
    }

    private FileChannel create(Path file, StandardOpenOption how) throws IOException {
        return FileChannel.open(file, Set.of(how, StandardOpenOption.WRITE), forOwnerOnly);
    }

    /**
     * Keeps an entry.
     *
     * @param nanos how long to wait for the disk
     * @return true when it is on the disk; false when there is no room, no time, or the disk failed
     */
    boolean add(Entry entry, long nanos) {
        byte[] frame = frame(entry);
        if (closed) {
            return false;
        }
        if (size.addAndGet(frame.length) > maxBytes) {
            size.addAndGet(-frame.length);
            return false;
        }
        var added = new Pending(frame, new CompletableFuture<>());
        pending.add(added);
        if (closed && pending.remove(added)) {
            return false;
        }
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
                append(all.toByteArray());
                isFailing = false;
                return true;
            } catch (IOException e) {
                if (!isFailing) {
                    LOG.error("The spill buffer cannot be written", e);
                }
                isFailing = true;
                size.addAndGet(-all.size());
                // What is in the file after a failed write is not known: nothing more is put behind it.
                closeFile();
                return false;
            }
        }
    }

    private void append(byte[] bytes) throws IOException {
        if (open == null) {
            openFile = owned.resolve(String.format("%016x.spill", next++));
            openBytes = 0;
            open = create(openFile, StandardOpenOption.CREATE_NEW);
            forceDirectory();
        }
        var left = ByteBuffer.wrap(bytes);
        while (left.hasRemaining()) {
            open.write(left);
        }
        open.force(false);
        openBytes += bytes.length;
    }

    private void forceDirectory() {
        try (FileChannel channel = FileChannel.open(owned, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            LOG.debug("This system does not open directories", e);
        }
    }

    private void closeFile() {
        if (open == null || openFile == null) {
            return;
        }
        try {
            open.close();
            // On a full disk there would be one for each attempt.
            if (openBytes > 0 || !Files.deleteIfExists(openFile)) {
                close(openFile, openBytes);
            }
        } catch (IOException e) {
            LOG.warn("A file of the spill buffer could not be closed", e);
            close(openFile, openBytes);
        }
        open = null;
        openFile = null;
    }

    private void close(Path file, long bytes) {
        closedFiles.add(new Closed(file, bytes));
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
            Closed oldest;
            synchronized (files) {
                if (closedFiles.isEmpty()) {
                    closeFile();
                }
                oldest = closedFiles.peek();
            }
            if (oldest == null) {
                return;
            }
            try {
                read(oldest.file, sink);
                if (!remove(oldest)) {
                    return;
                }
            } catch (IOException e) {
                throw new UncheckedIOException("The spill buffer cannot be read", e);
            }
        }
    }

    /** False when it is not ours any more: what was read is read once more by the next owner. */
    private boolean remove(Closed oldest) throws IOException {
        synchronized (files) {
            if (closed) {
                return false;
            }
            if (isDamaged && Files.exists(oldest.file)) {
                Path aside = oldest.file.resolveSibling(oldest.file.getFileName() + ".damaged");
                LOG.error("A file of the spill buffer is damaged; what could not be read stays in {}", aside);
                Files.move(oldest.file, aside);
            } else {
                Files.deleteIfExists(oldest.file);
            }
            closedFiles.remove();
            drained = 0;
            isDamaged = false;
        }
        size.addAndGet(-oldest.bytes);
        return true;
    }

    private void read(Path file, Sink sink) throws IOException {
        if (!Files.exists(file)) {
            LOG.error("Somebody has removed {}, with what was in it", file);
            return;
        }
        long length = Files.size(file);
        try (InputStream raw = Files.newInputStream(file)) {
            raw.skipNBytes(drained);
            var in = new DataInputStream(new BufferedInputStream(raw));
            while (!closed && length - drained >= HEADER) {
                int bytes = in.readInt();
                int ofLength = in.readInt();
                int ofBytes = in.readInt();
                if (bytes <= 0 || ofLength != checksum(bytes)) {
                    // Where the next entry begins is not known. Only zeros are what a loss of power leaves of a last
                    // write.
                    isDamaged |= bytes != 0 || ofLength != 0 || ofBytes != 0 || !isBlank(in);
                    return;
                }
                if (bytes > length - drained - HEADER) {
                    return;
                }
                byte[] body = in.readNBytes(bytes);
                if (checksum(body) == ofBytes) {
                    sink.take(entry(body));
                } else {
                    isDamaged = true;
                }
                drained += HEADER + bytes;
            }
        }
    }

    private static boolean isBlank(InputStream in) throws IOException {
        int one = in.read();
        while (one == 0) {
            one = in.read();
        }
        return one < 0;
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
                .putInt(checksum(bytes.length))
                .putInt(checksum(bytes))
                .put(bytes)
                .array();
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

    private static int checksum(byte[] bytes) {
        var crc = new CRC32();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    private static int checksum(int length) {
        return checksum(ByteBuffer.allocate(Integer.BYTES).putInt(length).array());
    }

    /** What is in the files stays there for the next one. */
    @Override
    public void close() {
        synchronized (files) {
            if (closed) {
                return;
            }
            closed = true;
            closeFile();
        }
        writer.interrupt();
        giveBack();
    }
}
