package dev.idempotency.slack.testkit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Slack's methods, as far as an app that replies needs them. Their faults are those of the day. Thread-safe. */
final class WebApi implements HttpHandler {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int MAX_BODY = 1 << 20;
    private static final int MAX_TEXT = 40_000;
    private static final int MOST = 1000;
    private static final int PAGE = 100;
    private static final String PATH = "/api/";

    /** One method. */
    interface Method {
        /**
         * Answers a call whose token is right.
         *
         * @param args the arguments by name; nested ones are JSON
         */
        Answer call(Map<String, JsonNode> args);
    }

    /**
     * An answer.
     *
     * @param retryAfterSeconds 0 for none
     * @param isCut whether the connection ends in the middle of it
     * @param delay how late it is
     */
    record Answer(int status, ObjectNode body, int retryAfterSeconds, boolean isCut, Duration delay) {
        static Answer of(ObjectNode body) {
            return new Answer(200, body, 0, false, Duration.ZERO);
        }

        static Answer error(String error) {
            return of(WebApi.failed(error));
        }

        Answer cut() {
            return new Answer(status, body, retryAfterSeconds, true, delay);
        }

        Answer delayed(Duration by) {
            return new Answer(status, body, retryAfterSeconds, isCut, by);
        }
    }

    private final Map<String, Method> methods = new ConcurrentHashMap<>();
    private final Ledger ledger;
    private final Timestamps timestamps;
    private final Faults faults;
    private final Duration slow;
    private final Duration lag;
    private final Consumer<Message> posted;

    /**
     * The methods of a workspace.
     *
     * @param slow how late slow answers are
     * @param lag how long a post is not yet in the history
     * @param posted hears of each post of the app
     */
    WebApi(Ledger ledger, Timestamps timestamps, Faults faults, Duration slow, Duration lag, Consumer<Message> posted) {
        this.ledger = ledger;
        this.timestamps = timestamps;
        this.faults = faults;
        this.slow = slow;
        this.lag = lag;
        this.posted = posted;
        methods.put("auth.test", args -> authTest());
        methods.put("chat.postMessage", this::postMessage);
        methods.put("conversations.history", args -> lookup(args, "history " + text(args, "channel"), this::history));
        methods.put(
                "conversations.replies",
                args -> lookup(args, "replies " + text(args, "channel") + text(args, "ts"), this::replies));
    }

