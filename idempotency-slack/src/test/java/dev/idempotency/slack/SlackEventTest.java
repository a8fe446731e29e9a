package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.idempotency.slack.SlackEvent.Kind;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SlackEventTest {
    private static SlackEvent parse(String json) {
        return SlackEvent.parse(json.getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "message, EVENT, message, -, C0PIER, U0ADA",
                "app_mention, EVENT, app_mention, -, C0PIER, U0ADA",
                "message_changed, EVENT, message, message_changed, C0PIER, -",
                "message_deleted, EVENT, message, message_deleted, C0PIER, -",
                "file_share, EVENT, message, file_share, C0PIER, U0ADA",
                "thread_broadcast, EVENT, message, thread_broadcast, C0PIER, U0BEN",
                "bot_message, EVENT, message, bot_message, C0PIER, -",
                "reaction_added, EVENT, reaction_added, -, C0PIER, U0BEN",
                "channel_created, EVENT, channel_created, -, C0BEACH, U0ADA",
                "app_rate_limited, RATE_LIMITED, app_rate_limited, -, -, -",
                "url_verification, URL_VERIFICATION, url_verification, -, -, -",
                "block_actions, INTERACTIVE, block_actions, -, C0PIER, U0ADA",
                "view_submission, INTERACTIVE, view_submission, -, -, U0ADA",
                "view_closed, INTERACTIVE, view_closed, -, -, U0ADA",
                "shortcut, INTERACTIVE, shortcut, -, -, U0ADA",
                "slash_command, SLASH_COMMAND, /ferry, -, C0PIER, U0ADA",
            })
    void event_ofEachKind_saysWhatItIs(
            String name, Kind kind, String type, String subtype, String channel, String user) {
        SlackEvent event = Fixtures.event(name);

        assertThat(event.kind()).isEqualTo(kind);
        assertThat(event.type()).isEqualTo(type);
        assertThat(event.subtype()).isEqualTo(subtype);
        assertThat(event.channel()).isEqualTo(channel);
        assertThat(event.user()).isEqualTo(user);
        assertThat(event.bytes()).isEqualTo(Fixtures.bytes(name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"message", "app_rate_limited", "block_actions", "view_submission", "shortcut", "slash_command"})
    void team_ofEachKind_isFound(String name) {
        assertThat(Fixtures.event(name).teamId()).isEqualTo("T0HARBOR");
    }

    @Test
    void message_hasTheIdsOfTheDelivery() {
        SlackEvent event = Fixtures.event("thread_broadcast");

        assertThat(event.appId()).isEqualTo("A0LANTERN");
        assertThat(event.eventId()).isEqualTo("Ev0BROADCAST");
        assertThat(event.eventTime()).isEqualTo(1_767_225_720);
        assertThat(event.ts()).isEqualTo("1767225719.000500");
        assertThat(event.threadTs()).isEqualTo("1767225599.000100");
        assertThat(event.eventTs()).isEqualTo("1767225719.000500");
        assertThat(event.clientMessageId()).isEqualTo("5f0c2a52-0001-4000-8000-000000000003");
        assertThat(event.event()).isSameAs(event.payload().path("event"));
    }

    @Test
    void edit_doesNotCarryTheClientsIdOfItsMessage() {
        assertThat(Fixtures.event("message_changed").clientMessageId()).isNull();
        assertThat(Fixtures.event("message_deleted").clientMessageId()).isNull();
        assertThat(Fixtures.event("thread_broadcast").clientMessageId())
                .isNotEqualTo(Fixtures.event("message").clientMessageId());
    }

    @Test
    void type_thatIsNewerThanTheLibrary_isAccepted() {
        SlackEvent outer = parse("{\"type\":\"something_new\",\"with\":[1,2]}");
        SlackEvent inner = parse("{\"type\":\"event_callback\",\"event\":{\"type\":\"something_new\",\"more\":{}}}");

        assertThat(outer.kind()).isEqualTo(Kind.OTHER);
        assertThat(outer.type()).isEqualTo("something_new");
        assertThat(inner.kind()).isEqualTo(Kind.EVENT);
        assertThat(inner.type()).isEqualTo("something_new");
    }

    @Test
    void event_withNothingInIt_answersNull() {
        SlackEvent event = parse("{\"type\":\"event_callback\",\"event\":{}}");

        assertThat(event.type()).isEmpty();
        assertThat(event.appId()).isNull();
        assertThat(event.teamId()).isNull();
        assertThat(event.eventId()).isNull();
        assertThat(event.eventTime()).isZero();
        assertThat(event.channel()).isNull();
        assertThat(event.user()).isNull();
        assertThat(event.ts()).isNull();
        assertThat(event.threadTs()).isNull();
        assertThat(event.eventTs()).isNull();
        assertThat(event.clientMessageId()).isNull();
        assertThat(event.subtype()).isNull();
    }

    /** Another type of value than Slack's is as good as none. */
    @Test
    void event_withOtherTypesOfValues_answersNull() {
        SlackEvent event = parse("{\"type\":\"event_callback\",\"event_id\":5,\"team_id\":{},\"event_time\":\"soon\","
                + "\"event\":{\"type\":[],\"channel\":[\"C\"],\"user\":{\"name\":\"x\"},\"ts\":1.5,\"subtype\":\"\"}}");

        assertThat(event.type()).isEmpty();
        assertThat(event.eventId()).isNull();
        assertThat(event.teamId()).isNull();
        assertThat(event.eventTime()).isZero();
        assertThat(event.channel()).isNull();
        assertThat(event.user()).isNull();
        assertThat(event.ts()).isNull();
        assertThat(event.subtype()).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "null",
                "[]",
                "\"event_callback\"",
                "17",
                "{} {}",
                "{}x",
                "{'type':'event_callback'}",
                "{\"type\":\"event_callback\"}",
                "{\"type\":\"event_callback\",\"event\":null}",
                "{\"type\":\"event_callback\",\"event\":[]}",
                "{\"type\":\"event_callback\",\"event\":\"message\"}",
                "{\"type\":\"url_verification\"}",
                "{\"type\":\"url_verification\",\"challenge\":7}",
            })
    void parse_ofWhatSlackDoesNotSend_isMalformedAndSaysNothingOfIt(String json) {
        assertThatExceptionOfType(MalformedEventException.class)
                .isThrownBy(() -> parse(json))
                .withMessageMatching("it (is not JSON|is not a JSON object|has no event object|has no challenge)");
    }

    @Test
    void parse_ofWrongEncoding_isMalformed() {
        byte[] latin1 = "{\"type\":\"f\u00e4hre\"}".getBytes(StandardCharsets.ISO_8859_1);

        assertThatExceptionOfType(MalformedEventException.class).isThrownBy(() -> SlackEvent.parse(latin1));
    }

    @Test
    void parse_ofDeepNesting_isMalformedAndNoStackOverflow() {
        String deep = "{\"type\":\"x\",\"a\":" + "[".repeat(500_000) + "]".repeat(500_000) + "}";
        String justAsDeepAsAllowed = "{\"a\":" + "[".repeat(199) + "]".repeat(199) + "}";

        assertThatExceptionOfType(MalformedEventException.class).isThrownBy(() -> parse(deep));
        assertThat(parse(justAsDeepAsAllowed).kind()).isEqualTo(Kind.OTHER);
    }

    @Test
    void event_isNotChangedByItsCaller() {
        byte[] json = Fixtures.bytes("message");
        SlackEvent event = SlackEvent.parse(json);

        json[0] = 0;
        event.bytes()[0] = 0;

        assertThat(event.bytes()).isEqualTo(Fixtures.bytes("message"));
    }

    @Test
    void event_saidAgainWithOtherSpaces_isEqual() {
        SlackEvent event = Fixtures.event("message");

        assertThat(Fixtures.event(Fixtures.json("message"))).isEqualTo(event).hasSameHashCodeAs(event);
        assertThat(Fixtures.event("app_mention")).isNotEqualTo(event);
    }

    @Test
    void toString_namesNothingThatSomebodyHasWritten() {
        for (String name : Fixtures.ALL) {
            assertThat(Fixtures.event(name).toString()).matches("SlackEvent\\[[A-Z_]+(, with a subtype)?, \\d+ bytes]");
        }
    }

    /** docs.slack.dev/reference/events/message/message_replied, "Bug alert": over the Events API it comes without its subtype. */
    @Test
    void replyToAThread_withoutItsSubtype_isNoMessageOfAPerson() {
        SlackEvent replied = parse("{\"type\":\"event_callback\",\"api_app_id\":\"A1\",\"event_id\":\"Ev1\",\"event\":{"
                + "\"type\":\"message\",\"hidden\":true,\"channel\":\"C1\",\"ts\":\"2.000200\",\"event_ts\":\"2.000200\","
                + "\"message\":{\"type\":\"message\",\"user\":\"U1\",\"text\":\"parent\",\"ts\":\"1.000100\",\"thread_ts\":"
                + "\"1.000100\",\"reply_count\":1}}}");

        assertThat(replied.subtype()).isEqualTo("message_replied");
        assertThat(SlackKeys.message(replied)).isEmpty();
        assertThat(SlackConsumer.named("greeter")
                        .on("message")
                        .handle((event, context) -> {})
                        .hears(replied))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775807", "1e400", "92233720368547758080", "-1", "253402300800", "1.5", "[]"})
    void eventTime_thatCannotBe_isNotSaid(String time) {
        SlackEvent event = parse("{\"type\":\"event_callback\",\"event_time\":" + time + ",\"event\":{}}");

        assertThat(event.eventTime()).isZero();
        assertThat(EnvelopeNumbers.late(event, java.time.Instant.MAX)).isZero();
    }
}
