package dev.idempotency.testkit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The file behind an {@link EffectLedger}: one line of JSON for each effect and each seal. Not thread-safe. It writes through
 * {@link RandomAccessFile} and not through a channel, because an interrupt of the writing thread closes a channel.
 */
final class LedgerFile implements Closeable {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path path;
    private final RandomAccessFile out;
    private final FileChannel claim;
    private boolean failed;

    private LedgerFile(Path path, RandomAccessFile out, FileChannel claim) {
        this.path = path;
        this.out = out;
        this.claim = claim;
    }

    record Opened(LedgerFile file, Content content) {}

    record Content(List<Effect> effects, Set<String> sealedKeys, long goodBytes) {}

    static Opened open(Path path) throws IOException {
        var claim = claim(path);
        try {
            var out = new RandomAccessFile(path.toFile(), "rw");
            try {
                var content = read(path);
                out.setLength(content.goodBytes());
                out.seek(content.goodBytes());
                return new Opened(new LedgerFile(path, out, claim), content);
            } catch (IOException | RuntimeException e) {
                out.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            claim.close();
            throw e;
        }
    }

    /**
     * Claims the ledger for as long as the channel is open, at most until the process ends. The claim is on a file of its own,
     * because on POSIX systems a process loses its claim on a file as soon as it closes any reader of that file.
     */
    private static FileChannel claim(Path path) throws IOException {
        var channel = FileChannel.open(Path.of(path + ".claim"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // claimed by this process: refused below, as one claimed by another process is
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        channel.close();
        throw new IOException(path + " is open in another ledger");
    }

    static Content read(Path path) throws IOException {
        var bytes = Files.readAllBytes(path);
        var content = new Content(new ArrayList<>(), new LinkedHashSet<>(), 0);
        var start = 0;
        var lineNumber = 0;
        for (var i = 0; i < bytes.length; i++) {
            if (bytes[i] != '\n') {
                continue;
            }
            lineNumber++;
            if (!accept(new String(bytes, start, i - start, StandardCharsets.UTF_8), content)) {
                if (i + 1 < bytes.length) {
                    throw new IOException(path + " is damaged in line " + lineNumber);
                }
                break;
            }
            start = i + 1;
        }
        return new Content(content.effects(), content.sealedKeys(), start);
    }

    private static boolean accept(String line, Content content) {
        JsonNode node;
        try {
            node = JSON.readTree(line);
        } catch (JsonProcessingException e) {
            return false;
        }
        var sealedKey = text(node, "sealedKey");
        if (sealedKey != null) {
            content.sealedKeys().add(sealedKey);
            return true;
        }
        var effect = effect(node);
        return effect != null && content.effects().add(effect);
    }

    private static @Nullable Effect effect(JsonNode node) {
        try {
            var effect = new Effect(
                    required(node, "effectId"),
                    text(node, "nativeKey"),
                    required(node, "reference"),
                    required(node, "payload"),
                    Instant.parse(required(node, "receivedAt")),
                    required(node, "requestId"));
            return effect.payloadDigest().equals(text(node, "payloadDigest")) ? effect : null;
        } catch (IllegalArgumentException | DateTimeParseException e) {
            return null;
        }
    }

    private static String required(JsonNode node, String field) {
        var text = text(node, field);
        if (text == null) {
            throw new IllegalArgumentException("no " + field);
        }
        return text;
    }

    private static @Nullable String text(JsonNode node, String field) {
        var value = node.get(field);
        return value == null || !value.isTextual() ? null : value.textValue();
    }

    void append(Effect effect) {
        write(JSON.createObjectNode()
                .put("effectId", effect.effectId())
                .put("nativeKey", effect.nativeKey())
                .put("reference", effect.reference())
                .put("payload", effect.payload())
                .put("payloadDigest", effect.payloadDigest())
                .put("receivedAt", effect.receivedAt().toString())
                .put("requestId", effect.requestId()));
    }

    void appendSeal(String nativeKey) {
        write(JSON.createObjectNode().put("sealedKey", nativeKey));
    }

    private void write(ObjectNode line) {
        try {
            if (failed) {
                throw new IOException("an earlier write to " + path + " failed");
            }
            failed = true;
            out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            out.getFD().sync();
            failed = false;
        } catch (IOException e) {
            throw new UncheckedIOException("the ledger cannot be written", e);
        }
    }

    @Override
    public void close() throws IOException {
        out.close();
        claim.close();
    }
}
