package dev.idempotency.slack.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Payloads in the shapes that Slack gives them. Thread-safe. */
final class EventJson {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String VERIFICATION_TOKEN = "not-for-verification";
    private static final int ID_RADIX = 36;

    private final AtomicLong eventIds;

    /**
     * Payloads with event ids of their own.
     *
     * @param seed the first id
     */
    EventJson(long seed) {
        eventIds = new AtomicLong((seed & 0xffff_ffffL) << 20);
    }

    /** The message of a person, as the Events API tells it. */
    static ObjectNode message(Message message, @Nullable String clientMsgId, @Nullable String subtype) {
        ObjectNode event = JSON.objectNode();
        if (clientMsgId != null) {
            event.put("client_msg_id", clientMsgId);
        }
        event.put("type", "message");
        if (subtype != null) {
            event.put("subtype", subtype);
        }
        event.put("text", message.text()).put("user", message.user());
        placed(event, message);
        event.put("team", Workspace.TEAM).set("blocks", blocks(message.text()));
        event.put("event_ts", message.ts()).put("channel_type", "channel");
        return event;
    }

    private static void placed(ObjectNode event, Message message) {
        event.put("ts", message.ts()).put("channel", message.channel());
        if (message.threadTs() != null) {
            event.put("thread_ts", message.threadTs());
            if (message.isReply()) {
                event.put("parent_user_id", message.user());
            }
        }
    }

    private static JsonNode blocks(String text) {
        ObjectNode block = JSON.objectNode().put("type", "rich_text").put("block_id", "b1");
        ObjectNode section = block.putArray("elements").addObject().put("type", "rich_text_section");
        section.putArray("elements").addObject().put("type", "text").put("text", text);
        return JSON.arrayNode().add(block);
    }

    /** The same message as the app hears of it when it is mentioned. */
    static ObjectNode mention(ObjectNode message, boolean hasClientMsgId) {
        ObjectNode event = message.deepCopy().put("type", "app_mention");
        event.remove("channel_type");
        if (!hasClientMsgId) {
            event.remove("client_msg_id");
        }
        return event;
    }

    /** Adds a file to a message. */
    static ObjectNode withFile(ObjectNode message, String fileId) {
        message.putArray("files")
                .addObject()
                .put("id", fileId)
                .put("name", "notes.txt")
                .put("mimetype", "text/plain")
                .put("filetype", "text")
                .put("size", 1200)
                .put("mode", "hosted");
        return message.put("upload", false).put("display_as_bot", false);
    }

    /** An edit. As in Slack, the time of the edit has whole seconds only, and the client's id stands inside. */
    static ObjectNode changed(ObjectNode message, String newText, String eventTs) {
        ObjectNode event = hidden(message, "message_changed", eventTs);
        ObjectNode now = inner(message).put("text", newText);
        now.putObject("edited")
                .put("user", message.path("user").asText())
                .put("ts", Timestamps.seconds(eventTs) + ".000000");
        event.set("message", now);
        event.set("previous_message", inner(message));
        return event;
    }

    static ObjectNode deleted(ObjectNode message, String eventTs) {
        ObjectNode event = hidden(message, "message_deleted", eventTs);
        event.put("deleted_ts", message.path("ts").asText());
        event.set("previous_message", inner(message));
        return event;
    }

    private static ObjectNode hidden(ObjectNode message, String subtype, String eventTs) {
        return JSON.objectNode()
                .put("type", "message")
                .put("subtype", subtype)
                .put("hidden", true)
                .put("channel", message.path("channel").asText())
                .put("ts", eventTs)
                .put("event_ts", eventTs)
                .put("channel_type", "channel");
    }

    /** A message as it stands inside an edit or a deletion: without what says where it happened. */
    private static ObjectNode inner(ObjectNode message) {
        ObjectNode inner = message.deepCopy();
        inner.remove("channel");
        inner.remove("event_ts");
        inner.remove("channel_type");
        return inner;
    }

