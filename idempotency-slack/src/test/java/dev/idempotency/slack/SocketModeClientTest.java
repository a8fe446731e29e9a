package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.slack.FakeSocketMode.Connection;
import dev.idempotency.slack.SocketEvent.Reason;
import dev.idempotency.slack.SocketEvent.Type;
import io.github.resilience4j.core.IntervalFunction;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.java_websocket.enums.Opcode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SocketModeClientTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final SocketTiming QUICK = new SocketTiming(
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            Duration.ofMillis(100),
            Duration.ofSeconds(2),
            Duration.ofMillis(300),
            Duration.ofSeconds(2),
            Duration.ofSeconds(10),
            Duration.ofMillis(1),
            Duration.ofSeconds(10),
            1_000,
            Duration.ofMillis(1));

    private final FakeSocketMode slack = new FakeSocketMode();
    private final GatedInbox store = new GatedInbox();
    private final List<SocketEvent> events = new CopyOnWriteArrayList<>();
    private final List<Delivered> delivered = new CopyOnWriteArrayList<>();
    private Function<SlackEvent, @Nullable JsonNode> response = event -> null;
    private Duration budget = Duration.ofMillis(2_500);
    private @Nullable SlackIntake intake;
    private @Nullable SocketModeClient client;

    /** Keeps what it is offered; waits and fails when it is told to. */
    private static final class GatedInbox {
        final Set<String> kept = ConcurrentHashMap.newKeySet();
        final AtomicInteger offers = new AtomicInteger();
        volatile boolean fails;
        volatile CountDownLatch gate = new CountDownLatch(0);

        Inbox inbox() {
            InboxStore inbox = CaffeineIdempotencyStore.create().inbox();
            return Inbox.builder(
                            (InboxStore) Proxy.newProxyInstance(
                                    InboxStore.class.getClassLoader(),
                                    new Class<?>[] {InboxStore.class},
                                    (proxy, method, args) -> {
                                        if (!method.getName().equals("offer")) {
                                            return method.invoke(inbox, args);
                                        }
                                        gate.await();
                                        if (fails) {
                                            throw new IllegalStateException("down");
                                        }
                                        offers.incrementAndGet();
                                        kept.add(((InboxMessage) args[0]).key().value());
                                        return method.invoke(inbox, args);
                                    }),
                            "slack")
                    .build();
        }
    }

    private SocketModeClient start(int connections) {
        return start(connections, QUICK);
    }

    private SocketModeClient start(int connections, SocketTiming timing) {
        intake = SlackIntake.builder(store.inbox())
                .budget(budget)
                .responding(response)
                .listener(new SlackListener() {
                    @Override
                    public void onSocket(SocketEvent event) {
                        events.add(event);
                    }

                    @Override
                    public void onDelivered(Delivered one) {
                        delivered.add(one);
                    }
                })
                .build();
        client = SocketModeClient.builder(intake, FakeSocketMode.TOKEN)
                .apiUrl(slack.apiUrl())
                .connections(connections)
                .timing(timing, IntervalFunction.ofExponentialBackoff(Duration.ofMillis(10), 2.0))
                .start();
        return client;
    }

    @AfterEach
    void stop() {
        store.gate.countDown();
        if (client != null) {
            client.close();
        }
        if (intake != null) {
            intake.close();
        }
        slack.close();
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + LONG.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited for too long").isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private Connection connection(int index) {
        await(() -> slack.connections().size() > index);
        return slack.connections().get(index);
    }

    private void awaitLive(SocketModeClient started, int count) {
        await(() -> started.state().connections().stream()
                        .filter(connection -> connection.phase() == SocketState.Phase.LIVE)
                        .count()
                == count);
    }

    private long count(Type type) {
        return events.stream().filter(event -> event.type() == type).count();
    }

    @Test
    void envelope_isAcknowledgedOnItsConnection_whenItIsSafe_andNotBefore() {
        store.gate = new CountDownLatch(1);
        SocketModeClient started = start(2);
        awaitLive(started, 2);

        connection(1).event("e-1", "Ev1");
        await(() -> started.state().connections().stream().anyMatch(one -> one.unsettled() == 1));
        assertThat(connection(0).received).isEmpty();
        assertThat(connection(1).received).isEmpty();
        store.gate.countDown();
        await(() -> !connection(1).received.isEmpty());

        assertThat(connection(1).received)
                .containsExactly(SlackEvent.JSON.createObjectNode().put("envelope_id", "e-1"));
        assertThat(connection(0).received).isEmpty();
        assertThat(store.kept).containsExactly("A111:Ev1");
        await(() -> delivered.size() == 1);
        assertThat(delivered.get(0).transport()).isEqualTo(Delivered.Transport.SOCKET);
        assertThat(delivered.get(0).verdict()).isEqualTo(Delivered.Verdict.ACCEPTED);
        assertThat(started.state().acked()).isEqualTo(1);
        assertThat(slack.opened()).containsOnly("Bearer " + FakeSocketMode.TOKEN);
        assertThat(events.toString()).doesNotContain("secret", "ticket");
    }

    @Test
    void envelope_thatTheStoreDoesNotTake_isNotAcknowledged_untilItDoes() {
        store.fails = true;
        SocketModeClient started = start(1);
        Connection connection = connection(0);

        connection.event("e-1", "Ev1");
        await(() -> started.state().notAcked() == 1);
        store.fails = false;
        connection.event("e-2", "Ev1");
        connection.event("e-3", "Ev1");
        await(() -> connection.received.size() == 2);

        assertThat(connection.acks()).containsExactlyInAnyOrder("e-2", "e-3");
        await(() -> delivered.size() == 3);
        assertThat(delivered)
                .extracting(Delivered::verdict)
                .containsExactlyInAnyOrder(
                        Delivered.Verdict.FAILED, Delivered.Verdict.ACCEPTED, Delivered.Verdict.DUPLICATE);
    }

    @Test
    void envelope_whoseConnectionHasGone_isAcknowledgedOnAnother() {
        store.gate = new CountDownLatch(1);
        SocketModeClient started = start(2);
        awaitLive(started, 2);
        connection(0).event("e-1", "Ev1");
        await(() -> started.state().connections().stream().anyMatch(one -> one.unsettled() == 1));

        connection(0).socket.close(1001);
        await(() -> count(Type.CLOSED) == 1);
        store.gate.countDown();

        await(() -> started.state().ackedElsewhere() == 1);
        await(() -> slack.connections().stream().anyMatch(one -> one.acks().contains("e-1")));
        assertThat(connection(0).received).isEmpty();
    }

    @Test
    void slowStore_doesNotKeepTheReaderFromADisconnect() {
        store.gate = new CountDownLatch(1);
        start(1);
        Connection first = connection(0);
        for (int i = 0; i < 200; i++) {
            first.event("e-" + i, "Ev" + i);
        }

        first.disconnect("warning");
        Connection second = connection(1);
        await(() -> count(Type.DRAINING) == 1);
        store.gate.countDown();
        await(() -> first.acks().size() == 200);

        assertThat(first.closeCode).as("open until all was acknowledged").isEqualTo(-1);
        second.event("e-x", "EvX");
        await(() -> second.acks().equals(List.of("e-x")));
        await(() -> first.closeCode == 1000);
    }

    @Test
    void recycling_underLoad_losesNothing_andAlwaysHasALiveConnection() {
        SocketModeClient started = start(1);
        connection(0);
        Set<String> sent = ConcurrentHashMap.newKeySet();
        var without = new ArrayList<Integer>();

        for (int round = 0; round < 8; round++) {
            int current = round;
            Connection old = connection(current);
            var toOld = new ArrayList<String>();
            await(() -> started.state().connections().stream().anyMatch(one -> one.phase() == SocketState.Phase.LIVE));
            old.disconnect("warning");
            for (int i = 0; i < 50; i++) {
                String id = round + "-" + i;
                toOld.add(id);
                old.event(id, id);
                if (i == 20) {
                    old.disconnect("refresh_requested");
                }
            }
            Connection next = connection(current + 1);
            String both = round + "-both";
            toOld.add(both);
            sent.addAll(toOld);
            next.event(both, both);
            old.event(both, both);
            if (slack.connections().stream().noneMatch(one -> one.heardHello && one.socket.isOpen())) {
                without.add(round);
            }
            await(() -> old.acks().containsAll(toOld) && next.acks().contains(both));
        }

        assertThat(without).isEmpty();
        assertThat(slack.connections()).as("one for each round").hasSize(9);
        assertThat(store.kept).hasSize(sent.size());
        assertThat(slack.connections().stream().flatMap(one -> one.acks().stream()))
                .containsAll(sent);
        assertThat(started.state().opened())
                .containsEntry(Reason.START, 1L)
                .containsEntry(Reason.WARNING, 8L)
                .hasSize(2);
    }

    @Test
    void halfOpenConnection_isReplaced() {
        start(1);
        Connection first = connection(0);
        await(() -> count(Type.LIVE) == 1);

        first.isMute = true;
        Connection second = connection(1);
        second.event("e-1", "Ev1");

        await(() -> second.acks().equals(List.of("e-1")));
        await(() -> count(Type.DRAINING) == 1);
        assertThat(events)
                .filteredOn(event -> event.type() == Type.DRAINING)
                .extracting(SocketEvent::reason)
                .containsExactly(Reason.NO_PONG);
    }

    /** The JDK's WebSocket does not tell of an end that comes right behind a frame: then it is the ping that tells. */
    @Test
    void connectionThatEndsWithoutAWord_isReplaced() {
        start(1);
        for (int i = 0; i < 5; i++) {
            Connection current = connection(i);
            int live = i + 1;
            await(() -> count(Type.LIVE) == live);
            current.event("e-" + i, "Ev" + i);
            current.die();
        }

        Connection last = connection(5);
        last.event("e-x", "EvX");
        await(() -> last.acks().contains("e-x"));
    }

    @Test
    void announcedLifetime_isNotAwaited() {
        slack.lifetime(1);
        start(1);

        connection(2);

        assertThat(client.state().opened()).containsKey(Reason.LIFETIME);
        assertThat(slack.connections().get(0).closeCode).isIn(-1, 1000);
    }

    @Test
    void openThatFails_isTriedAgain_andRetryAfterIsKept() {
        slack.answering(
                FakeSocketMode.error("internal_error"),
                new FakeSocketMode.Answer(500, "", "oops"),
                new FakeSocketMode.Answer(429, "1", ""),
                new FakeSocketMode.Answer(200, "", "{\"ok\":true,\"url\":\"http://127.0.0.1/\"}"));
        SocketModeClient started = start(1);

        awaitLive(started, 1);

        assertThat(events)
                .filteredOn(event -> event.type() == Type.OPEN_FAILED)
                .extracting(SocketEvent::detail)
                .containsExactly("internal_error", "http_500", "ratelimited", "no wss address");
        assertThat(started.state().isLive()).isTrue();
    }

    @Test
    void refusedToken_endsInAStateThatSaysSo() {
        for (int i = 0; i < SocketFleet.REFUSALS; i++) {
            slack.answering(FakeSocketMode.error("invalid_auth"));
        }
        SocketModeClient started = start(1);

        await(() -> started.state().stopped() != null);

        assertThat(started.state().stopped()).isEqualTo("invalid_auth");
        assertThat(started.state().isLive()).isFalse();
        await(() -> count(Type.STOPPED) == 1);
        assertThat(slack.opened()).hasSize(SocketFleet.REFUSALS);
    }

    @Test
    void linkDisabled_stops_andReadsOnUntilSlackCloses() {
        SocketModeClient started = start(2);
        awaitLive(started, 2);

        connection(0).disconnect("link_disabled");
        await(() -> started.state().stopped() != null);
        connection(0).event("e-1", "Ev1");
        await(() -> connection(0).acks().equals(List.of("e-1")));
        connection(0).socket.close();
        connection(1).socket.close();
        await(() -> started.state().connections().isEmpty());

        assertThat(started.state().stopped()).isEqualTo("link_disabled");
        assertThat(slack.opened()).hasSize(2);
    }

    @Test
    void connectionWithoutHello_isNotTakenForALiveOne() {
        slack.silent();
        SocketModeClient started = start(1);

        connection(0);
        await(() -> started.state().connections().stream()
                .anyMatch(one -> one.phase() == SocketState.Phase.WAITING_FOR_HELLO));

        assertThat(started.state().isLive()).isFalse();
        assertThat(count(Type.LIVE)).isZero();
    }

    @Test
    void slashCommand_isAcknowledgedWithItsResponse() {
        response = event -> SlackEvent.JSON.createObjectNode().put("text", "deploying for " + event.user());
        start(1);
        Connection connection = connection(0);
        String command =
                "{\"command\":\"/deploy\",\"trigger_id\":\"1.2.3\",\"user_id\":\"U7\",\"api_app_id\":\"A111\",\"team_id\":\"T1\"}";

        connection.send(Connection.envelope("e-1", "slash_commands", true, command));
        connection.send(Connection.envelope("e-2", "slash_commands", false, command));
        await(() -> connection.received.size() == 2);

        assertThat(connection.received).anySatisfy(ack -> {
            assertThat(ack.path("envelope_id").asText()).isEqualTo("e-1");
            assertThat(ack.at("/payload/text").asText()).isEqualTo("deploying for U7");
        });
        assertThat(connection.received).anySatisfy(ack -> {
            assertThat(ack.path("envelope_id").asText()).isEqualTo("e-2");
            assertThat(ack.has("payload")).isFalse();
        });
        assertThat(store.kept).as("the same command").hasSize(1);
    }

    @Test
    void response_thatFailsOrTakesTooLong_isLeftOut() {
        var never = new CountDownLatch(1);
        budget = Duration.ofMillis(300);
        response = event -> {
            if (event.type().equals("/fail")) {
                throw new AssertionError("no");
            }
            if (event.type().equals("/null")) {
                return NullNode.getInstance();
            }
            try {
                never.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return SlackEvent.JSON.createObjectNode();
        };
        start(1);
        Connection connection = connection(0);

        connection.send(
                Connection.envelope("e-1", "slash_commands", true, "{\"command\":\"/fail\",\"trigger_id\":\"1\"}"));
        connection.send(
                Connection.envelope("e-2", "slash_commands", true, "{\"command\":\"/hang\",\"trigger_id\":\"2\"}"));
        connection.send(
                Connection.envelope("e-3", "slash_commands", true, "{\"command\":\"/null\",\"trigger_id\":\"3\"}"));
        await(() -> connection.received.size() == 3);

        assertThat(connection.received).noneMatch(ack -> ack.has("payload"));
        assertThat(count(Type.RESPONSE_FAILED)).isEqualTo(2);
        never.countDown();
    }

    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775807", "1e400"})
    void eventOfAnImpossibleTime_isCountedAsADelivery(String time) {
        start(1);

        connection(0)
                .send(Connection.envelope(
                        "e-1",
                        "events_api",
                        false,
                        "{\"type\":\"event_callback\",\"event_id\":\"Ev1\",\"event_time\":" + time
                                + ",\"event\":{\"type\":\"message\"}}"));

        await(() -> delivered.size() == 1);
        assertThat(delivered.get(0).late()).isZero();
    }

    @Test
    void unreadablePayload_isKeptForAPerson_andAcknowledged() {
        start(1);
        Connection connection = connection(0);

        connection.send(Connection.envelope("e-1", "events_api", false, "{\"type\":\"event_callback\"}"));
        connection.send("{\"envelope_id\":\"e-2\",\"type\":\"events_api\"}");
        await(() -> connection.received.size() == 2);

        assertThat(store.kept).hasSize(2).allMatch(key -> key.startsWith("bytes:"));
        await(() -> delivered.size() == 2);
        assertThat(delivered).extracting(Delivered::verdict).containsOnly(Delivered.Verdict.MALFORMED);
    }

    @Test
    void close_finishesWhatWasRead_andTakesNothingMore() throws Exception {
        store.gate = new CountDownLatch(1);
        SocketModeClient started = start(1);
        Connection connection = connection(0);
        connection.event("e-1", "Ev1");
        await(() -> started.state().connections().stream().anyMatch(one -> one.unsettled() == 1));

        var closing = new Thread(started::close);
        closing.start();
        await(() -> started.state().closed());
        connection.event("e-2", "Ev2");
        assertThat(connection.closeCode).isEqualTo(-1);
        store.gate.countDown();
        closing.join();

        await(() -> connection.closeCode == 1000);
        assertThat(connection.acks()).containsExactly("e-1");
        assertThat(store.kept).containsExactly("A111:Ev1");
        assertThat(started.state().connections()).isEmpty();
    }

    @Test
    void hugeMessage_isDropped_andTheNextIsRead() {
        SocketModeClient started = start(1);
        Connection connection = connection(0);

        connection.send("{\"envelope_id\":\"e-1\",\"payload\":\"" + "x".repeat(SlackSocket.LONGEST_MESSAGE) + "\"}");
        connection.event("e-2", "Ev2");
        await(() -> connection.acks().equals(List.of("e-2")));

        assertThat(started.state().ignored()).isEqualTo(1);
    }

    /** Frames as they come and as they should not come; to whichever connection is the newest. */
    private int fuzz(Random random, int frames) {
        int envelopes = 0;
        for (int i = 0; i < frames; i++) {
            Connection newest = slack.connections().get(slack.connections().size() - 1);
            String id = "fuzz-" + random.nextInt(1 << 30);
            String envelope = Connection.envelope(id, "events_api", random.nextBoolean(), Connection.event(id));
            switch (random.nextInt(12)) {
                case 0 ->
                    newest.send(List.of("{}", "", "[]", "null", "\"x\"", "{\"type\":1}", "{\"envelope_id\":{}}")
                            .get(random.nextInt(7)));
                case 1 -> newest.hello(random.nextInt(3) - 1);
                case 2 ->
                    newest.disconnect(List.of("warning", "refresh_requested", "unheard_of")
                            .get(random.nextInt(3)));
                case 3 -> {
                    if (newest.socket.isOpen()) {
                        newest.socket.send(new byte[random.nextInt(200)]);
                    }
                }
                case 4 -> {
                    if (newest.socket.isOpen()) {
                        newest.socket.sendFragmentedFrame(
                                Opcode.TEXT, StandardCharsets.UTF_8.encode(envelope.substring(0, 40)), false);
                        newest.socket.sendFragmentedFrame(
                                Opcode.TEXT, StandardCharsets.UTF_8.encode(envelope.substring(40)), true);
                        envelopes++;
                    }
                }
                case 5 -> newest.send(Connection.envelope(id, "interactive", true, "{\"type\":\"block_actions\"}"));
                case 6 -> newest.send(Connection.envelope(id, "slash_commands", true, "{\"command\":\"/x\"}"));
                case 7 -> newest.send(Connection.envelope(id, "of_tomorrow", false, "{\"a\":[" + i + "]}"));
                default -> {
                    var text = new StringBuilder(envelope);
                    for (int changes = random.nextInt(4); changes > 0; changes--) {
                        int at = random.nextInt(text.length());
                        switch (random.nextInt(3)) {
                            case 0 -> text.deleteCharAt(at);
                            case 1 -> text.insert(at, (char) (32 + random.nextInt(95)));
                            default -> text.setLength(at + 1);
                        }
                    }
                    newest.send(text.toString());
                }
            }
        }
        return envelopes;
    }

    @Test
    void anyFrames_neitherEndTheClient_norAreAcknowledgedWithoutBeingKept() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        SocketModeClient started = start(1);
        connection(0);
        await(() -> count(Type.LIVE) == 1);

        store.fails = true;
        int unkept = fuzz(random, 400);
        await(() -> started.state().notAcked() >= unkept && started.state().isLive());
        await(() -> started.state().connections().stream().allMatch(one -> one.unsettled() == 0));
        assertThat(slack.connections()).as("seed %s", seed).allMatch(one -> one.received.isEmpty());

        store.fails = false;
        fuzz(random, 400);
        await(() -> {
            Connection newest = slack.connections().get(slack.connections().size() - 1);
            newest.event("last-" + System.nanoTime(), "EvLast");
            return newest.acks().stream().anyMatch(id -> id.startsWith("last-"));
        });
        assertThat(started.state().stopped()).as("seed %s", seed).isNull();
        assertThat(started.state().acked()).isLessThanOrEqualTo(store.offers.get());
        assertThat(slack.connections().stream()
                        .mapToLong(one -> one.received.size())
                        .sum())
                .as("seed %s", seed)
                .isLessThanOrEqualTo(store.offers.get());
    }

    @Test
    void settings_thatCannotBe_areRefused() {
        SlackIntake any = intake = SlackIntake.builder(store.inbox()).build();
        var builder = SocketModeClient.builder(any, "xapp-1");

        assertThatThrownBy(() -> builder.connections(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.connections(11)).hasMessageContaining("11");
        assertThatThrownBy(() -> builder.concurrency(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.apiUrl(URI.create("ftp://slack")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.ping(Duration.ZERO, LONG)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SocketModeClient.builder(any, "xapp 1\n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("xapp 1");
        assertThatThrownBy(() -> SocketModeClient.builder(null, "xapp")).isInstanceOf(NullPointerException.class);
    }
}
