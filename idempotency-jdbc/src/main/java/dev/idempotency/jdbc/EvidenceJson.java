package dev.idempotency.jdbc;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.StoredResult;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The history of a record as JSON that people can read in the table. */
final class EvidenceJson {
    private static final String EMPTY = "[]";
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    // A late answer is kept whatever its size, so it must come back whatever its size.
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .build();
    // PostgreSQL refuses a lone surrogate unless it is escaped.
    private static final ObjectWriter WRITER = MAPPER.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII);

    private EvidenceJson() {}

    static String write(List<Evidence> evidence) {
        if (evidence.isEmpty()) {
            return EMPTY;
        }
        ArrayNode lines = MAPPER.createArrayNode();
        for (Evidence line : evidence) {
            ObjectNode node = lines.addObject();
            node.put("kind", line.kind().name());
            node.put("at", line.at().toString());
            node.put("attempt", line.attempt());
            node.put("detail", line.detail());
            StoredResult result = line.result();
            if (result != null) {
                node.putObject("result")
                        .put("kind", result.kind().name())
                        .put("codec", result.codec())
                        .put("bytes", result.bytes());
            }
        }
        try {
            return WRITER.writeValueAsString(lines);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A tree of text and numbers can always be written", e);
        }
    }

    static List<Evidence> read(String json) throws IOException {
        if (json.equals(EMPTY)) {
            return List.of();
        }
        List<Evidence> evidence = new ArrayList<>();
        for (JsonNode line : MAPPER.readTree(json)) {
            evidence.add(new Evidence(
                    Evidence.Kind.valueOf(line.path("kind").asText()),
                    Instant.parse(line.path("at").asText()),
                    line.path("attempt").asInt(),
                    line.path("detail").asText(),
                    result(line.get("result"))));
        }
        return evidence;
    }

    private static @Nullable StoredResult result(@Nullable JsonNode node) throws IOException {
        return node == null
                ? null
                : new StoredResult(
                        StoredResult.Kind.valueOf(node.path("kind").asText()),
                        node.path("codec").asText(),
                        node.path("bytes").binaryValue());
    }
}
