package dev.idempotency.cli;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import dev.idempotency.Admin;
import dev.idempotency.Admin.Ruling;
import dev.idempotency.RefusedException;
import dev.idempotency.store.StoreException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Every request comes through here: what is refused, who it is, which page answers, and the headers of each answer. Thread-safe. */
final class Gate implements HttpHandler {
    private static final Logger LOG = LoggerFactory.getLogger(Gate.class);
    private static final int MOST_RUNNING = 1000;
    private static final int LARGEST_BODY = 512 * 1024;
    private static final int LARGEST_DRAINED = 4 * 1024 * 1024;
    private static final int LARGEST_HEADERS = 32 * 1024;
    private static final int LONGEST_QUERY = 8 * 1024;
    private static final String LATE = "The store has not answered in time.";
    private static final String LATE_ACT =
            "The store has not answered in time, and the decision may have been recorded. Open"
                    + " the key again, and look; the very same decision is never recorded twice.";
    private static final String LATE_TOGETHER =
            "The store has not answered in time, and some of the decisions may have been recorded. Send the very same form again:"
                    + " none is recorded twice, and you see what became of each key.";
    private static final Set<String> PAGES = Set.of("/", "/key", "/next", "/overrides", "/audit", "/console.css");
    private static final Set<String> FORMS = Set.of("/act", "/look", "/choose", "/decide");
    private static final byte[] CSS = resource("console.css");

    private final Pages pages;
    private final Deeds deeds;
    private final @Nullable Authenticator authenticator;
    private final Set<String> hosts;
    private final Semaphore running = new Semaphore(MOST_RUNNING);
    private final byte[] secret = Session.random(32);
    private final PageLimit limit;
    private final WrongSecrets wrongSecrets = new WrongSecrets();

    Gate(
            Admin admin,
            ConsoleSettings settings,
            @Nullable Authenticator authenticator,
            Set<String> hosts,
            PageLimit limit) {
        this.limit = limit;
        this.pages = new Pages(admin, settings);
        this.deeds = new Deeds(admin);
        this.authenticator = authenticator;
        this.hosts = Set.copyOf(hosts);
    }

