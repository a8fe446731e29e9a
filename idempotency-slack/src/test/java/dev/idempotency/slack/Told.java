package dev.idempotency.slack;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Makes events as Slack tells them. */
final class Told {
    static final String APP = "A0HOME";
    static final String TEAM = "T0TEAM";

    private final ObjectNode payload = SlackEvent.JSON.createObjectNode();
    private final ObjectNode event;

    private Told(String eventId, String type) {
        payload.put("token", "none")
                .put("team_id", TEAM)
                .put("api_app_id", APP)
                .put("type", "event_callback")
                .put("event_id", eventId)
                .put("event_time", 1_760_000_000);
        event = payload.putObject("event").put("type", type);
    }

    static Told event(String eventId, String type) {
        return new Told(eventId, type);
    }

    static Told message(String eventId, String ts) {
        return mentioning(eventId, "message", ts);
    }

    static Told mention(String eventId, String ts) {
        return mentioning(eventId, "app_mention", ts);
    }

    private static Told mentioning(String eventId, String type, String ts) {
        return event(eventId, type)
                .with("channel", "C0GENERAL")
                .with("user", "U0PERSON")
                .with("text", "hello")
                .with("ts", ts)
                .with("event_ts", ts);
    }

    static Told edit(String eventId, String ts, String eventTs, String text) {
        var told = event(eventId, "message")
                .with("subtype", "message_changed")
                .with("channel", "C0GENERAL")
                .with("ts", eventTs)
                .with("event_ts", eventTs);
        told.event
                .putObject("message")
                .put("type", "message")
                .put("user", "U0PERSON")
                .put("text", text)
                .put("client_msg_id", "the same as before")
                .put("ts", ts);
        return told;
    }

    static Told deletion(String eventId, String ts, String eventTs) {
        return event(eventId, "message")
                .with("subtype", "message_deleted")
                .with("channel", "C0GENERAL")
                .with("deleted_ts", ts)
                .with("ts", eventTs)
                .with("event_ts", eventTs);
    }

    Told with(String name, String value) {
        event.put(name, value);
        return this;
    }

    ObjectNode inner() {
        return event;
    }

    ObjectNode payload() {
        return payload;
    }

    SlackEvent parsed() {
        return SlackEvent.parse(bytes());
    }

    byte[] bytes() {
        return payload.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }
}
