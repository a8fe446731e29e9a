package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxClaim;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an endpoint does behind a real server, to which everything is said byte by byte. */
public abstract class AdapterContract {
    private static final int MAX_BODY = 100_000;
    private static final int PATIENCE = 30_000;

    private final FaultyInbox store =
            new FaultyInbox(CaffeineIdempotencyStore.create().inbox());
    private final Queue<Delivered> told = new ConcurrentLinkedQueue<>();
    private SlackIntake intake;
    private int port;

    /** Starts the server; answers its port. */
    protected abstract int start(EventsEndpoint endpoint) throws Exception;

    protected abstract void stop() throws Exception;

    @BeforeEach
    final void open() throws Exception {
        intake = SlackIntake.builder(Inbox.builder(store, "slack").build())
                .responding(event -> SlackEvent.JSON.createObjectNode().put("text", "\u8239"))
                .listener(new SlackListener() {
                    @Override
                    public void onDelivered(Delivered delivered) {
                        told.add(delivered);
                    }
                })
                .build();
        port = start(EventsEndpoint.builder(intake)
                .signingSecrets(Requests.SECRET)
                .maxBody(MAX_BODY)
                .clock(Requests.CLOCK)
                .build());
    }

    @AfterEach
    final void close() throws Exception {
        stop();
        intake.close();
    }

    /** What was answered; a connection that was closed without an answer has status 0. */
    private record Answer(int status, Map<String, String> headers, String body) {}

