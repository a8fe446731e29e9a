package dev.idempotency.examples.slack.events;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.slack.EventsEndpoint;
import dev.idempotency.slack.MalformedEventException;
import dev.idempotency.slack.SlackEvent;
import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.SlackKeys;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Sends recorded payloads, signed, to an endpoint of its own, and prints what it answers and by which key each is known again.
 * Socket Mode's envelopes are unwrapped, its other frames are left out.
 */
final class Replay {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final String SECRET = "replayed";
    private static final Set<String> FRAMES = Set.of("hello", "disconnect", "goodbye");

    private final PrintStream out;
    private final TreeMap<Integer, Integer> statuses = new TreeMap<>();
    private final Set<String> keys = new HashSet<>();
    private int leftOut;
    private int again;

    Replay(PrintStream out) {
        this.out = out;
    }

    /**
     * Replays a folder.
     *
     * @return 0 if each payload was answered with 200, else 1
     */
    int run(Path folder) throws IOException, InterruptedException {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(file -> file.toString().endsWith(".json"))
                    .sorted()
                    .toList();
        }
        var store = CaffeineIdempotencyStore.create(Math.max(1, files.size()));
        var inbox = Inbox.builder(store.inbox(), "slack").build();
        try (SlackIntake intake = SlackIntake.builder(inbox).build()) {
            var endpoint = EventsEndpoint.builder(intake).signingSecrets(SECRET).build();
            try (WebServer server = WebServer.start(0, endpoint.httpHandler())) {
                var uri = URI.create("http://127.0.0.1:" + server.port() + AppSettings.PATH);
                var slack = new SignedPost(uri, SECRET);
                for (Path file : files) {
                    replay(file, slack);
                }
            }
        }
        String answers = statuses.entrySet().stream()
                .map(entry -> "status-" + entry.getKey() + "=" + entry.getValue())
                .collect(Collectors.joining(" "));
        out.println("files=" + files.size() + " left-out=" + leftOut + " " + answers + " keys=" + keys.size()
                + " repeated=" + again);
        return statuses.keySet().stream().allMatch(status -> status == 200) ? 0 : 1;
    }

    private void replay(Path file, SignedPost slack) throws IOException, InterruptedException {
        JsonNode payload;
        try {
            payload = MAPPER.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            leftOut++;
            print(file, "not JSON", "-", "-");
            return;
        }
        String type = payload.path("type").asText();
        if (payload.has("envelope_id")) {
            payload = payload.path("payload");
        } else if (FRAMES.contains(type)) {
            leftOut++;
            print(file, "frame " + type, "-", "-");
            return;
        }
        SlackEvent event;
        try {
            event = SlackEvent.parse(payload.toString().getBytes(StandardCharsets.UTF_8));
        } catch (MalformedEventException e) {
            int status = send(slack, payload.toString(), SignedPost.JSON);
            print(file, "malformed", Integer.toString(status), "-");
            return;
        }
        int status = send(slack, body(event), isForm(event) ? SignedPost.FORM : SignedPost.JSON);
        String key = event.kind() == SlackEvent.Kind.URL_VERIFICATION ? "-" : SlackKeys.delivery(event);
        if (!key.equals("-") && !keys.add(key)) {
            again++;
        }
        String kind = event.kind() + " " + event.type() + (event.subtype() == null ? "" : ":" + event.subtype());
        print(
                file,
                kind,
                Integer.toString(status),
                key
                        + SlackKeys.message(event)
                                .map(message -> "  message " + message)
                                .orElse(""));
    }

    private void print(Path file, String kind, String status, String key) {
        out.println(file.getFileName() + "  " + kind + "  " + status + "  " + key);
    }

    private static boolean isForm(SlackEvent event) {
        return event.kind() == SlackEvent.Kind.INTERACTIVE || event.kind() == SlackEvent.Kind.SLASH_COMMAND;
    }

    /** As Slack sends it over HTTP: interactions as one field of a form, slash commands as many. */
    private static String body(SlackEvent event) {
        JsonNode payload = event.payload();
        return switch (event.kind()) {
            case INTERACTIVE -> field("payload", payload.toString());
            case SLASH_COMMAND ->
                StreamSupport.stream(payload.properties().spliterator(), false)
                        .map(entry -> field(entry.getKey(), entry.getValue().asText()))
                        .collect(Collectors.joining("&"));
            default -> payload.toString();
        };
    }

    private static String field(String name, String value) {
        return name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    private int send(SignedPost slack, String body, String type) throws IOException, InterruptedException {
        int status = slack.send(body, type);
        statuses.merge(status, 1, Integer::sum);
        return status;
    }
}
