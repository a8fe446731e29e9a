package dev.idempotency.slack;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What Slack delivers, one file of each kind. All of it is about one message where it can be. */
final class Fixtures {
    static final List<String> ALL = List.of(
            "message",
            "app_mention",
            "message_sent_twice",
            "message_changed",
            "message_deleted",
            "message_replied",
            "file_share",
            "thread_broadcast",
            "bot_message",
            "reaction_added",
            "channel_created",
            "app_rate_limited",
            "url_verification",
            "block_actions",
            "view_submission",
            "view_closed",
            "shortcut",
            "slash_command");

    private Fixtures() {}

    static byte[] bytes(String name) {
        try (var in = Fixtures.class.getResourceAsStream(name + ".json")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ObjectNode json(String name) {
        try {
            return (ObjectNode) SlackEvent.JSON.readTree(bytes(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static SlackEvent event(String name) {
        return SlackEvent.parse(bytes(name));
    }

    static SlackEvent event(ObjectNode payload) {
        return SlackEvent.parse(payload.toString().getBytes(StandardCharsets.UTF_8));
    }
}