    private static byte[] resource(String name) {
        try (InputStream in = Gate.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the jar has no " + name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until no request runs, or for so long. */
    void awaitIdle(Duration atMost) {
        try {
            if (running.tryAcquire(MOST_RUNNING, atMost.toMillis(), TimeUnit.MILLISECONDS)) {
                running.release(MOST_RUNNING);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        running.acquireUninterruptibly();
        try {
            answer(exchange);
        } finally {
            running.release();
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            Headers request = exchange.getRequestHeaders();
            Session session = Session.of(request.getFirst("Cookie"));
            Response response = respond(exchange, session);
            Headers headers = exchange.getResponseHeaders();
            guard(headers);
            headers.set("Content-Type", response.type());
            if (session.isNew() && response.status() == 200) {
                headers.set("Set-Cookie", session.cookie());
            }
            if (response.cookie() != null) {
                headers.add("Set-Cookie", response.cookie());
            }
            if (response.location() != null) {
                headers.set("Location", response.location().text());
            }
            if (response.status() == 401) {
                headers.set("WWW-Authenticate", "Basic realm=\"idempotency\", charset=\"UTF-8\"");
            }
            if (response.status() == 405) {
                headers.set("Allow", FORMS.contains(exchange.getRequestURI().getPath()) ? "POST" : "GET, HEAD");
            }
            if (response.status() >= 400) {
                // What is left of the request is not read.
                headers.set("Connection", "close");
            }
            boolean isEmpty = exchange.getRequestMethod().equals("HEAD") || response.body().length == 0;
            exchange.sendResponseHeaders(response.status(), isEmpty ? -1 : response.body().length);
            if (!isEmpty) {
                exchange.getResponseBody().write(response.body());
            }
        }
    }

    private static void guard(Headers headers) {
        headers.set(
                "Content-Security-Policy",
                "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("X-Frame-Options", "DENY");
        // Not no-referrer: browsers would then send forms with the origin "null".
        headers.set("Referrer-Policy", "same-origin");
        headers.set("Cross-Origin-Opener-Policy", "same-origin");
        headers.set("Cross-Origin-Resource-Policy", "same-origin");
        headers.set("Cache-Control", "no-store");
    }

    private Response respond(HttpExchange exchange, Session session) {
        String user = null;
        try {
            Headers headers = exchange.getRequestHeaders();
            requireSmall(exchange);
            requireKnownHost(headers);
            user = requireUser(exchange);
            String typed = user == null ? session.typedName(secret, headers.getFirst("Cookie")) : "";
            return route(exchange, session, new Visit(user, session.token(secret, user), typed));
        } catch (Refusal refusal) {
            return Response.page(refusal.status(), Pages.message(user, refusal.status(), refusal.text()));
        } catch (Failure failure) {
            int status = Pages.status(failure);
            return Response.page(status, Pages.message(user, status, failure.text()));
        } catch (StoreException failed) {
            Failure failure = Failure.ofRead(failed);
            return Response.page(503, Pages.message(user, 503, failure.text()));
        } catch (RuntimeException fault) {
            LOG.error("A page failed", fault);
            return Response.page(
                    500, Pages.message(user, 500, "Something unexpected happened; the console's log says what."));
        }
    }

    private static void requireSmall(HttpExchange exchange) {
        long size = 0;
        for (var header : exchange.getRequestHeaders().entrySet()) {
            for (String value : header.getValue()) {
                size += header.getKey().length() + (value == null ? 0 : value.length());
            }
        }
        if (size > LARGEST_HEADERS) {
            throw new Refusal(431, "The request's headers are too large.");
        }
        String query = exchange.getRequestURI().getRawQuery();
        if (query != null && query.length() > LONGEST_QUERY) {
            throw new Refusal(414, "The address is too long.");
        }
    }

    private void requireKnownHost(Headers headers) {
        String host = only(headers, "Host");
        if (host == null || !hosts.contains(host.toLowerCase(Locale.ROOT))) {
            throw new Refusal(
                    403,
                    "This console is not reached by that host name. It is started with the names that it is reached by: with"
                            + " --allow-host, or allowHost in a program; with the port, unless it is the usual one.");
        }
    }

    private @Nullable String requireUser(HttpExchange exchange) {
        Authenticator asked = authenticator;
        if (asked == null) {
            return null;
        }
        Headers headers = exchange.getRequestHeaders();
        InetAddress from = exchange.getRemoteAddress().getAddress();
        boolean brings = headers.containsKey("Authorization");
        if (brings) {
            wrongSecrets.requireFew(from);
        }
        String user = limit.within(() -> Optional.ofNullable(asked.user(headers::getFirst)), LATE)
                .orElse(null);
        if (user == null) {
            if (brings) {
                wrongSecrets.met(from);
            }
            throw new Refusal(401, "Say who you are.");
        }
        try {
            return new Ruling(user, "-", "-").who();
        } catch (IllegalArgumentException e) {
            throw new Refusal(403, "The audit trail cannot take that name.");
        }
    }

    private static @Nullable String only(Headers headers, String name) {
        List<String> values = headers.get(name);
        return values == null || values.size() != 1 ? null : values.get(0);
    }

    private Response route(HttpExchange exchange, Session session, Visit visit) {
        String method = exchange.getRequestMethod();
        String path = String.valueOf(exchange.getRequestURI().getRawPath());
        boolean isForm = FORMS.contains(path);
        if (!isForm && !PAGES.contains(path)) {
            throw new Refusal(404, "There is no such page.");
        }
        if (isForm ? !method.equals("POST") : !method.equals("GET") && !method.equals("HEAD")) {
            throw new Refusal(405, "This page does not take such a request.");
        }
        if (isForm) {
            return form(exchange, session, visit, path);
        }
        Fields fields = fields(exchange.getRequestURI().getRawQuery());
        return switch (path) {
            case "/" -> limit.within(() -> Response.page(200, pages.unresolved(visit, fields)), LATE);
            case "/key" -> limit.within(() -> Response.page(200, pages.key(visit, fields)), LATE);
            case "/next" -> limit.within(() -> Response.see(pages.next(fields)), LATE);
            case "/overrides" -> limit.within(() -> Response.page(200, pages.overrides(visit)), LATE);
            case "/audit" -> limit.within(() -> Response.page(200, pages.audit(visit, fields)), LATE);
            default -> Response.css(CSS);
        };
    }

    private Response form(HttpExchange exchange, Session session, Visit visit, String path) {
        Headers headers = exchange.getRequestHeaders();
        requireSameOrigin(headers);
        String type = only(headers, "Content-Type");
        if (type == null || !type.matches("(?i)application/x-www-form-urlencoded\\s*(;\\s*charset=utf-8)?")) {
            throw new Refusal(415, "This page takes forms only.");
        }
        Fields fields = fields(body(exchange));
        if (!session.isToken(secret, visit.user(), fields.text("token"))) {
            throw new Refusal(403, "The form is not one of this session: open the key again, and send it from there.");
        }
        return switch (path) {
            case "/look" -> limit.within(() -> look(session, visit, fields), LATE);
            case "/choose" -> limit.within(() -> Response.page(200, pages.together(visit, fields, List.of())), LATE);
            case "/decide" -> limit.within(() -> decide(session, visit, fields), LATE_TOGETHER);
            default -> limit.within(() -> act(session, visit, fields), LATE_ACT);
        };
    }

    private Response look(Session session, Visit visit, Fields fields) {
        try {
            String who = deeds.looker(visit, fields);
            var known = new Visit(visit.user(), visit.token(), visit.user() == null ? who : "");
            return remembering(session, visit, fields, Response.page(200, pages.look(known, who, fields)));
        } catch (Problems problems) {
            return Response.page(422, pages.keyAgain(visit, fields, problems.list()));
        }
    }

    private Response decide(Session session, Visit visit, Fields fields) {
        try {
            List<Together.Outcome> outcomes = deeds.together(visit, fields);
            return remembering(session, visit, fields, Response.page(200, pages.outcomes(visit, fields, outcomes)));
        } catch (Problems problems) {
            return Response.page(422, pages.together(visit, fields, problems.list()));
        }
    }

    /** So that whoever does not sign in types his name once. */
    private Response remembering(Session session, Visit visit, Fields fields, Response response) {
        return visit.user() == null
                ? response.with(session.nameCookie(secret, fields.text("by").strip()))
                : response;
    }

    private Response act(Session session, Visit visit, Fields fields) {
        try {
            return remembering(session, visit, fields, Response.see(deeds.act(visit, fields)));
        } catch (Problems problems) {
            return Response.page(422, pages.keyAgain(visit, fields, problems.list()));
        } catch (RefusedException refused) {
            return again(visit, fields, Failure.of(refused));
        } catch (StoreException failed) {
            return again(visit, fields, Failure.of(failed));
        } catch (Failure failure) {
            return again(visit, fields, failure);
        }
    }

    /** The same page with what went wrong, as far as the store lets it be shown. */
    private Response again(Visit visit, Fields fields, Failure failure) {
        int status = Pages.status(failure);
        var text = failure.text() + (failure.until() == null ? "" : " (from " + failure.until() + " on)");
        try {
            return Response.page(status, pages.keyAgain(visit, fields, List.of(new Problems.Problem(null, text))));
        } catch (StoreException | Failure e) {
            return Response.page(status, Pages.message(visit.user(), status, text));
        }
    }

    /** Browsers say with each form where it comes from. */
    private static void requireSameOrigin(Headers headers) {
        String host = String.valueOf(only(headers, "Host")).toLowerCase(Locale.ROOT);
        String origin = only(headers, "Origin");
        boolean isSame = origin != null
                && (origin.equalsIgnoreCase("http://" + host) || origin.equalsIgnoreCase("https://" + host));
        String site = only(headers, "Sec-Fetch-Site");
        if (!isSame || (site != null && !site.equals("same-origin"))) {
            throw new Refusal(403, "The form comes from elsewhere.");
        }
    }

    private static Fields fields(@Nullable String encoded) {
        try {
            return Fields.parse(encoded);
        } catch (IllegalArgumentException e) {
            throw new Refusal(400, "The request is not well formed.");
        }
    }

    private static String body(HttpExchange exchange) {
        try {
            InputStream in = exchange.getRequestBody();
            byte[] body = in.readNBytes(LARGEST_BODY + 1);
            if (body.length > LARGEST_BODY) {
                // A client that still sends when the connection is closed does not get the answer.
                drain(in);
                throw new Refusal(413, "The form is too large: it may have " + LARGEST_BODY + " bytes.");
            }
            return new String(body, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new Refusal(400, "The request broke off.");
        }
    }

    private static void drain(InputStream in) throws IOException {
        var some = new byte[16 * 1024];
        for (int read = 0; read < LARGEST_DRAINED; ) {
            int more = in.read(some);
            if (more < 0) {
                return;
            }
            read += more;
        }
    }
}