    /** Adds a method, by its name in the address. */
    void add(String name, Method method) {
        methods.put(name, method);
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY);
        Answer answer;
        try {
            answer = answer(exchange, body);
        } catch (RuntimeException e) {
            answer = Answer.error("invalid_arguments");
        }
        Answer decided = answer;
        if (decided.delay().isZero()) {
            send(exchange, decided);
        } else {
            CompletableFuture.delayedExecutor(decided.delay().toMillis(), TimeUnit.MILLISECONDS)
                    .execute(() -> sendLate(exchange, decided));
        }
    }

    private Answer answer(HttpExchange exchange, byte[] body) throws JsonProcessingException {
        String path = exchange.getRequestURI().getPath();
        String name = path.startsWith(PATH) ? path.substring(PATH.length()) : path;
        Method method = methods.get(name);
        if (method == null) {
            return Answer.error("unknown_method");
        }
        Map<String, JsonNode> args = args(exchange, new String(body, StandardCharsets.UTF_8));
        String authorization =
                Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst("Authorization"), "");
        String token = authorization.startsWith("Bearer ") ? authorization.substring(7) : text(args, "token");
        if (token.isEmpty()) {
            return Answer.error("not_authed");
        }
        boolean isOfTheApp = name.startsWith("apps.");
        return token.equals(isOfTheApp ? Workspace.APP_TOKEN : Workspace.BOT_TOKEN)
                ? method.call(args)
                : Answer.error("invalid_auth");
    }

    private static Map<String, JsonNode> args(HttpExchange exchange, String body) throws JsonProcessingException {
        var args = new TreeMap<String, JsonNode>();
        String query = exchange.getRequestURI().getRawQuery();
        if (query != null) {
            form(query, args);
        }
        String type = Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst("Content-Type"), "");
        if (type.startsWith("application/json") && !body.isBlank()) {
            MAPPER.readTree(body).properties().forEach(field -> args.put(field.getKey(), field.getValue()));
        } else if (type.startsWith("application/x-www-form-urlencoded")) {
            form(body, args);
        }
        return args;
    }

    private static void form(String text, Map<String, JsonNode> args) {
        for (String part : text.split("&", -1)) {
            int equals = part.indexOf('=');
            if (equals > 0) {
                args.put(decoded(part.substring(0, equals)), JSON.textNode(decoded(part.substring(equals + 1))));
            }
        }
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private static String text(Map<String, JsonNode> args, String name) {
        JsonNode value = args.get(name);
        return value == null || value.isNull() ? "" : value.asText();
    }

    private static Answer authTest() {
        return Answer.of(ok().put("url", "https://simulated.slack.com/")
                .put("team", "Simulated")
                .put("user", "the app")
                .put("team_id", Workspace.TEAM)
                .put("user_id", Workspace.BOT_USER)
                .put("bot_id", Workspace.BOT)
                .put("is_enterprise_install", false));
    }

    private Answer postMessage(Map<String, JsonNode> args) {
        String channel = text(args, "channel");
        String text = text(args, "text");
        if (!ledger.hasChannel(channel)) {
            return Answer.error("channel_not_found");
        }
        if (text.isEmpty() || text.length() > MAX_TEXT) {
            return Answer.error(text.isEmpty() ? "no_text" : "msg_too_long");
        }
        JsonNode metadata = metadata(args.get("metadata"));
        if (metadata != null
                && (!metadata.path("event_type").isTextual()
                        || !metadata.path("event_payload").isObject())) {
            return Answer.error("invalid_metadata_format");
        }
        String thread = text(args, "thread_ts");
        PostFault fault = faults.nextPost(channel + thread + text);
        if (fault == PostFault.RATE_LIMITED) {
            return rateLimited();
        }
        if (fault == PostFault.ERROR_BEFORE) {
            return serverError();
        }
        var message = new Message(
                channel,
                timestamps.next(),
                thread.isEmpty() ? null : thread,
                Workspace.BOT_USER,
                text,
                false,
                true,
                metadata,
                System.nanoTime() + lag.toNanos());
        ledger.add(message);
        posted.accept(message);
        ObjectNode body = ok().put("channel", channel).put("ts", message.ts());
        body.set("message", shown(message, metadata != null));
        return switch (fault) {
            case REPLY_CUT -> Answer.of(body).cut();
            case REPLY_SLOW -> Answer.of(body).delayed(slow);
            case ERROR_AFTER -> serverError();
            case FATAL_AFTER -> Answer.error("fatal_error");
            case INTERNAL_AFTER -> Answer.error("internal_error");
            default -> Answer.of(body);
        };
    }

    /** In a form it is text that holds JSON. */
    private static @Nullable JsonNode metadata(@Nullable JsonNode arg) {
        if (arg == null || !arg.isTextual()) {
            return arg;
        }
        try {
            return MAPPER.readTree(arg.asText());
        } catch (JsonProcessingException e) {
            return JSON.objectNode();
        }
    }

    private Answer lookup(Map<String, JsonNode> args, String about, Method method) {
        return switch (faults.nextLookup(about)) {
            case LOOKUP_ERROR -> serverError();
            case LOOKUP_RATE_LIMITED -> rateLimited();
            default -> method.call(args);
        };
    }

    private Answer history(Map<String, JsonNode> args) {
        String channel = text(args, "channel");
        return ledger.hasChannel(channel)
                ? page(ledger.history(channel), args, PAGE)
                : Answer.error("channel_not_found");
    }

    private Answer replies(Map<String, JsonNode> args) {
        String channel = text(args, "channel");
        if (!ledger.hasChannel(channel)) {
            return Answer.error("channel_not_found");
        }
        List<Message> thread = ledger.thread(channel, text(args, "ts"));
        return thread.isEmpty() ? Answer.error("thread_not_found") : page(thread, args, MOST);
    }

    /** Slack's bounds leave themselves out, unless told otherwise. */
    private static Answer page(List<Message> all, Map<String, JsonNode> args, int usual) {
        String oldest = text(args, "oldest");
        String latest = text(args, "latest");
        boolean isInclusive = text(args, "inclusive").equals("true");
        String cursor = text(args, "cursor");
        int limit = text(args, "limit").isEmpty() ? usual : Integer.parseInt(text(args, "limit"));
        if (limit < 1 || limit > MOST) {
            return Answer.error("invalid_limit");
        }
        if (!cursor.isEmpty() && !cursor.matches("next:\\d{1,9}")) {
            return Answer.error("invalid_cursor");
        }
        List<Message> within = all.stream()
                .filter(message -> isAfter(message.ts(), oldest, isInclusive))
                .filter(message -> latest.isEmpty() || isAfter(latest, message.ts(), isInclusive))
                .toList();
        int from = cursor.isEmpty() ? 0 : Math.min(within.size(), Integer.parseInt(cursor.substring(5)));
        int to = Math.min(within.size(), from + limit);
        ObjectNode body = ok();
        var messages = body.putArray("messages");
        boolean withMetadata = text(args, "include_all_metadata").equals("true");
        within.subList(from, to).forEach(message -> messages.add(shown(message, withMetadata)));
        boolean hasMore = to < within.size();
        body.put("has_more", hasMore).putObject("response_metadata").put("next_cursor", hasMore ? "next:" + to : "");
        return Answer.of(body);
    }

    private static boolean isAfter(String ts, String bound, boolean isInclusive) {
        if (bound.isEmpty()) {
            return true;
        }
        int compared = new BigDecimal(ts).compareTo(new BigDecimal(bound));
        return isInclusive ? compared >= 0 : compared > 0;
    }

    private static ObjectNode shown(Message message, boolean withMetadata) {
        ObjectNode shown = JSON.objectNode()
                .put("type", "message")
                .put("user", message.user())
                .put("text", message.text())
                .put("ts", message.ts())
                .put("team", Workspace.TEAM);
        if (message.threadTs() != null) {
            shown.put("thread_ts", message.threadTs());
        }
        if (message.isOwn()) {
            shown.put("bot_id", Workspace.BOT).put("app_id", Workspace.APP);
        }
        if (withMetadata && message.metadata() != null) {
            shown.set("metadata", message.metadata());
        }
        return shown;
    }

    static ObjectNode ok() {
        return JSON.objectNode().put("ok", true);
    }

    private static ObjectNode failed(String error) {
        return JSON.objectNode().put("ok", false).put("error", error);
    }

    private static Answer rateLimited() {
        return new Answer(429, failed("ratelimited"), 1, false, Duration.ZERO);
    }

    private static Answer serverError() {
        return new Answer(500, failed("service_unavailable"), 0, false, Duration.ZERO);
    }

    private static void sendLate(HttpExchange exchange, Answer answer) {
        try {
            send(exchange, answer);
        } catch (IOException e) {
            // Nobody waits for it any more: so it was meant.
        }
    }

    private static void send(HttpExchange exchange, Answer answer) throws IOException {
        byte[] bytes = answer.body().toString().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json; charset=utf-8");
        if (answer.retryAfterSeconds() > 0) {
            exchange.getResponseHeaders().set("Retry-After", Integer.toString(answer.retryAfterSeconds()));
        }
        try (exchange) {
            exchange.sendResponseHeaders(answer.status(), bytes.length);
            exchange.getResponseBody().write(bytes, 0, answer.isCut() ? bytes.length / 2 : bytes.length);
        }
    }
}
