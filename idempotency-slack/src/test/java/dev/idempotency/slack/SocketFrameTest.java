package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.slack.SocketEvent.Reason;
import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SocketFrameTest {
    @Test
    void hello_tellsHowLongTheConnectionLives() {
        assertThat(SocketFrame.parse("{\"type\":\"hello\",\"num_connections\":1,"
                        + "\"debug_info\":{\"host\":\"applink-7fc4fdbb64-4x5xq\",\"approximate_connection_time\":18060},"
                        + "\"connection_info\":{\"app_id\":\"A01234567\"}}"))
                .isEqualTo(new SocketFrame.Hello(Duration.ofSeconds(18_060), 1));
        assertThat(SocketFrame.parse("{\"type\":\"hello\"}")).isEqualTo(new SocketFrame.Hello(null, 0));
        assertThat(SocketFrame.parse("{\"debug_info\":{\"approximate_connection_time\":-1},\"type\":\"hello\"}"))
                .isEqualTo(new SocketFrame.Hello(null, 0));
    }

    @ParameterizedTest
    @CsvSource({
        "warning, WARNING",
        "refresh_requested, REFRESH_REQUESTED",
        "link_disabled, LINK_DISABLED",
        "too_many_websockets, TOO_MANY_WEBSOCKETS",
        "something_new, OTHER_DISCONNECT"
    })
    void disconnect_tellsItsReason(String word, Reason reason) {
        assertThat(SocketFrame.parse("{\"type\":\"disconnect\",\"reason\":\"" + word + "\",\"debug_info\":{}}"))
                .isEqualTo(new SocketFrame.Disconnect(reason));
    }

    @Test
    void disconnect_withoutReason_isOne() {
        assertThat(SocketFrame.parse("{\"type\":\"disconnect\"}"))
                .isEqualTo(new SocketFrame.Disconnect(Reason.OTHER_DISCONNECT));
    }

    @Test
    void envelope_keepsItsPayloadAsSlackHasWrittenIt() {
        String payload = "{ \"a\" : 1.10, \"b\":[1 ,{\"c\":\"}\\\"\"}], \"ü\":\"\\u00fc\" }";

        assertThat(SocketFrame.parse("{\"payload\":" + payload
                        + ",\"envelope_id\":\"e-1\",\"type\":\"events_api\",\"accepts_response_payload\":true,"
                        + "\"retry_attempt\":2,\"retry_reason\":\"timeout\",\"new\":{\"x\":[]}}"))
                .isEqualTo(new SocketFrame.Envelope("e-1", payload, true, 2, "timeout"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"text\"", "12.50", "true", "[1, 2]", "\"\"", "-1e3"})
    void envelope_whosePayloadIsNoObject_keepsItToo(String payload) {
        assertThat(SocketFrame.parse("{\"envelope_id\":\"e\",\"payload\":" + payload + " , \"type\":\"x\"}"))
                .isEqualTo(new SocketFrame.Envelope("e", payload, false, 0, ""));
        assertThat(SocketFrame.parse("{\"envelope_id\":\"e\",\"payload\":" + payload + "}"))
                .isEqualTo(new SocketFrame.Envelope("e", payload, false, 0, ""));
    }

    @Test
    void envelope_withoutPayload_hasNone() {
        assertThat(SocketFrame.parse(
                        "{\"envelope_id\":\"e\",\"payload\":null,\"retry_attempt\":\"x\",\"retry_reason\":{}}"))
                .isEqualTo(new SocketFrame.Envelope("e", null, false, 0, ""));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "\"hello\"",
                "{}",
                "{\"type\":\"hello\"",
                "{\"type\":\"hello\"}}",
                "{\"type\":\"hello\"} {\"type\":\"hello\"}",
                "{\"type\":\"events_api\",\"payload\":{}}",
                "{\"type\":\"events_api\",\"envelope_id\":\"\",\"payload\":{}}",
                "{\"type\":\"events_api\",\"envelope_id\":\"e\",\"payload\":{}",
                "{\"type\":\"events_api\",\"envelope_id\":[\"e\"]}"
            })
    void anythingElse_isUnknown(String text) {
        assertThat(SocketFrame.parse(text)).isInstanceOf(SocketFrame.Unknown.class);
    }

    @Test
    void deepNesting_isUnknown() {
        assertThat(SocketFrame.parse("{\"envelope_id\":\"e\",\"payload\":" + "[".repeat(100_000)))
                .isInstanceOf(SocketFrame.Unknown.class);
        assertThat(SocketFrame.parse("{\"envelope_id\":\"" + "e".repeat(SocketFrame.LONGEST_ID + 1) + "\"}"))
                .isInstanceOf(SocketFrame.Unknown.class);
    }

    @Property(tries = 2_000)
    void parse_neverFails(@ForAll String text) {
        assertThat(SocketFrame.parse(text)).isNotNull();
        assertThat(SocketFrame.parse("{\"type\":" + text + "}")).isNotNull();
    }

    /** A number that cannot be is as good as none: the envelope is read all the same. */
    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775807", "1e400", "-1", "1e-3", "true", "\"x\"", "[1]", "null"})
    void envelope_withAnImpossibleNumber_isNotLost(String number) {
        SocketFrame frame = SocketFrame.parse(
                "{\"type\":\"events_api\",\"envelope_id\":\"e\",\"retry_attempt\":" + number + ",\"payload\":{}}");

        assertThat(frame).isEqualTo(new SocketFrame.Envelope("e", "{}", false, 0, ""));
        assertThat(SocketFrame.parse("{\"type\":\"hello\",\"num_connections\":" + number
                        + ",\"debug_info\":{\"approximate_connection_time\":" + number + "}}"))
                .isEqualTo(new SocketFrame.Hello(null, 0));
    }
}