    private static byte[] head(String method, Map<String, List<String>> headers, String... more) {
        var lines = new ArrayList<String>();
        lines.add(method + " /slack/events HTTP/1.1");
        lines.add("Host: slack.example");
        headers.forEach((name, values) -> values.forEach(value -> lines.add(name + ": " + value)));
        lines.addAll(List.of(more));
        return (String.join("\r\n", lines) + "\r\n\r\n").getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] joined(byte[]... parts) {
        var all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static byte[] chunked(byte[] body, int size) {
        var all = new ByteArrayOutputStream();
        for (int at = 0; at < body.length; at += size) {
            int length = Math.min(size, body.length - at);
            all.writeBytes((Integer.toHexString(length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
            all.write(body, at, length);
            all.writeBytes(new byte[] {'\r', '\n'});
        }
        all.writeBytes("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        return all.toByteArray();
    }

    private Socket connect() throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(PATIENCE);
        return socket;
    }

    private Answer say(byte[] bytes) throws IOException {
        try (Socket socket = connect()) {
            try {
                socket.getOutputStream().write(bytes);
                socket.getOutputStream().flush();
            } catch (SocketException e) {
                // It has answered before it has read all.
            }
            return read(socket);
        }
    }

    private static Answer read(Socket socket) throws IOException {
        var head = new ByteArrayOutputStream();
        String text = "";
        while (!text.endsWith("\r\n\r\n")) {
            int one = one(socket);
            if (one < 0) {
                return new Answer(0, Map.of(), text);
            }
            head.write(one);
            text = one == '\n' ? head.toString(StandardCharsets.ISO_8859_1) : "";
        }
        String[] lines = text.split("\r\n");
        Map<String, String> headers = new HashMap<>();
        for (int i = 1; i < lines.length; i++) {
            String[] parts = lines[i].split(": *", 2);
            headers.put(parts[0].toLowerCase(Locale.ROOT), parts[1]);
        }
        int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        String body = new String(socket.getInputStream().readNBytes(length), StandardCharsets.UTF_8);
        return new Answer(Integer.parseInt(lines[0].split(" ")[1]), headers, body);
    }

    private static int one(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read();
        } catch (SocketException e) {
            return -1;
        }
    }

    private List<InboxClaim> inInbox() {
        return store.claim("slack", 100, Duration.ofMinutes(5));
    }

    private void isStillServed() throws IOException {
        byte[] body = Fixtures.bytes("reaction_added");
        assertThat(say(joined(head("POST", Requests.headers(Requests.JSON, body)), body))
                        .status())
                .isEqualTo(200);
    }

    private static Map<String, List<String>> without(String header, byte[] body) {
        Map<String, List<String>> headers = Requests.headers(Requests.JSON, body);
        headers.remove(header);
        return headers;
    }

    @Test
    void event_isInTheInboxByteForByte() throws IOException {
        byte[] body = Fixtures.bytes("message");

        Answer answer = say(joined(head("POST", Requests.headers(Requests.JSON, body)), body));

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEmpty();
        assertThat(inInbox())
                .singleElement()
                .satisfies(claim -> assertThat(claim.message().payload()).isEqualTo(body));
    }

    @Test
    void challenge_isAnsweredAsText() throws IOException {
        byte[] body = Fixtures.bytes("url_verification");

        Answer answer = say(joined(head("POST", Requests.headers(Requests.JSON, body)), body));

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("c0-challenge-<script>");
        assertThat(answer.headers().get("content-type")).matches("(?i)text/plain; ?charset=utf-8");
        assertThat(answer.headers()).containsEntry("x-content-type-options", "nosniff");
    }

    @Test
    void command_isAnsweredWithJson() throws IOException {
        byte[] body = ("command=%2Fferry&trigger_id=1.2&api_app_id=A&text="
                        + URLEncoder.encode("8:15 \u8239", StandardCharsets.UTF_8))
                .getBytes(StandardCharsets.UTF_8);

        Answer answer = say(joined(head("POST", Requests.headers(Requests.FORM, body)), body));

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("{\"text\":\"\u8239\"}");
        assertThat(answer.headers().get("content-type")).matches("(?i)application/json; ?charset=utf-8");
        assertThat(inInbox())
                .singleElement()
                .satisfies(claim -> assertThat(SlackEvent.parse(claim.message().payload())
                                .payload()
                                .path("text")
                                .asText())
                        .isEqualTo("8:15 \u8239"));
    }

    @Test
    void body_inChunks_isTaken() throws IOException {
        byte[] body = Fixtures.bytes("message");
        for (int size : List.of(1, 7, 1_000_000)) {
            Answer answer = say(joined(
                    head("POST", without("Content-Length", body), "Transfer-Encoding: chunked"), chunked(body, size)));

            assertThat(answer.status()).isEqualTo(200);
        }
        assertThat(inInbox()).hasSize(1);
    }

    @Test
    void body_inChunksBeyondTheCap_is413() throws IOException {
        byte[] body = new byte[MAX_BODY + 1];

        Answer answer = say(joined(
                head("POST", without("Content-Length", body), "Transfer-Encoding: chunked"), chunked(body, 1_000)));

        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.headers()).containsEntry("x-slack-no-retry", "1");
        isStillServed();
    }

    @Test
    void body_inBadChunks_isNoFaultOfOurs() throws IOException {
        byte[] body = Fixtures.bytes("message");
        for (String chunks : List.of(
                "zz\r\nabc\r\n0\r\n\r\n",
                "-5\r\nabc\r\n",
                "ffffffffffffffffffff\r\nabc\r\n",
                "3\r\nabcd\r\n0\r\n\r\n")) {
            Answer answer = say(joined(
                    head("POST", without("Content-Length", body), "Transfer-Encoding: chunked"),
                    chunks.getBytes(StandardCharsets.US_ASCII)));

            assertThat(answer.status()).as(chunks).isIn(0, 400, 401);
        }
        assertThat(inInbox()).isEmpty();
        isStillServed();
    }

    /** Nothing of the body is sent: the answer does not wait for it. */
    @Test
    void body_declaredBeyondTheCap_is413BeforeItIsSent() throws IOException {
        byte[] body = Fixtures.bytes("message");
        Map<String, List<String>> headers = Requests.headers(Requests.JSON, body);
        headers.put("Content-Length", List.of("100000000"));

        Answer answer = say(head("POST", headers));

        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.headers()).containsEntry("x-slack-no-retry", "1");
    }

    @Test
    void body_shorterThanDeclared_isNotTaken() throws Exception {
        byte[] body = Fixtures.bytes("message");
        try (Socket socket = connect()) {
            socket.getOutputStream()
                    .write(joined(head("POST", Requests.headers(Requests.JSON, body)), new byte[body.length / 2]));
            socket.shutdownOutput();

            assertThat(read(socket).status()).isIn(0, 400);
        }
        assertThat(inInbox()).isEmpty();
        assertThat(told)
                .allSatisfy(delivered -> assertThat(delivered.verdict()).isEqualTo(Delivered.Verdict.UNREADABLE));
        isStillServed();
    }

    @Test
    void body_longerThanDeclared_isNotTaken() throws IOException {
        byte[] body = Fixtures.bytes("message");
        Map<String, List<String>> headers = Requests.headers(Requests.JSON, body);
        headers.put("Content-Length", List.of("20"));

        assertThat(say(joined(head("POST", headers), body)).status()).isEqualTo(401);

        assertThat(inInbox()).isEmpty();
        isStillServed();
    }

    @Test
    void body_byteByByte_isTaken() throws IOException {
        byte[] body = Fixtures.bytes("app_rate_limited");
        try (Socket socket = connect()) {
            socket.setTcpNoDelay(true);
            for (byte one : joined(head("POST", Requests.headers(Requests.JSON, body)), body)) {
                socket.getOutputStream().write(one);
                socket.getOutputStream().flush();
            }

            assertThat(read(socket).status()).isEqualTo(200);
        }
    }

    @Test
    void connection_thatIsKept_servesOneRequestAfterTheOther() throws IOException {
        try (Socket socket = connect()) {
            for (String name : List.of("message", "message", "app_mention", "url_verification")) {
                byte[] body = Fixtures.bytes(name);
                socket.getOutputStream().write(joined(head("POST", Requests.headers(Requests.JSON, body)), body));

                assertThat(read(socket).status()).isEqualTo(200);
            }
            byte[] forged = Fixtures.bytes("message");
            socket.getOutputStream().write(joined(head("POST", without("X-Slack-Signature", forged)), forged));
            assertThat(read(socket).status()).isEqualTo(401);
        }
        assertThat(inInbox()).hasSize(2);
    }

    @Test
    void headers_ofAnyCase_areFound() throws IOException {
        byte[] body = Fixtures.bytes("message");
        String head = new String(head("POST", Requests.headers(Requests.JSON, body)), StandardCharsets.UTF_8)
                .replace("X-Slack-Signature", "x-sLACK-sIGNATURE")
                .replace("X-Slack-Request-Timestamp", "x-slack-request-timestamp");

        assertThat(say(joined(head.getBytes(StandardCharsets.UTF_8), body)).status())
                .isEqualTo(200);
    }

    @Test
    void signature_saidTwice_is401() throws IOException {
        byte[] body = Fixtures.bytes("message");
        String again = "x-slack-signature: " + Requests.sign(Requests.SECRET, Requests.NOW, body);

        assertThat(say(joined(head("POST", Requests.headers(Requests.JSON, body), again), body))
                        .status())
                .isEqualTo(401);
        assertThat(say(joined(head("POST", without("X-Slack-Signature", body), "X-Slack-Signature: v0=", again), body))
                        .status())
                .isEqualTo(401);
        assertThat(inInbox()).isEmpty();
    }

    @Test
    void headers_thatAreNone_areNoFaultOfOurs() throws IOException {
        byte[] body = Fixtures.bytes("message");
        for (String line :
                List.of("no colon", ": no name", "X-Slack-Retry-Num", "X: \u0000\u0001", " folded: yes", "X:")) {
            Answer answer = say(joined(head("POST", Requests.headers(Requests.JSON, body), line), body));

            assertThat(answer.status()).as(line).isIn(0, 200, 400, 401);
        }
        isStillServed();
    }

    @Test
    void method_otherThanPost_is405() throws IOException {
        for (String method : List.of("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")) {
            Answer answer = say(head(method, Map.of("Content-Length", List.of("0"))));

            assertThat(answer.status()).as(method).isEqualTo(405);
            assertThat(answer.headers()).as(method).containsEntry("allow", "POST");
        }
    }

    @Test
    void store_down_is503() throws IOException {
        byte[] body = Fixtures.bytes("message");
        store.become(FaultyInbox.Mode.FAILS);

        Answer answer = say(joined(head("POST", Requests.headers(Requests.JSON, body)), body));

        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.headers()).doesNotContainKey("x-slack-no-retry");
    }

