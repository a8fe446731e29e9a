package dev.idempotency.slack;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where events name the conversation and the person: not all of them call these {@code channel} and {@code user}
 * (docs.slack.dev/reference/events has a page for each type).
 */
final class EventFields {
    private static final List<JsonPointer> CHANNEL = pointers(
            "/channel",
            "/channel/id",
            "/channel_id",
            "/item/channel",
            "/assistant_thread/channel_id",
            "/container/channel_id");

    private static final List<JsonPointer> USER =
            pointers("/user", "/user/id", "/user_id", "/assistant_thread/user_id");

    /** What stands for the person in events of one type only. */
    private static final Map<String, List<JsonPointer>> USER_OF_TYPE = Map.of(
            "channel_created", pointers("/channel/creator"),
            "subteam_created", pointers("/subteam/created_by"),
            "subteam_updated", pointers("/subteam/updated_by"),
            "shared_channel_invite_received", pointers("/invite/inviting_user/id"),
            "shared_channel_invite_accepted", pointers("/accepting_user/id"),
            "shared_channel_invite_approved", pointers("/approving_user/id"),
            "shared_channel_invite_declined", pointers("/declining_user/id"));

    /** Events about a person who need not have done anything: somebody has invited the app, or changed its profile. */
    private static final Set<String> ABOUT_SOMEBODY = Set.of(
            "assistant_thread_context_changed",
            "assistant_thread_started",
            "member_joined_channel",
            "member_left_channel",
            "team_join",
            "user_change",
            "user_huddle_changed",
            "user_profile_changed",
            "user_status_changed");

    private EventFields() {}

    private static List<JsonPointer> pointers(String... all) {
        return Stream.of(all).map(JsonPointer::compile).toList();
    }

    static @Nullable String channel(JsonNode event) {
        return first(event, CHANNEL);
    }

    static @Nullable String user(String type, JsonNode event) {
        String special = first(event, USER_OF_TYPE.getOrDefault(type, List.of()));
        return special != null ? special : first(event, USER);
    }

    /** Whose doing the event is; null when it does not say. */
    static @Nullable String actor(String type, JsonNode event) {
        return ABOUT_SOMEBODY.contains(type) ? null : user(type, event);
    }

    private static @Nullable String first(JsonNode event, List<JsonPointer> pointers) {
        for (JsonPointer pointer : pointers) {
            JsonNode value = event.at(pointer);
            if (value.isTextual() && !value.asText().isEmpty()) {
                return value.asText();
            }
        }
        return null;
    }
}
