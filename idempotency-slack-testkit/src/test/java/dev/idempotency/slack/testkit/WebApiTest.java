package dev.idempotency.slack.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class WebApiTest {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final String CHANNEL = Workspace.channel(7);
    private static final String JSON = "application/json; charset=utf-8";

    private final Timestamps timestamps = new Timestamps();
    private final Ledger ledger = new Ledger(Workspace.channels());
    private final Faults faults = new Faults("none", 1);
    private final List<Message> heard = new ArrayList<>();
    private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private final ExecutorService pool = Executors.newCachedThreadPool();
    private final HttpClient client = HttpClient.newHttpClient();
    private final String root = timestamps.next();

    WebApiTest() throws IOException {
        server.createContext(
                "/api/", new WebApi(ledger, timestamps, faults, Duration.ofSeconds(5), Duration.ZERO, heard::add));
        server.setExecutor(pool);
        server.start();
        ledger.add(Message.ofPerson(CHANNEL, root, null, Workspace.person(1), "hello", false));
    }

    @AfterEach
    void stop() {
        server.stop(0);
        pool.shutdownNow();
    }

    private HttpResponse<String> send(String method, String token, String type, String body) throws Exception {
        var uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/api/" + method);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .timeout(Duration.ofSeconds(20))
                .header("Content-Type", type)
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (!token.isEmpty()) {
            request.header("Authorization", "Bearer " + token);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private JsonNode call(String method, String json) throws Exception {
        return MAPPER.readTree(
                send(method, Workspace.BOT_TOKEN, JSON, json.replace('\'', '"')).body());
    }

    private String reply(String key) {
        return "{'channel':'" + CHANNEL + "','thread_ts':'" + root + "','text':'Noted " + key
                + "','metadata':{'event_type':'idempotency','event_payload':{'key':'" + key + "'}}}";
    }

    @Test
    void postMessage_inAThread_isKeptWithItsMetadataAndHeard() throws Exception {
        JsonNode answer = call("chat.postMessage", reply("k1"));

        assertThat(answer.path("ok").asBoolean()).isTrue();
        Message post = ledger.posts().get(0);
        assertThat(answer.path("ts").asText()).isEqualTo(post.ts());
        assertThat(post.threadTs()).isEqualTo(root);
        assertThat(post.metadata().at("/event_payload/key").asText()).isEqualTo("k1");
        assertThat(heard).containsExactly(post);
    }

    @Test
    void postMessage_asAForm_isTheSame() throws Exception {
        HttpResponse<String> answer = send(
                "chat.postMessage",
                "",
                "application/x-www-form-urlencoded",
                "token=" + Workspace.BOT_TOKEN + "&channel=" + CHANNEL + "&text=a%20b"
                        + "&metadata=%7B%22event_type%22%3A%22t%22%2C%22event_payload%22%3A%7B%7D%7D");

        assertThat(MAPPER.readTree(answer.body()).path("ok").asBoolean()).isTrue();
        assertThat(ledger.posts().get(0).text()).isEqualTo("a b");
        assertThat(ledger.posts().get(0).metadata().path("event_type").asText()).isEqualTo("t");
    }

    @Test
    void calls_thatAreWrong_areRefusedAsSlackDoes() throws Exception {
        assertThat(send("auth.test", "", JSON, "{}").body()).contains("not_authed");
        assertThat(send("auth.test", "xoxb-wrong", JSON, "{}").body()).contains("invalid_auth");
        assertThat(call("auth.test", "{}").path("user_id").asText()).isEqualTo(Workspace.BOT_USER);
        assertThat(call("chat.nothing", "{}").path("error").asText()).isEqualTo("unknown_method");
        assertThat(call("chat.postMessage", "{'channel':'C9','text':'x'}")
                        .path("error")
                        .asText())
                .isEqualTo("channel_not_found");
        assertThat(call("chat.postMessage", "{'channel':'" + CHANNEL + "'}")
                        .path("error")
                        .asText())
                .isEqualTo("no_text");
        assertThat(ledger.posts()).isEmpty();
    }

    @Test
    void replies_showMetadataOnlyWhenAskedTo() throws Exception {
        JsonNode unused = call("chat.postMessage", reply("k1"));
        String thread = "{'channel':'" + CHANNEL + "','ts':'" + root + "'";

        JsonNode without = call("conversations.replies", thread + "}");
        JsonNode with = call("conversations.replies", thread + ",'include_all_metadata':true}");

        assertThat(without.path("messages")).hasSize(2);
        assertThat(without.at("/messages/0/ts").asText()).isEqualTo(root);
        assertThat(without.at("/messages/1").has("metadata")).isFalse();
        assertThat(with.at("/messages/1/metadata/event_payload/key").asText()).isEqualTo("k1");
    }

    @Test
    void history_hasNoRepliesAndHonoursItsBounds() throws Exception {
        JsonNode unused = call("chat.postMessage", reply("k1"));
        String second = timestamps.next();
        ledger.add(Message.ofPerson(CHANNEL, second, null, Workspace.person(1), "again", false));
        String channel = "{'channel':'" + CHANNEL + "'";

        assertThat(call("conversations.history", channel + "}").findValuesAsText("ts"))
                .containsExactly(second, root);
        assertThat(call("conversations.history", channel + ",'oldest':'" + root + "'}")
                        .findValuesAsText("ts"))
                .containsExactly(second);
        assertThat(call(
                                "conversations.history",
                                channel + ",'oldest':'" + root + "','inclusive':true,'latest':'" + root + "'}")
                        .findValuesAsText("ts"))
                .containsExactly(root);
    }

    @Test
    void replies_moreThanTheLimit_comeInPages() throws Exception {
        for (int i = 0; i < 4; i++) {
            JsonNode unused = call("chat.postMessage", reply("k" + i));
        }
        var seen = new ArrayList<String>();
        String cursor = "";
        int pages = 0;
        do {
            JsonNode page = call(
                    "conversations.replies",
                    "{'channel':'" + CHANNEL + "','ts':'" + root + "','limit':2,'cursor':'" + cursor + "'}");
            seen.addAll(page.path("messages").findValuesAsText("text"));
            cursor = page.at("/response_metadata/next_cursor").asText();
            assertThat(page.path("has_more").asBoolean()).isEqualTo(!cursor.isEmpty());
            pages++;
        } while (!cursor.isEmpty());

        assertThat(seen).containsExactly("hello", "Noted k0", "Noted k1", "Noted k2", "Noted k3");
        assertThat(pages).isEqualTo(3);
    }

    @Test
    void faults_afterTheEffect_leaveIt() throws Exception {
        for (String fault : List.of("error-after", "fatal-after", "internal-after")) {
            faults.change(fault + "=1");
            HttpResponse<String> answer = send(
                    "chat.postMessage", Workspace.BOT_TOKEN, JSON, reply(fault).replace('\'', '"'));
            assertThat(answer.body()).as(fault).contains("\"ok\":false");
        }
        faults.change("reply-cut=1");
        assertThatThrownBy(() -> call("chat.postMessage", reply("cut"))).isInstanceOf(IOException.class);

        assertThat(ledger.posts()).hasSize(4);
        assertThat(faults.chosen()).hasSize(4);
    }

    @Test
    void faults_beforeTheEffect_leaveNothing() throws Exception {
        faults.change("rate-limited=1");
        HttpResponse<String> limited =
                send("chat.postMessage", Workspace.BOT_TOKEN, JSON, reply("a").replace('\'', '"'));
        faults.change("error-before=1");
        HttpResponse<String> failed =
                send("chat.postMessage", Workspace.BOT_TOKEN, JSON, reply("b").replace('\'', '"'));

        assertThat(limited.statusCode()).isEqualTo(429);
        assertThat(limited.headers().firstValue("Retry-After")).hasValue("1");
        assertThat(failed.statusCode()).isEqualTo(500);
        assertThat(ledger.posts()).isEmpty();
    }

    @Test
    void faults_ofOneThing_comeToAnEnd() throws Exception {
        faults.change("error-before=1");
        for (int i = 0; i < 2; i++) {
            assertThat(call("chat.postMessage", reply("a")).path("ok").asBoolean())
                    .isFalse();
        }

        assertThat(call("chat.postMessage", reply("a")).path("ok").asBoolean()).isTrue();
    }

    @Test
    void faults_thatNobodyKnows_areRefused() {
        assertThatThrownBy(() -> faults.change("weather=1")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> faults.change("reply-cut=2")).isInstanceOf(IllegalArgumentException.class);
    }
}