    @Test
    void event_toldByManyAtOnce_isInTheInboxOnce() throws Exception {
        byte[] body = Fixtures.bytes("message");
        byte[] request = joined(head("POST", Requests.headers(Requests.JSON, body)), body);
        var pool = Executors.newFixedThreadPool(16);
        try {
            var answers = new ArrayList<Future<Answer>>();
            for (int i = 0; i < 64; i++) {
                answers.add(pool.submit(() -> say(request)));
            }
            for (Future<Answer> answer : answers) {
                assertThat(answer.get(1, TimeUnit.MINUTES).status()).isEqualTo(200);
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(inInbox()).hasSize(1);
    }

    @Test
    void client_thatIsGoneBeforeItsAnswer_changesNothing() throws IOException {
        byte[] body = Fixtures.bytes("message");
        try (Socket socket = connect()) {
            socket.setSoLinger(true, 0);
            socket.getOutputStream().write(joined(head("POST", Requests.headers(Requests.JSON, body)), body));
            until("it has arrived", () -> store.offers.get() > 0);
        }
        // The offer is counted when it begins.
        var claimed = new ArrayList<InboxClaim>();
        until("it is in the inbox", () -> claimed.addAll(inInbox()));
        assertThat(claimed).hasSize(1);
        isStillServed();
    }

    private static void until(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(end);
            LockSupport.parkNanos(100_000);
        }
    }
}
