package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SlackKeysTest {
    private static final String MESSAGE = "A0LANTERN:C0PIER:1767225599.000100";

    private static SlackEvent changed(String name, UnaryOperator<ObjectNode> change) {
        return Fixtures.event(change.apply(Fixtures.json(name)));
    }

    private static SlackEvent inner(String name, String field, String value) {
        return changed(name, payload -> {
            payload.withObject("/event").put(field, value);
            return payload;
        });
    }

    /* ---- Layer 1 ---- */

    @ParameterizedTest
    @CsvSource({
        "message, A0LANTERN:Ev0MESSAGE",
        "app_mention, A0LANTERN:Ev0MENTION",
        "message_changed, A0LANTERN:Ev0EDIT",
        "reaction_added, A0LANTERN:Ev0REACTION",
        "app_rate_limited, A0LANTERN:app_rate_limited:T0HARBOR:1767225780",
        "block_actions, A0LANTERN:block_actions:U0ADA:1767225800.100000:1767225729.000600:book",
        "view_submission, A0LANTERN:view_submission:V0BOOKING:1767225810.h1:1.2.trigger-of-the-view",
        "view_closed, A0LANTERN:view_closed:V0BOOKING:1767225810.h1",
        "shortcut, -:shortcut:U0ADA:1767225820.200000",
        "slash_command, A0LANTERN:command:1.2.trigger-of-the-command",
    })
    void delivery_ofEachKind_isItsOwnId(String name, String key) {
        assertThat(SlackKeys.delivery(Fixtures.event(name))).isEqualTo(key);
    }

    @Test
    void delivery_ofWhatHasNoId_isADigestOfItsBytes() {
        String other = SlackKeys.delivery(SlackEvent.parse("{\"type\":\"new\"}".getBytes(StandardCharsets.UTF_8)));
        SlackEvent nameless = changed("message", payload -> payload.without("event_id"));

        assertThat(other).matches("bytes:[0-9a-f]{64}");
        assertThat(SlackKeys.delivery(nameless))
                .matches("bytes:[0-9a-f]{64}")
                .isNotEqualTo(other)
                .isEqualTo(SlackKeys.unreadable(nameless.bytes()));
    }

    /** The parts that differ between the first delivery and a retry, or between HTTP and Socket Mode. */
    @Test
    void delivery_saidAgain_hasTheSameKey() {
        SlackEvent again = changed(
                "message",
                payload -> payload.put("event_context", "another")
                        .put("event_time", 1_767_229_999)
                        .put("token", "another"));

        assertThat(SlackKeys.delivery(again)).isEqualTo(SlackKeys.delivery(Fixtures.event("message")));
    }

    @Test
    void delivery_toAnotherApp_isAnother() {
        SlackEvent other = changed("message", payload -> payload.put("api_app_id", "A0OTHER"));

        assertThat(SlackKeys.delivery(other)).isEqualTo("A0OTHER:Ev0MESSAGE");
        assertThat(SlackKeys.message(other)).hasValue("A0OTHER:C0PIER:1767225599.000100");
    }

    @Test
    void delivery_ofRateLimits_isOneForEachMinuteAndTeam() {
        assertThat(Stream.of(
                                Fixtures.event("app_rate_limited"),
                                changed(
                                        "app_rate_limited",
                                        payload -> payload.put("minute_rate_limited", 1_767_225_840)),
                                changed("app_rate_limited", payload -> payload.put("team_id", "T0OTHER")))
                        .map(SlackKeys::delivery))
                .doesNotHaveDuplicates();
    }

    /** The view keeps its hash when the app finds an error in it and the user sends it again. */
    @Test
    void delivery_ofAViewSentAgainByItsUser_isAnother() {
        SlackEvent again = changed("view_submission", payload -> payload.put("trigger_id", "1.2.another"));

        assertThat(SlackKeys.delivery(again)).isNotEqualTo(SlackKeys.delivery(Fixtures.event("view_submission")));
    }

    @Test
    void delivery_ofTheSecondPressOfAButton_isAnother() {
        SlackEvent again = changed("block_actions", payload -> {
            ((ObjectNode) payload.path("actions").path(0)).put("action_ts", "1767225801.100000");
            return payload;
        });

        assertThat(SlackKeys.delivery(again)).isNotEqualTo(SlackKeys.delivery(Fixtures.event("block_actions")));
    }

    @Test
    void delivery_ofAnActionWithoutItsTime_isItsTrigger() {
        SlackEvent timeless = changed("block_actions", payload -> payload.without("actions"));

        assertThat(SlackKeys.delivery(timeless)).isEqualTo("A0LANTERN:block_actions:1.2.trigger-of-the-button");
    }

    /* ---- Layer 2 ---- */

    @ParameterizedTest
    @CsvSource({
        "message, " + MESSAGE,
        "app_mention, " + MESSAGE,
        "message_changed, " + MESSAGE + ":changed:1767225660.000200",
        "message_deleted, " + MESSAGE + ":deleted",
        "file_share, A0LANTERN:C0PIER:1767225709.000400",
        "thread_broadcast, A0LANTERN:C0PIER:1767225719.000500",
        "bot_message, A0LANTERN:C0PIER:1767225729.000600",
    })
    void message_ofEachKind_isChannelAndTime(String name, String key) {
        assertThat(SlackKeys.message(Fixtures.event(name))).hasValue(key);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "message_replied",
                "reaction_added",
                "channel_created",
                "app_rate_limited",
                "url_verification",
                "block_actions",
                "view_submission",
                "shortcut",
                "slash_command"
            })
    void message_ofWhatTellsOfNone_isEmpty(String name) {
        assertThat(SlackKeys.message(Fixtures.event(name))).isEmpty();
        assertThat(SlackKeys.entity(Fixtures.event(name))).isEmpty();
        assertThat(SlackKeys.version(Fixtures.event(name))).isEmpty();
        assertThat(SlackKeys.clientMessage(Fixtures.event(name))).isEmpty();
    }

    @Test
    void message_ofTwoEdits_isTwo() {
        assertThat(SlackKeys.message(inner("message_changed", "event_ts", "1767225661.000200")))
                .isNotEqualTo(SlackKeys.message(Fixtures.event("message_changed")));
    }

    /** Slack has told one message under eleven ids. */
    @Test
    void message_underAnotherEventId_isTheSame() {
        for (String name : List.of("message", "app_mention", "message_changed", "message_deleted", "file_share")) {
            SlackEvent again = changed(name, payload -> payload.put("event_id", "Ev0ANOTHER"));

            assertThat(SlackKeys.message(again)).isPresent().isEqualTo(SlackKeys.message(Fixtures.event(name)));
        }
    }

    @Test
    void deletion_withoutItsTime_isFoundByWhatWasDeleted() {
        SlackEvent deletion = changed("message_deleted", payload -> {
            payload.withObject("/event").remove("deleted_ts");
            return payload;
        });

        assertThat(SlackKeys.message(deletion)).hasValue(MESSAGE + ":deleted");
    }

    @Test
    void edit_withoutTheTimeOfItsMessage_isFoundByWhatWasBefore() {
        SlackEvent edit = changed("message_changed", payload -> {
            payload.withObject("/event/message").remove("ts");
            return payload;
        });

        assertThat(SlackKeys.message(edit)).isEqualTo(SlackKeys.message(Fixtures.event("message_changed")));
        assertThat(SlackKeys.version(edit)).isPresent();
    }

    @ParameterizedTest
    @ValueSource(strings = {"message", "app_mention", "message_changed", "message_deleted"})
    void entity_ofAllThatTellsOfAMessage_isTheMessage(String name) {
        assertThat(SlackKeys.entity(Fixtures.event(name))).hasValue(MESSAGE);
    }

    /* ---- Layer 3 ---- */

    @ParameterizedTest
    @CsvSource({
        "message, U0ADA, 1",
        "app_mention, U0ADA, 1",
        "message_sent_twice, U0ADA, 1",
        "file_share, U0ADA, 2",
        "thread_broadcast, U0BEN, 3",
    })
    void clientMessage_ofWhatAUserHasWritten_isTheActOfThatUser(String name, String user, int number) {
        assertThat(SlackKeys.clientMessage(Fixtures.event(name)))
                .hasValue("A0LANTERN:T0HARBOR:C0PIER:" + user + ":5f0c2a52-0001-4000-8000-00000000000" + number);
    }

    @Test
    void clientMessage_ofOneActAsTwoMessages_isOneWhereTheMessagesAreTwo() {
        SlackEvent first = Fixtures.event("message");
        SlackEvent second = Fixtures.event("message_sent_twice");

        assertThat(SlackKeys.message(second)).isNotEqualTo(SlackKeys.message(first));
        assertThat(SlackKeys.clientMessage(second)).isEqualTo(SlackKeys.clientMessage(first));
    }

    /** Edits and deletions carry the id of the message they are about; under it they would be lost. */
    @ParameterizedTest
    @ValueSource(strings = {"message_changed", "message_deleted", "message_replied", "bot_message"})
    void clientMessage_nestedOrNone_isEmpty(String name) {
        assertThat(SlackKeys.clientMessage(Fixtures.event(name))).isEmpty();
    }

    @Test
    void clientMessage_ofAnotherSubtype_isEmptyEvenAtTheTop() {
        assertThat(SlackKeys.clientMessage(inner("message_changed", "client_msg_id", "5f0c")))
                .isEmpty();
        assertThat(SlackKeys.clientMessage(inner("message", "subtype", "channel_join")))
                .isEmpty();
    }

    /* ---- Versions ---- */

    @Test
    void version_ofAMessageItsEditAndItsDeletion_isInThatOrder() {
        EntityVersion message = SlackKeys.version(Fixtures.event("message")).orElseThrow();
        EntityVersion edit =
                SlackKeys.version(Fixtures.event("message_changed")).orElseThrow();
        EntityVersion deletion =
                SlackKeys.version(Fixtures.event("message_deleted")).orElseThrow();

        assertThat(message).isEqualTo(new EntityVersion(1_767_225_599_000_100L, "", false));
        assertThat(edit).isEqualTo(new EntityVersion(1_767_225_660_000_200L, "Ev0EDIT", false));
        assertThat(deletion).isEqualTo(new EntityVersion(1_767_225_700_000_300L, "Ev0DELETION", true));
        assertThat(SlackKeys.version(Fixtures.event("app_mention")))
                .as("a message and its mention are one state")
                .hasValue(message);
        assertThat(message).isLessThan(edit);
        assertThat(edit).isLessThan(deletion);
    }

    @ParameterizedTest
    @CsvSource({
        "1767225599.000100, 1767225599000100",
        "1767225599000100, 1767225599000100",
        "1767225599, 1767225599000000",
        "1767225599.5, 1767225599500000",
        "1767225599.123456789, 1767225599123456",
        "0.000001, 1",
    })
    void version_ofATimeHoweverWritten_isInMicroseconds(String eventTs, long micros) {
        assertThat(SlackKeys.version(inner("message", "event_ts", eventTs)))
                .map(EntityVersion::number)
                .hasValue(micros);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "now",
                "-1.5",
                "1e9",
                "1767225599,5",
                "1767225599.",
                "999999999999999999.0",
                "\u0661\u0662.1",
                "9999999999999999999"
            })
    void version_ofWhatIsNoTime_isEmpty(String eventTs) {
        assertThat(SlackKeys.version(inner("message", "event_ts", eventTs))).isEmpty();
    }

    /* ---- Hostile ids ---- */

    @Test
    void keys_ofHostileIds_areStorableAndStayApart() {
        var ids = List.of(
                "a",
                "a:b",
                "a b",
                "a\nb",
                "a\u0000b",
                "\u8239",
                "x".repeat(10_000),
                "x".repeat(10_001),
                "app_rate_limited:T0HARBOR:1767225780",
                "Ev0:changed",
                "sha256:",
                "'; DROP TABLE inbox; --",
                "\ud83d\udea2",
                "../../etc");
        var keys = new HashSet<String>();
        int made = 0;
        for (String id : ids) {
            for (String field : List.of("event_id", "api_app_id")) {
                assertThat(keys.add(SlackKeys.delivery(changed("message", payload -> payload.put(field, id)))))
                        .as("a key of its own for " + field + " " + id)
                        .isTrue();
                made++;
            }
            SlackEvent channel = inner("message", "channel", id);
            SlackEvent ts = inner("message", "ts", id);
            SlackEvent client = inner("message", "client_msg_id", id);
            assertThat(keys.add(SlackKeys.message(channel).orElseThrow())).isTrue();
            assertThat(keys.add(SlackKeys.message(ts).orElseThrow())).isTrue();
            assertThat(keys.add(SlackKeys.clientMessage(client).orElseThrow())).isTrue();
            made += 3;
            assertThat(SlackKeys.version(changed("message", payload -> payload.put("event_id", id))))
                    .isPresent();
        }

        assertThat(keys).hasSize(made);
        keys.forEach(key -> assertThat(new IdempotencyKey("slack", key).value()).isEqualTo(key));
    }

    /** Where one part ends and the next begins cannot be chosen by what is in them. */
    @Test
    void keys_ofIdsWithColons_areNotThoseOfOtherParts() {
        SlackEvent one =
                changed("message", payload -> payload.put("api_app_id", "A").put("event_id", "B:C"));
        SlackEvent other =
                changed("message", payload -> payload.put("api_app_id", "A:B").put("event_id", "C"));
        SlackEvent rateLimit =
                changed("message", payload -> payload.put("event_id", "app_rate_limited:T0HARBOR:1767225780"));

        assertThat(SlackKeys.delivery(one)).isNotEqualTo(SlackKeys.delivery(other));
        assertThat(SlackKeys.delivery(rateLimit)).isNotEqualTo(SlackKeys.delivery(Fixtures.event("app_rate_limited")));
    }
}
