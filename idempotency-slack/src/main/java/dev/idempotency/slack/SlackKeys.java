package dev.idempotency.slack;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.EntityVersion;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * By what a delivery is known again. Three layers, because Slack repeats itself in three ways: the same event (retries), the
 * same message under another event, and the same act of a user as another message. Each key names the app: Slack has sent one
 * event to two apps. Pure functions.
 *
 * <p>Not used, because they do not identify anything: {@code event_context}, the id of an envelope, {@code edited.ts}, the retry
 * headers.
 *
 * @since 0.1.0
 */
public final class SlackKeys {
    private static final Set<String> WRITTEN_BY_USERS = Set.of("", "file_share", "thread_broadcast");
    private static final int LONGEST = 200;
    private static final BigDecimal MICROS = BigDecimal.valueOf(1_000_000);
    private static final BigDecimal LATEST = BigDecimal.valueOf(Long.MAX_VALUE);

    private SlackKeys() {}

    /**
     * Layer 1: the delivery. Every retry of it has the same key, over HTTP and over Socket Mode.
     *
     * <ul>
     *   <li>events: {@code app:event_id}
     *   <li>{@code app_rate_limited}: {@code app:app_rate_limited:team:minute}
     *   <li>interactions: {@code app:type:} and the view with its hash and trigger, or the action with its time, or the trigger
     *   <li>slash commands: {@code app:command:trigger}
     *   <li>whatever has none of these: a digest of its bytes
     * </ul>
     *
     * @param event what was delivered
     * @return 1 to {@value IdempotencyKey#MAX_VALUE} characters
     */
    public static String delivery(SlackEvent event) {
        List<String> id = switch (event.kind()) {
            case EVENT -> all(event.eventId());
            case RATE_LIMITED ->
                all(
                        "app_rate_limited",
                        event.teamId(),
                        text(event.payload().path("minute_rate_limited").asText("")));
            case INTERACTIVE -> interaction(event);
            case SLASH_COMMAND -> all("command", SlackEvent.text(event.payload(), "trigger_id"));
            case URL_VERIFICATION, OTHER -> List.of();
        };
        if (id.isEmpty()) {
            return unreadable(event.bytes());
        }
        return key(Stream.concat(Stream.of(app(event)), id.stream()).toArray(String[]::new));
    }

    /** Layer 1 of what was read from a channel's history, where nothing has an {@code event_id}. */
    static Optional<String> history(SlackEvent event) {
        return message(event).map(message -> "history:" + event.type() + ":" + message);
    }

    private static List<String> interaction(SlackEvent event) {
        var payload = event.payload();
        var view = payload.path("view");
        String trigger = SlackEvent.text(payload, "trigger_id");
        List<String> viewed = all(event.type(), SlackEvent.text(view, "id"), SlackEvent.text(view, "hash"));
        if (event.type().startsWith("view_") && !viewed.isEmpty()) {
            // A view that is sent again after it was found wrong has the same hash.
            return with(viewed, trigger);
        }
        var action = payload.path("actions").path(0);
        String when = SlackEvent.text(action, "action_ts");
        if (when == null) {
            when = SlackEvent.text(payload, "action_ts");
        }
        List<String> acted = all(event.type(), event.user(), when);
        if (acted.isEmpty()) {
            return all(event.type(), trigger);
        }
        String on = SlackEvent.text(payload.path("container"), "message_ts");
        return with(with(acted, on), SlackEvent.text(action, "action_id"));
    }

    /**
     * Layer 2: the message, whatever event tells of it. A {@code message} and an {@code app_mention} of one message have the same
     * key; each of its edits has its own, and so has its deletion.
     *
     * @param event what was delivered
     * @return {@code app:channel:ts}, with {@code :changed:event_ts} for an edit and {@code :deleted} for a deletion; empty for
     *     what tells of no message
     */
    public static Optional<String> message(SlackEvent event) {
        return message(event, event.channel());
    }

    /** The same in a channel that was renamed. */
    static Optional<String> message(SlackEvent event, @Nullable String channel) {
        String ts = messageTs(event);
        if (channel == null || ts == null) {
            return Optional.empty();
        }
        return switch (subtype(event)) {
            case "message_changed" ->
                Optional.ofNullable(event.eventTs()).map(when -> key(app(event), channel, ts, "changed", when));
            case "message_deleted" -> Optional.of(key(app(event), channel, ts, "deleted"));
            default -> Optional.of(key(app(event), channel, ts));
        };
    }

    /**
     * Layer 3: what a user did once, although Slack made two messages of it.
     *
     * @param event what was delivered
     * @return {@code app:team:channel:user:client_msg_id} for a message that a user has written; empty for whatever does not
     *     carry the id itself, as edits, deletions and messages of bots
     */
    public static Optional<String> clientMessage(SlackEvent event) {
        String id = event.clientMessageId();
        String team = event.teamId();
        String channel = event.channel();
        String user = event.user();
        boolean written = isMessage(event) && WRITTEN_BY_USERS.contains(subtype(event));
        if (!written || id == null || team == null || channel == null || user == null) {
            return Optional.empty();
        }
        return Optional.of(key(app(event), team, channel, user, id));
    }

