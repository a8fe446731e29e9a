package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where each type of event names the conversation and the person: docs.slack.dev/reference/events has a page for each. */
final class EventFieldsTest {
    private static final String BOT = "U0LANTERN";

    private static SlackEvent told(String type, String inner) {
        return SlackEvent.parse(("{\"type\":\"event_callback\",\"api_app_id\":\"A0LANTERN\",\"team_id\":\"T0HARBOR\","
                        + "\"authorizations\":[{\"user_id\":\"" + BOT + "\",\"is_bot\":true}],\"event\":{\"type\":\""
                        + type
                        + "\"," + inner.replace('\'', '"') + "}}")
                .getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "reaction_added | 'user':'U1','item':{'type':'message','channel':'C1','ts':'1.1'} | C1 | U1",
                "pin_added | 'user':'U1','channel_id':'C1','item':{'channel':'C1'} | C1 | U1",
                "star_added | 'user':'U1','item':{'channel':'C1'} | C1 | U1",
                "file_shared | 'file_id':'F1','user_id':'U1','channel_id':'C1','file':{'id':'F1'} | C1 | U1",
                "file_created | 'file_id':'F1','user_id':'U1','file':{'id':'F1'} | - | U1",
                "file_public | 'file_id':'F1','user_id':'U1','file':{'id':'F1'} | - | U1",
                "file_change | 'file_id':'F1','user_id':'U1','file':{'id':'F1'} | - | U1",
                "file_unshared | 'file_id':'F1','user_id':'U1','channel_id':'C1' | C1 | U1",
                "message_metadata_posted | 'user_id':'U1','channel_id':'C1' | C1 | U1",
                "call_rejected | 'user_id':'U1','channel_id':'C1' | C1 | U1",
                "assistant_thread_started | 'assistant_thread':{'user_id':'U1','channel_id':'D1'} | D1 | U1",
                "channel_created | 'channel':{'id':'C1','creator':'U1'} | C1 | U1",
                "channel_rename | 'channel':{'id':'C1','name':'n'} | C1 | -",
                "im_created | 'user':'U1','channel':{'id':'D1'} | D1 | U1",
                "team_join | 'user':{'id':'U1'} | - | U1",
                "user_profile_changed | 'user':{'id':'U1'} | - | U1",
                "subteam_created | 'subteam':{'id':'S1','created_by':'U1','updated_by':'U2'} | - | U1",
                "subteam_updated | 'subteam':{'id':'S1','created_by':'U2','updated_by':'U1'} | - | U1",
                "shared_channel_invite_accepted | 'accepting_user':{'id':'U1'},'channel':{'id':'C1'} | C1 | U1",
                "entity_details_requested | 'user':'U1','channel':'C1' | C1 | U1",
                "app_home_opened | 'user':'U1','channel':'D1' | D1 | U1",
                "emoji_changed | 'subtype':'add' | - | -",
            })
    void event_ofEachType_saysWhereAndWho(String type, String inner, String channel, String user) {
        SlackEvent event = told(type, inner);

        assertThat(event.channel()).isEqualTo(channel);
        assertThat(event.user()).isEqualTo(user);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "file_shared | 'file_id':'F1','user_id':'U0LANTERN','channel_id':'C1'",
                "file_created | 'file_id':'F1','user_id':'U0LANTERN'",
                "file_public | 'file_id':'F1','user_id':'U0LANTERN'",
                "file_change | 'file_id':'F1','user_id':'U0LANTERN'",
                "file_unshared | 'file_id':'F1','user_id':'U0LANTERN','channel_id':'C1'",
                "channel_created | 'channel':{'id':'C1','creator':'U0LANTERN'}",
                "subteam_created | 'subteam':{'id':'S1','created_by':'U0LANTERN'}",
                "message_metadata_posted | 'user_id':'U0LANTERN','channel_id':'C1'",
                "message_metadata_posted | 'app_id':'A0LANTERN','channel_id':'C1'",
                "pin_added | 'user':'U0LANTERN','channel_id':'C1'",
                "reaction_added | 'user':'U0LANTERN','item':{'channel':'C1'}",
                "message | 'user':'U0LANTERN','channel':'C1','ts':'1.1'",
                "message | 'subtype':'message_changed','channel':'C1','message':{'user':'U0LANTERN','ts':'1.1'}",
            })
    void doing_ofTheAppItself_isNotAnswered(String type, String inner) {
        SlackEvent event = told(type, inner);

        assertThat(SlackBots.own()).accepts(event);
        assertThat(SlackBots.ownAndBotMessages()).accepts(event);
        assertThat(SlackBots.all()).accepts(event);
        assertThat(SlackBots.isByBot(event)).as("counted by the loop breaker").isTrue();
        assertThat(SlackBots.own())
                .rejects(told(type, inner.replace("U0LANTERN", "U1").replace("A0LANTERN", "A1")));
    }

    /** Somebody else has invited it, or has changed its profile. */
    @ParameterizedTest
    @ValueSource(strings = {"member_joined_channel", "member_left_channel", "team_join", "user_change"})
    void event_aboutTheAppItself_isHeard(String type) {
        assertThat(SlackBots.own()).rejects(told(type, "'user':'U0LANTERN','channel':'C1'"));
        assertThat(SlackBots.own()).rejects(told(type, "'user':{'id':'U0LANTERN'}"));
    }

    static final List<String> fixtures = Fixtures.ALL;

    /** Whatever a payload calls a conversation or a person at its top, it is found. */
    @ParameterizedTest
    @FieldSource("fixtures")
    void fixture_thatNamesAConversationOrAPerson_saysSo(String name) {
        SlackEvent event = Fixtures.event(name);
        var named = new ArrayList<Map.Entry<String, JsonNode>>();
        Stream.of(event.event(), event.event().path("item"), event.event().path("assistant_thread"))
                .filter(JsonNode::isObject)
                .forEach(node -> named.addAll(((ObjectNode) node).properties()));

        boolean namesChannel = named.stream().anyMatch(f -> f.getKey().matches("channel(_id)?"));
        boolean namesUser = named.stream().anyMatch(f -> f.getKey().matches("user(_id)?"));
        assertThat(event.channel() != null).isEqualTo(namesChannel);
        assertThat(event.user() != null).isEqualTo(namesUser || name.equals("channel_created"));
    }

    @Test
    void interaction_isNobodysLoop() {
        assertThat(SlackBots.own()).rejects(Fixtures.event("block_actions"));
    }
}
