package dev.idempotency.cli;

import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.idempotency.Admin.Review;
import dev.idempotency.Fingerprint;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.StoredResult;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The documents of {@code --json}. A field that does not apply is there and null, so that each kind of document always has
 * the same ones. What is written is ASCII: no terminal and no log takes any of it for a command.
 */
final class Json {
    private static final ObjectWriter WRITER = JsonMapper.builder(new JsonFactoryBuilder()
                    .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
                    .characterEscapes(new AndDelete())
                    .build())
            .build()
            .writerWithDefaultPrettyPrinter();

    /** The one control character of ASCII that JSON lets through. */
    private static final class AndDelete extends CharacterEscapes {
        private static final long serialVersionUID = 1L;
        private static final int DELETE = 0x7F;

        @Override
        public int[] getEscapeCodesForAscii() {
            int[] codes = standardAsciiEscapesForJSON();
            codes[DELETE] = ESCAPE_STANDARD;
            return codes;
        }

        @Override
        public @Nullable SerializableString getEscapeSequence(int c) {
            return null;
        }
    }

    private Json() {}

    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    static String write(ObjectNode document) {
        try {
            return WRITER.writeValueAsString(document);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a document cannot be written", e);
        }
    }

    static ObjectNode failure(Failure failure) {
        return object().put("outcome", failure.code().outcome())
                .put("exitCode", failure.code().code())
                .put("reason", failure.reason())
                .put("message", failure.text())
                .put("until", text(failure.until()));
    }

    static ObjectNode listing(Listing listing) {
        ObjectNode document = object().put("outcome", ExitCode.DONE.outcome());
        ArrayNode records = document.putArray("records");
        for (IdempotencyRecord record : listing.records()) {
            Duration age = listing.age(record);
            records.add(summary(record, listing.now()).put("ageSeconds", age == null ? null : age.toSeconds()));
        }
        return document.put("next", listing.next()).put("now", text(listing.now()));
    }

    private static ObjectNode summary(IdempotencyRecord record, @Nullable Instant now) {
        return object().put("scope", record.key().scope())
                .put("key", record.key().value())
                .put("state", record.state().name())
                .put("since", record.times().stateSince().toString())
                .put("version", record.version())
                .put("generation", record.generation())
                .put("attempt", record.attempt())
                .put("policy", record.terms().policy().name())
                .put("held", Listing.isHeld(record, now))
                .put("leaseUntil", text(record.times().leaseUntil()))
                .put("leaseOver", Listing.isLeaseOver(record, now));
    }

    static ObjectNode review(Review review, boolean withResult) {
        ObjectNode document = object().put("outcome", ExitCode.DONE.outcome());
        document.set("record", record(review, withResult));
        document.put("now", review.now().toString())
                .put("quiescentAt", text(review.quiescentAt()))
                .put("quiescent", review.isQuiescent())
                .put("recovery", review.recovery());
        document.set("pending", entries(review.pending()));
        document.set("audit", entries(review.audit()));
        return document;
    }

    private static ObjectNode record(Review review, boolean withResult) {
        IdempotencyRecord record = review.record();
        var terms = record.terms();
        var times = record.times();
        Fingerprint fingerprint = record.fingerprint();
        var request = record.request();
        ObjectNode document = summary(record, review.now())
                .put("nativeKey", record.nativeKey())
                .put("fingerprint", fingerprint == null ? null : Payloads.text(fingerprint))
                .put("whenMissing", terms.whenMissing().name())
                .put("quiescence", text(terms.quiescence()))
                .put("resendWithin", text(terms.resendWithin()))
                .put("createdAt", times.createdAt().toString())
                .put("firstSentAt", times.firstSentAt().toString())
                .put("expiresAt", times.expiresAt().toString())
                .put("forgetAt", times.forgetAt().toString());
        document.set("result", result(record.result(), withResult));
        document.set(
                "request",
                request == null ? null : object().put("codec", request.codec()).put("bytes", request.bytes().length));
        ArrayNode history = document.putArray("history");
        for (Evidence line : record.evidence()) {
            ObjectNode event = history.addObject()
                    .put("kind", line.kind().name())
                    .put("at", line.at().toString())
                    .put("attempt", line.attempt())
                    .put("detail", line.detail());
            event.set("result", result(line.result(), withResult));
        }
        return document;
    }

    private static @Nullable ObjectNode result(@Nullable StoredResult result, boolean withContent) {
        if (result == null) {
            return null;
        }
        String text = withContent ? utf8(result.bytes()) : null;
        boolean asBase64 = withContent && text == null;
        return object().put("kind", result.kind().name())
                .put("codec", result.codec())
                .put("bytes", result.size())
                .put("text", text)
                .put("base64", asBase64 ? Base64.getEncoder().encodeToString(result.bytes()) : null);
    }

    /** Null when the bytes are not UTF-8. */
    static @Nullable String utf8(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    static ObjectNode done(AuditEntry.Act act, IdempotencyRecord record) {
        ObjectNode document = object().put("outcome", ExitCode.DONE.outcome()).put("act", act.name());
        document.set("record", summary(record, null));
        return document;
    }

    static ObjectNode entry(AuditEntry entry) {
        ObjectNode document = object().put("outcome", ExitCode.DONE.outcome());
        document.set("entry", auditEntry(entry));
        return document;
    }

    static ObjectNode pending(List<AuditEntry> requests, boolean isWhole) {
        ObjectNode document = object().put("outcome", ExitCode.DONE.outcome());
        document.set("pending", entries(requests));
        return document.put("whole", isWhole);
    }

    static ObjectNode trail(List<AuditEntry> page, @Nullable String next) {
        ObjectNode document = object().put("outcome", ExitCode.DONE.outcome());
        document.set("entries", entries(page));
        return document.put("next", next);
    }

    private static ArrayNode entries(List<AuditEntry> entries) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        entries.forEach(entry -> array.add(auditEntry(entry)));
        return array;
    }

    private static ObjectNode auditEntry(AuditEntry entry) {
        Fingerprint fingerprint = entry.fingerprint();
        return object().put("id", entry.id())
                .put("at", text(entry.at()))
                .put("scope", entry.key().scope())
                .put("key", entry.key().value())
                .put("version", entry.version())
                .put("generation", entry.generation())
                .put("act", entry.act().name())
                .put("phase", entry.phase().name())
                .put("who", entry.who())
                .put("why", entry.why())
                .put("evidence", entry.evidence())
                .put("fingerprint", fingerprint == null ? null : Payloads.text(fingerprint))
                .put("detail", entry.detail());
    }

    static ObjectNode fingerprint(Fingerprint fingerprint) {
        return object().put("outcome", ExitCode.DONE.outcome())
                .put("fingerprint", Payloads.text(fingerprint))
                .put("algorithm", fingerprint.algorithm())
                .put("digest", fingerprint.digest());
    }

    private static @Nullable String text(@Nullable Instant at) {
        return at == null ? null : at.toString();
    }

    private static @Nullable String text(@Nullable Duration span) {
        return span == null ? null : span.toString();
    }
}