    /**
     * The message whose versions are told apart.
     *
     * @param event what was delivered
     * @return {@code app:channel:ts} of the message, of an edit and of its deletion alike; empty for what tells of no message
     */
    public static Optional<String> entity(SlackEvent event) {
        return entity(event, event.channel());
    }

    static Optional<String> entity(SlackEvent event, @Nullable String channel) {
        String ts = messageTs(event);
        return channel == null || ts == null ? Optional.empty() : Optional.of(key(app(event), channel, ts));
    }

    /**
     * Which state of its message an event tells of: by {@code event_ts}, in microseconds. {@code edited.ts} would not do, it
     * has seconds only.
     *
     * @param event what was delivered
     * @return the version; empty for what tells of no message, or of no time
     */
    public static Optional<EntityVersion> version(SlackEvent event) {
        String when = event.eventTs() == null ? event.ts() : event.eventTs();
        if (messageTs(event) == null || when == null) {
            return Optional.empty();
        }
        // A message and its app_mention tell of one state.
        String tieBreak = event.eventId() == null || !isChange(event) ? "" : key(event.eventId());
        return micros(when)
                .map(number ->
                        new EntityVersion(number, tieBreak, subtype(event).equals("message_deleted")));
    }

    /** Some timestamps come without the dot. */
    private static Optional<Long> micros(String ts) {
        if (!ts.matches("[0-9]{1,18}(\\.[0-9]{1,9})?")) {
            return Optional.empty();
        }
        var number = new BigDecimal(ts);
        boolean inMicros = ts.indexOf('.') < 0 && ts.length() > 12;
        BigDecimal micros = inMicros ? number : number.multiply(MICROS);
        return micros.compareTo(LATEST) > 0 ? Optional.empty() : Optional.of(micros.longValue());
    }

    private static @Nullable String messageTs(SlackEvent event) {
        if (!isMessage(event)) {
            return null;
        }
        return switch (subtype(event)) {
            case "message_changed" ->
                orPrevious(event, SlackEvent.text(event.event().path("message"), "ts"));
            case "message_deleted" -> orPrevious(event, SlackEvent.text(event.event(), "deleted_ts"));
            // Tells of a thread's parent, which it does not change.
            case "message_replied" -> null;
            default -> event.ts();
        };
    }

    private static @Nullable String orPrevious(SlackEvent event, @Nullable String ts) {
        return ts != null ? ts : SlackEvent.text(event.event().path("previous_message"), "ts");
    }

    private static boolean isMessage(SlackEvent event) {
        return event.kind() == SlackEvent.Kind.EVENT
                && (event.type().equals("message") || event.type().equals("app_mention"));
    }

    private static String subtype(SlackEvent event) {
        return Objects.requireNonNullElse(event.subtype(), "");
    }

    /** Whether the event tells of what became of a message later. */
    static boolean isChange(SlackEvent event) {
        String subtype = subtype(event);
        return isMessage(event) && (subtype.equals("message_changed") || subtype.equals("message_deleted"));
    }

    /** A message, as events of one type tell of it. */
    static String ofType(String message, String type) {
        String typed = message + ":" + type;
        return typed.length() <= LONGEST && type.matches("[a-z_]+") ? typed : digested(message, type);
    }

    private static String app(SlackEvent event) {
        return Objects.requireNonNullElse(event.appId(), "-");
    }

    private static @Nullable String text(String value) {
        return value.isEmpty() ? null : value;
    }

    /** Empty when one is missing. */
    private static List<String> all(@Nullable String... parts) {
        var present = Arrays.stream(parts).filter(Objects::nonNull).toList();
        return present.size() == parts.length ? present : List.of();
    }

    private static List<String> with(List<String> parts, @Nullable String more) {
        return more == null
                ? parts
                : Stream.concat(parts.stream(), Stream.of(more)).toList();
    }

    /** Slack's ids are short and have no strange characters; what is else stands there as a digest. */
    private static String key(String... parts) {
        String key = String.join(":", parts);
        boolean isPlain = key.length() <= LONGEST
                && key.chars().allMatch(c -> c > ' ' && c <= '~')
                && Arrays.stream(parts).noneMatch(part -> part.indexOf(':') >= 0);
        return isPlain ? key : digested(parts);
    }

    static String digested(String... parts) {
        String framed =
                Arrays.stream(parts).map(part -> part.length() + ":" + part).collect(Collectors.joining());
        return "sha256:" + digest(framed.getBytes(StandardCharsets.UTF_8));
    }

    static String unreadable(byte[] bytes) {
        return "bytes:" + digest(bytes);
    }

    private static String digest(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
