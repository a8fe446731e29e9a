package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.cli.Visitor.Page;
import dev.idempotency.store.State;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that the console does not take; none of them changes anything. */
final class ConsoleGateTest {
    private static final Servers.Place PLACE = Servers.postgres();
    private static final String ADAS = "secret-of-ada-0123456789";
    private static final String GRACES = "secret-of-grace-0123456789";

    private final Shop shop = new Shop(PLACE.store());
    private final String order = "ORD-" + System.nanoTime();
    private final IdempotencyKey key = shop.inDoubt(order);
    private final OperationsConsole console = Consoles.on(PLACE.store());
    private final Visitor ada = new Visitor(console.uri());

    @TempDir
    private Path directory;

    @AfterEach
    void closeConsole() {
        console.close();
    }

    private void assertUnchanged() {
        assertThat(shop.standing(key).version()).isEqualTo(2);
        assertThat(shop.standing(key).state()).isEqualTo(State.IN_DOUBT);
    }

    private Map<String, String> decision(Page page) {
        var fields = new TreeMap<String, String>();
        page.form("/act").formData().forEach(field -> fields.put(field.key(), field.value()));
        fields.putAll(Map.of("act", "executed", "by", "ada", "why", "a", "evidence", "b", "confirmed", "yes"));
        return fields;
    }

    /** One request as it is written here, and the answer as it comes. */
    private String raw(String... lines) throws IOException {
        return raw(String.join("\r\n", lines).getBytes(StandardCharsets.ISO_8859_1));
    }

