package dev.idempotency.slack;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import dev.idempotency.slack.SocketEvent.Reason;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What Slack sends over Socket Mode. */
sealed interface SocketFrame {
    /** A longer name is not one of Slack's. */
    int LONGEST_ID = 200;

    /**
     * Events may be delivered from now on.
     *
     * @param lifetime for so long; null when Slack did not say
     * @param connections how many connections of the app Slack counts, this one among them; 0 when it did not say
     */
    record Hello(@Nullable Duration lifetime, int connections) implements SocketFrame {}

    /** The connection will end. */
    record Disconnect(Reason reason) implements SocketFrame {}

    /**
     * Something to be acknowledged.
     *
     * @param payload what was delivered, as Slack has written it; null when the envelope has none
     */
    record Envelope(String id, @Nullable String payload, boolean acceptsResponse, int retry, String retryReason)
            implements SocketFrame {}

    /** Anything else: it has no id that could be acknowledged. */
    record Unknown(String why) implements SocketFrame {}

    /** Never fails. The payload is not read, only its end is found. */
    static SocketFrame parse(String text) {
        String type = "";
        String id = "";
        String payload = null;
        boolean acceptsResponse = false;
        int retry = 0;
        String retryReason = "";
        try (JsonParser parser = SlackEvent.JSON.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return new Unknown("no object");
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                parser.nextToken();
                switch (name) {
                    case "type" -> type = word(parser);
                    case "envelope_id" -> id = word(parser);
                    case "accepts_response_payload" -> acceptsResponse = parser.currentToken() == JsonToken.VALUE_TRUE;
                    case "retry_attempt" -> retry = EnvelopeNumbers.retry(word(parser));
                    case "retry_reason" -> retryReason = word(parser);
                    case "payload" -> payload = raw(parser, text);
                    default -> parser.skipChildren();
                }
            }
            if (parser.nextToken() != null) {
                return new Unknown("more than one object");
            }
            return switch (type) {
                case "hello" -> hello(SlackEvent.JSON.readTree(text));
                case "disconnect" ->
                    new Disconnect(Reason.ofDisconnect(
                            SlackEvent.JSON.readTree(text).path("reason").asText("")));
                default ->
                    id.isEmpty() || id.length() > LONGEST_ID
                            ? new Unknown("no envelope")
                            : new Envelope(id, payload, acceptsResponse, retry, retryReason);
            };
        } catch (IOException e) {
            return new Unknown("no JSON");
        }
    }

    private static String word(JsonParser parser) throws IOException {
        String value = parser.getValueAsString("");
        parser.skipChildren();
        return value;
    }

    private static @Nullable String raw(JsonParser parser, String text) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return null;
        }
        long start = parser.currentTokenLocation().getCharOffset();
        parser.skipChildren();
        // A scalar is read lazily: its end is known only once it was.
        parser.finishToken();
        return text.substring((int) start, (int) parser.currentLocation().getCharOffset());
    }

    private static Hello hello(JsonNode frame) {
        int seconds = EnvelopeNumbers.count(frame.at("/debug_info/approximate_connection_time"));
        return new Hello(
                seconds == 0 ? null : Duration.ofSeconds(seconds),
                EnvelopeNumbers.count(frame.path("num_connections")));
    }
}
