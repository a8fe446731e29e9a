package dev.idempotency.slack.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.idempotency.slack.testkit.LogicalEvent.Due;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class StreamTest {
    private static final int MANY = 3000;

    private final Ledger ledger = new Ledger(Workspace.channels());

    private Stream stream(long seed) {
        return new Stream(seed, new Timestamps(), ledger, new EventJson(seed));
    }

    private static List<Planned> many(Stream stream) {
        var all = new ArrayList<Planned>();
        while (all.size() < MANY) {
            all.addAll(stream.next());
        }
        return all;
    }

    /** What does not change with the day. */
    private static String gist(Planned planned) {
        JsonNode payload = planned.delivery().payload();
        return planned.after() + " " + planned.delivery().retryNum()
                + payload.path("type").asText()
                + payload.at("/event/type").asText()
                + payload.at("/event/subtype").asText()
                + payload.at("/event/channel").asText()
                + payload.at("/event/text").asText()
                + payload.at("/event/client_msg_id").asText();
    }

    @Test
    void next_sameSeed_happensAlike() {
        assertThat(many(stream(5)).stream().map(StreamTest::gist))
                .containsExactlyElementsOf(
                        many(stream(5)).stream().map(StreamTest::gist).toList());
        assertThat(many(stream(6)).stream().map(StreamTest::gist).toList())
                .isNotEqualTo(many(stream(5)).stream().map(StreamTest::gist).toList());
    }

    @Test
    void deliveries_ofOneEventId_areTheSame() {
        Map<String, JsonNode> byId = new HashMap<>();
        int repeated = 0;
        for (Planned planned : many(stream(1))) {
            JsonNode payload = planned.delivery().payload();
            JsonNode before = byId.put(payload.path("event_id").asText(), payload);
            if (payload.has("event_id") && before != null) {
                assertThat(payload).isEqualTo(before);
                repeated++;
            }
        }

        assertThat(repeated).isGreaterThan(100);
    }

    @Test
    void messages_ofPeople_areToldUnderTheNamesOfTheirEvent() {
        Stream stream = stream(2);
        List<Planned> planned = many(stream);
        Map<LogicalEvent, Set<String>> ids = new HashMap<>();
        int mostIds = 0;
        for (Planned each : planned) {
            LogicalEvent event = each.delivery().event();
            JsonNode inner = each.delivery().payload().path("event");
            if (event != null && event.due() != Due.NONE) {
                assertThat(inner.path("text").asText()).contains(event.token());
                assertThat(inner.path("channel").asText()).isEqualTo(event.channel());
                assertThat(event.threads())
                        .contains(
                                inner.path("thread_ts").asText(inner.path("ts").asText()));
                Set<String> ofEvent = ids.computeIfAbsent(event, key -> new HashSet<>());
                ofEvent.add(each.delivery().payload().path("event_id").asText());
                mostIds = Math.max(mostIds, ofEvent.size());
            }
        }

        assertThat(ids.keySet())
                .containsAll(stream.events().stream()
                        .filter(event -> event.due() != Due.NONE)
                        .toList());
        assertThat(mostIds).isGreaterThan(9);
    }

    @Test
    void twoMessagesOfOneGesture_haveOneClientMsgIdAndTwoTimes() {
        var twice = many(stream(3)).stream()
                .filter(planned -> planned.delivery().event() != null
                        && planned.delivery().event().threads().size() == 2)
                .collect(Collectors.groupingBy(planned -> planned.delivery().event()));

        assertThat(twice).hasSizeGreaterThan(10);
        twice.values().forEach(tellings -> {
            var inner = tellings.stream()
                    .map(planned -> planned.delivery().payload().path("event"))
                    .filter(event -> event.path("type").asText().equals("message"))
                    .toList();
            assertThat(inner.stream().map(event -> event.path("ts").asText()).distinct())
                    .hasSize(2);
            assertThat(inner.stream()
                            .map(event -> event.path("client_msg_id").asText())
                            .distinct())
                    .hasSize(1);
        });
    }

    @Test
    void eventContext_isNotUnique() {
        long contexts = many(stream(4)).stream()
                .map(planned ->
                        planned.delivery().payload().path("event_context").asText())
                .distinct()
                .count();

        assertThat(contexts).isLessThan(MANY / 2);
    }
}