    private String raw(byte[] request) throws IOException {
        try (var socket =
                new Socket(InetAddress.getLoopbackAddress(), console.uri().getPort())) {
            socket.setSoTimeout(20_000);
            try {
                socket.getOutputStream().write(request);
                socket.getOutputStream().flush();
            } catch (IOException e) {
                // The answer may be there before the request has ended.
            }
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private String host() {
        return "127.0.0.1:" + console.uri().getPort();
    }

    private static int status(String answer) {
        return answer.isEmpty() ? 0 : Integer.parseInt(answer.split(" ", 3)[1]);
    }

    /** A decision as a browser would send it, but for what the test changes. */
    private final class Forgery {
        private final Page page = new Visitor(console.uri()).key(Shop.SCOPE, order);
        private final Map<String, String> headers = new TreeMap<>(Map.of(
                "Host",
                host(),
                "Origin",
                "http://" + host(),
                "Content-Type",
                "application/x-www-form-urlencoded",
                "Cookie",
                cookie(),
                "Connection",
                "close"));
        private String body = Visitor.encode(decision(page));

        private String cookie() {
            return page.response()
                    .headers()
                    .firstValue("Set-Cookie")
                    .orElseThrow()
                    .replaceFirst(";.*", "");
        }

        Forgery header(String name, String value) {
            if (value == null) {
                headers.remove(name);
            } else {
                headers.put(name, value);
            }
            return this;
        }

        Forgery body(String text) {
            body = text;
            return this;
        }

        int send() throws IOException {
            var request = new StringBuilder("POST /act HTTP/1.1\r\n");
            headers.forEach((name, value) ->
                    request.append(name).append(": ").append(value).append("\r\n"));
            request.append("Content-Length: ")
                    .append(body.length())
                    .append("\r\n\r\n")
                    .append(body);
            return status(raw(request.toString().getBytes(StandardCharsets.ISO_8859_1)));
        }
    }

    @Test
    void decision_asABrowserSendsIt_isTaken() throws IOException {
        assertThat(new Forgery().send()).isEqualTo(303);
        assertThat(shop.standing(key).state()).isEqualTo(State.COMPLETED);
    }

    @Test
    void decision_fromElsewhere_isRefused() throws IOException {
        String token = decision(ada.key(Shop.SCOPE, order)).get("token");
        String withoutToken = Visitor.encode(Map.of(
                "scope",
                Shop.SCOPE,
                "key",
                order,
                "version",
                "2",
                "act",
                "executed",
                "by",
                "mallory",
                "why",
                "a",
                "evidence",
                "b",
                "confirmed",
                "yes"));

        assertThat(new Forgery().body(withoutToken).send()).isEqualTo(403);
        assertThat(new Forgery().body(withoutToken + "&token=").send()).isEqualTo(403);
        assertThat(new Forgery().body(withoutToken + "&token=" + token).send())
                .as("the token of another session")
                .isEqualTo(403);
        assertThat(new Forgery().header("Cookie", null).send()).isEqualTo(403);
        assertThat(new Forgery()
                        .header("Cookie", "idempotency-session=" + "0".repeat(32))
                        .send())
                .isEqualTo(403);
        assertThat(new Forgery().header("Origin", null).send()).isEqualTo(403);
        assertThat(new Forgery().header("Origin", "null").send()).isEqualTo(403);
        assertThat(new Forgery().header("Origin", "http://evil.example").send()).isEqualTo(403);
        assertThat(new Forgery().header("Origin", "http://127.0.0.1:1").send()).isEqualTo(403);
        assertThat(new Forgery().header("Sec-Fetch-Site", "cross-site").send()).isEqualTo(403);
        assertThat(new Forgery().header("Sec-Fetch-Site", "same-site").send()).isEqualTo(403);
        assertThat(new Forgery().header("Content-Type", "text/plain").send()).isEqualTo(415);
        assertThat(new Forgery()
                        .header("Content-Type", "multipart/form-data; boundary=x")
                        .send())
                .isEqualTo(415);
        assertUnchanged();
    }

    @Test
    void hosts_thatTheConsoleDoesNotKnow_areRefused() throws IOException {
        String evil = "evil.example:" + console.uri().getPort();

        assertThat(status(raw("GET / HTTP/1.1", "Host: " + evil, "Connection: close", "", "")))
                .isEqualTo(403);
        assertThat(status(raw("GET / HTTP/1.1", "Host: 127.0.0.1", "Connection: close", "", "")))
                .isEqualTo(403);
        assertThat(status(raw("GET / HTTP/1.0", "Connection: close", "", ""))).isEqualTo(403);
        assertThat(status(raw("GET / HTTP/1.1", "Host: " + host(), "Host: " + evil, "Connection: close", "", "")))
                .isEqualTo(403);
        assertThat(new Forgery()
                        .header("Host", evil)
                        .header("Origin", "http://" + evil)
                        .send())
                .isEqualTo(403);
        assertThat(status(raw(
                        "GET / HTTP/1.1", "Host: localhost:" + console.uri().getPort(), "Connection: close", "", "")))
                .isEqualTo(200);
        assertUnchanged();
    }

    @Test
    void pathsAndMethods_thatAreNotThere_areRefused() throws IOException {
        for (String path : List.of("/nowhere", "/act/", "/key/x", "/..", "/%2e%2e/etc/passwd", "/console.css/x")) {
            assertThat(status(raw("GET " + path + " HTTP/1.1", "Host: " + host(), "Connection: close", "", "")))
                    .as(path)
                    .isEqualTo(404);
        }
        for (String method : List.of("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST", "BREW")) {
            assertThat(status(raw(method + " / HTTP/1.1", "Host: " + host(), "Connection: close", "", "")))
                    .as(method)
                    .isEqualTo(405);
        }
        assertThat(status(raw("GET /act HTTP/1.1", "Host: " + host(), "Connection: close", "", "")))
                .isEqualTo(405);
        String head = raw("HEAD / HTTP/1.1", "Host: " + host(), "Connection: close", "", "");
        assertThat(status(head)).isEqualTo(200);
        assertThat(head).endsWith("\r\n\r\n").doesNotContain("<html");
        assertUnchanged();
    }

    @Test
    void requests_thatAreTooLarge_areRefused() throws IOException {
        String large = "a=" + "x".repeat(600 * 1024);

        assertThat(new Forgery().body(large).send()).isEqualTo(413);
        assertThat(status(raw(
                        "POST /act HTTP/1.1",
                        "Host: " + host(),
                        "Origin: http://" + host(),
                        "Content-Type: application/x-www-form-urlencoded",
                        "Transfer-Encoding: chunked",
                        "Connection: close",
                        "",
                        Integer.toHexString(large.length()),
                        large,
                        "0",
                        "",
                        "")))
                .isEqualTo(413);
        assertThat(status(raw("GET /?scope=" + "x".repeat(9000) + " HTTP/1.1", "Host: " + host(), "", "")))
                .isEqualTo(414);
        assertThat(status(raw("GET / HTTP/1.1", "Host: " + host(), "X: " + "x".repeat(40_000), "", "")))
                .isEqualTo(431);
        assertUnchanged();
    }

    @Test
    void forms_thatAreNotWellFormed_areRefused() throws IOException {
        assertThat(new Forgery().body("%").send()).isEqualTo(400);
        assertThat(new Forgery().body("a=%zz").send()).isEqualTo(400);
        assertThat(new Forgery().body("a=%ff%fe").send()).isEqualTo(400);
        assertThat(new Forgery().body("scope=a&scope=b").send()).isEqualTo(400);
        assertThat(new Forgery().body("a=\u00e9").send()).isEqualTo(400);
        assertThat(new Forgery().body("").send()).isEqualTo(403);
        var form = ada.key(Shop.SCOPE, order).form("/act");
        assertThat(ada.submit(form, Map.of("version", "two")).status()).isEqualTo(400);
        assertThat(ada.submit(form, Map.of("scope", "")).status()).isEqualTo(400);
        assertThat(ada.submit(form, Map.of("act", "drop", "by", "a", "why", "b", "evidence", "c", "confirmed", "yes"))
                        .status())
                .isEqualTo(400);
        assertUnchanged();
    }

    @Test
    void answers_ofAllKinds_haveTheHeadersThatGuardThem() {
        Page act = ada.submit(ada.key(Shop.SCOPE, order).form("/act"), Map.of());
        for (Page page : List.of(ada.open(""), ada.open("console.css"), ada.open("nowhere"), ada.open("act"), act)) {
            var headers = page.response().headers();
            assertThat(headers.firstValue("Content-Security-Policy"))
                    .contains("default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none';"
                            + " frame-ancestors 'none'");
            assertThat(headers.firstValue("X-Content-Type-Options")).contains("nosniff");
            assertThat(headers.firstValue("Referrer-Policy")).contains("same-origin");
            assertThat(headers.firstValue("Cache-Control")).contains("no-store");
            assertThat(headers.firstValue("X-Frame-Options")).contains("DENY");
        }
        assertThat(new Visitor(console.uri())
                        .open("")
                        .response()
                        .headers()
                        .firstValue("Set-Cookie")
                        .orElseThrow())
                .matches("idempotency-session=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Strict");
    }

    @Test
    void people_ofATokenFile_areWhoTheySignInAs() throws IOException {
        Path people =
                Files.writeString(directory.resolve("people"), "# who\n\nada:" + ADAS + "\ngrace:" + GRACES + "\n");
        try (OperationsConsole signedIn = Consoles.builder(PLACE.store(), Duration.ZERO)
                .authenticator(Authenticator.tokenFile(people))
                .start()) {
            var uri = signedIn.uri();
            var asAda = new Visitor(uri, Visitor.basic("ada", ADAS));
            var asGrace = new Visitor(uri, "Bearer " + GRACES);

            for (String wrong : List.of(
                    "Basic",
                    "Bearer ",
                    "Bearer " + ADAS + "x",
                    "Digest x",
                    "Basic !!",
                    Visitor.basic("grace", ADAS),
                    Visitor.basic("", ADAS),
                    Visitor.basic("ada", ""))) {
                Page page = new Visitor(uri, wrong).key(Shop.SCOPE, order);
                assertThat(page.status()).as(wrong).isEqualTo(401);
                assertThat(page.document().text()).doesNotContain(order);
            }
            Page nobody = new Visitor(uri).open("");
            assertThat(nobody.status()).isEqualTo(401);
            assertThat(nobody.response().headers().firstValue("WWW-Authenticate"))
                    .contains("Basic realm=\"idempotency\", charset=\"UTF-8\"");
            assertThat(new Visitor(uri).open("console.css").status()).isEqualTo(401);

            Page page = asAda.key(Shop.SCOPE, order);
            assertThat(page.document().select("[name=by]")).isEmpty();
            assertThat(asGrace.key(Shop.SCOPE, order).document().select(".user").text())
                    .isEqualTo("You are grace");
            Map<String, String> asMallory = decision(page);
            asMallory.put("by", "mallory");
            assertThat(asGrace.post(asMallory).status())
                    .as("the form of somebody else")
                    .isEqualTo(403);
            Page done = asAda.post(asMallory);

            assertThat(done.status()).isEqualTo(200);
            assertThat(PLACE.store().audit(key, null, 10))
                    .allSatisfy(entry -> assertThat(entry.who()).isEqualTo("ada"));
        }
    }

    @Test
    void authenticator_thatFailsOrGivesANameThatMisleads_letsNobodyIn() {
        for (Authenticator broken : List.<Authenticator>of(
                header -> {
                    throw new IllegalStateException("no directory");
                },
                header -> "a\u202Eb",
                header -> "")) {
            try (OperationsConsole signedIn = Consoles.builder(PLACE.store(), Duration.ZERO)
                    .authenticator(broken)
                    .start()) {
                Page page = new Visitor(signedIn.uri()).key(Shop.SCOPE, order);

                assertThat(page.status()).isIn(403, 500);
                assertThat(page.document().text()).doesNotContain(order);
            }
        }
    }
}