    /** A post by a bot that has a user. */
    static ObjectNode botPost(Message message, String user, String bot, String app) {
        ObjectNode event = message(message, null, null).put("user", user);
        event.put("bot_id", bot).put("app_id", app);
        event.putObject("bot_profile")
                .put("id", bot)
                .put("app_id", app)
                .put("name", "a bot")
                .put("deleted", false)
                .put("team_id", Workspace.TEAM);
        return event;
    }

    /** A post by a webhook or a classic bot: it has no user. */
    static ObjectNode classicBotPost(Message message) {
        ObjectNode event = message(message, null, "bot_message");
        event.remove("user");
        return event.put("bot_id", Workspace.OTHER_BOT).put("username", "announcer");
    }

    /** An event about a message, or about nobody's message, that is of no interest to the app. */
    static ObjectNode other(String type, String channel, String user, String itemTs, String eventTs) {
        ObjectNode event = JSON.objectNode().put("type", type).put("user", user).put("event_ts", eventTs);
        switch (type) {
            case "reaction_added" -> {
                event.put("reaction", "eyes").put("item_user", user);
                event.putObject("item")
                        .put("type", "message")
                        .put("channel", channel)
                        .put("ts", itemTs);
            }
            case "channel_rename" ->
                event.putObject("channel").put("id", channel).put("name", "renamed");
            case "team_join", "user_change" ->
                event.putObject("user").put("id", user).put("name", "somebody");
            default -> event.put("channel", channel).put("channel_type", "C");
        }
        return event;
    }

    /** An event in its envelope, with an id of its own. */
    ObjectNode callback(ObjectNode event) {
        ObjectNode payload = envelope(event, Workspace.TEAM);
        return payload.put("is_ext_shared_channel", false);
    }

    /** The same for a message of somebody from another workspace, in a shared channel. */
    ObjectNode sharedCallback(ObjectNode event) {
        event.put("team", Workspace.OTHER_TEAM)
                .put("user_team", Workspace.OTHER_TEAM)
                .put("source_team", Workspace.OTHER_TEAM);
        ObjectNode payload = envelope(event, Workspace.TEAM);
        return payload.put("is_ext_shared_channel", true);
    }

    private ObjectNode envelope(ObjectNode event, String team) {
        ObjectNode payload = JSON.objectNode()
                .put("token", VERIFICATION_TOKEN)
                .put("team_id", team)
                .put("context_team_id", team)
                .putNull("context_enterprise_id")
                .put("api_app_id", Workspace.APP);
        payload.set("event", event);
        payload.put("type", "event_callback").put("event_id", nextEventId());
        payload.put("event_time", Instant.now().getEpochSecond());
        payload.putArray("authorizations")
                .addObject()
                .putNull("enterprise_id")
                .put("team_id", team)
                .put("user_id", Workspace.BOT_USER)
                .put("is_bot", true)
                .put("is_enterprise_install", false);
        return payload.put("event_context", context(event));
    }

    /** As Slack's: the same for all events of a type in a channel, though its name promises more. */
    private static String context(ObjectNode event) {
        ObjectNode context = JSON.objectNode()
                .put("et", event.path("type").asText())
                .put("tid", Workspace.TEAM)
                .put("aid", Workspace.APP);
        if (event.path("channel").isTextual()) {
            context.put("cid", event.path("channel").asText());
        }
        return "4-"
                + Base64.getUrlEncoder()
                        .withoutPadding()
                        .encodeToString(context.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** The same payload under another event id: what only the message itself tells. */
    ObjectNode underAnotherId(ObjectNode payload) {
        return payload.deepCopy().put("event_id", nextEventId());
    }

    private String nextEventId() {
        return "Ev0S" + Long.toString(eventIds.incrementAndGet(), ID_RADIX).toUpperCase(Locale.ROOT);
    }

    static ObjectNode rateLimited(long minute) {
        return JSON.objectNode()
                .put("token", VERIFICATION_TOKEN)
                .put("type", "app_rate_limited")
                .put("team_id", Workspace.TEAM)
                .put("minute_rate_limited", minute)
                .put("api_app_id", Workspace.APP);
    }

    static ObjectNode urlVerification(String challenge) {
        return JSON.objectNode()
                .put("token", VERIFICATION_TOKEN)
                .put("challenge", challenge)
                .put("type", "url_verification");
    }
}
