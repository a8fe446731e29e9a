package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxStore;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads messages that Slack did not deliver from the history of their channel, and puts them into the inbox as if it had. Each has
 * the identity that its event has: a message that was handled is not handled again, and an event that Slack delivers later is a
 * duplicate of what was read. To do so twice changes nothing. Thread-safe.
 *
 * <p>What it brings back are messages, in channels and in threads, with the text that they have now. It does not bring back edits,
 * deletions, reactions or any other event, nor {@code channel_type}, which no history names. The token needs the scope that reads
 * the history of the channel.
 *
 * @since 0.1.0
 */
public final class SlackBackfill {
    private static final String HISTORY = "conversations.history";
    private static final String REPLIES = "conversations.replies";
    private static final String TS = "[0-9]{1,18}(\\.[0-9]{1,9})?";

    /** What a message has gained since it was written. */
    private static final List<String> GAINED = List.of(
            "reply_count", "reply_users", "reply_users_count", "latest_reply", "is_locked", "subscribed", "last_read");

    private final Inbox inbox;
    private final SlackWebApi api;
    private final String appId;
    private final String teamId;
    private final @Nullable String botUser;
    private final Duration olderThreads;
    private final Duration remembered;
    private final int page;
    private final Clock clock;

    private SlackBackfill(Builder builder) {
        inbox = builder.inbox;
        api = builder.api;
        appId = builder.appId;
        teamId = builder.teamId;
        botUser = builder.botUser;
        olderThreads = builder.olderThreads;
        remembered = builder.remembered;
        page = builder.page;
        clock = builder.clock;
    }

    /**
     * What was found.
     *
     * @param accepted how many events are in the inbox now that were not known there; those that a worker has handled as another
     *     event are among them, and are duplicates when they are handled
     * @param known how many were brought back before
     */
    public record Filled(int accepted, int known) {}

    /**
     * Describes a backfill for one installation of the app.
     *
     * @param inbox where Slack's deliveries go
     * @param api how to reach Slack. What it says about waiting is kept to: where {@code conversations.history} may be called once a
     *     minute, set that, and let calls wait for longer than a minute
     * @param appId the app's id, as Slack names it in {@code api_app_id}: it is part of what messages are known by
     * @param teamId the workspace's id, as Slack names it in {@code team_id}
     * @return a builder with the default settings
     * @throws NullPointerException if an argument is null
     */
    public static Builder builder(Inbox inbox, SlackWebApi api, String appId, String teamId) {
        return new Builder(inbox, api, appId, teamId);
    }

    /** Settings of a backfill. Not thread-safe. */
    public static final class Builder {
        private final Inbox inbox;
        private final SlackWebApi api;
        private final String appId;
        private final String teamId;
        private @Nullable String botUser;
        private Duration olderThreads = Duration.ZERO;
        private Duration remembered = Duration.ofHours(3);
        private int page = 200;
        private Clock clock = Clock.systemUTC();

        private Builder(Inbox inbox, SlackWebApi api, String appId, String teamId) {
            this.inbox = Objects.requireNonNull(inbox, "inbox");
            this.api = Objects.requireNonNull(api, "api");
            this.appId = Objects.requireNonNull(appId, "appId");
            this.teamId = Objects.requireNonNull(teamId, "teamId");
        }

        /**
         * Names the app's bot user. Messages that mention it are brought back as {@code app_mention} too, and what it has written is
         * known as the app's own.
         *
         * @param user its id, as {@code U0123456789}
         * @return this
         * @throws NullPointerException if {@code user} is null
         */
        public Builder botUser(String user) {
            botUser = Objects.requireNonNull(user, "user");
            return this;
        }

        /**
         * Looks for replies in threads that began before the gap, too: as long before it as this, not at all by default. Costs the
         * reading of that much more history.
         *
         * @param value zero or more
         * @return this
         * @throws IllegalArgumentException if {@code value} is negative
         */
        public Builder olderThreads(Duration value) {
            if (value.isNegative()) {
                throw new IllegalArgumentException("olderThreads is " + value + "; it must be zero or more");
            }
            olderThreads = value;
            return this;
        }

        /**
         * Sets how long messages that were handled are known again: what {@link SlackWorker.Builder#retention} of the workers is, 3
         * hours by default there and here. A gap that began before that is not filled, because what was handled then would be handled
         * again.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if {@code value} is not more than zero
         */
        public Builder remembered(Duration value) {
            remembered = Bounds.positive("remembered", value);
            return this;
        }

        /**
         * Sets how many messages are asked for at once, 200 by default. Slack may send fewer.
         *
         * @param messages 1 to 999
         * @return this
         * @throws IllegalArgumentException if {@code messages} is out of range
         */
        public Builder page(int messages) {
            if (messages < 1 || messages > 999) {
                throw new IllegalArgumentException("page is " + messages + "; it must be 1 to 999");
            }
            page = messages;
            return this;
        }

        /**
         * Sets the clock that the beginning of a gap is held against; the system's by default.
         *
         * @param value a clock
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder clock(Clock value) {
            clock = Objects.requireNonNull(value, "value");
            return this;
        }

        /**
         * Makes the backfill.
         *
         * @return a backfill
         */
        public SlackBackfill build() {
            return new SlackBackfill(this);
        }
    }

    /** One filling of one gap. */
    private final class Gap {
        private final String channel;
        private final BigDecimal since;
        private int accepted;
        private int known;

        Gap(String channel, BigDecimal since) {
            this.channel = channel;
            this.since = since;
        }

        void fill() throws InterruptedException {
            BigDecimal from = since.subtract(BigDecimal.valueOf(olderThreads.toMillis(), 3))
                    .max(BigDecimal.ZERO);
            Map<String, @Nullable Object> arguments = arguments(from);
            JsonNode answer;
            do {
                answer = api.call(HISTORY, arguments);
                for (JsonNode message : answer.path("messages")) {
                    bring(message);
                    if (isSince(message, "latest_reply")) {
                        replies(message.path("ts").asText());
                    }
                }
            } while (hasMore(answer, arguments));
        }

        private void replies(String thread) throws InterruptedException {
            Map<String, @Nullable Object> arguments = arguments(since);
            arguments.put("ts", thread);
            JsonNode answer;
            do {
                answer = api.call(REPLIES, arguments);
                for (JsonNode message : answer.path("messages")) {
                    // The thread's first message comes with it, however old it is.
                    bring(message);
                }
            } while (hasMore(answer, arguments));
        }

        private Map<String, @Nullable Object> arguments(BigDecimal from) {
            Map<String, @Nullable Object> arguments = new HashMap<>();
            arguments.put("channel", channel);
            arguments.put("oldest", from.toPlainString());
            arguments.put("inclusive", true);
            arguments.put("limit", page);
            return arguments;
        }

        private boolean hasMore(JsonNode answer, Map<String, @Nullable Object> arguments) {
            String next = SlackEvent.text(answer.path("response_metadata"), "next_cursor");
            arguments.put("cursor", next);
            return next != null;
        }

        private boolean isSince(JsonNode message, String name) {
            String ts = SlackEvent.text(message, name);
            return ts != null && ts.matches(TS) && new BigDecimal(ts).compareTo(since) >= 0;
        }

        private void bring(JsonNode message) {
            boolean isTrace = message.path("subtype").asText("").equals("tombstone");
            if (message instanceof ObjectNode found && isSince(message, "ts") && !isTrace) {
                offer("message", found);
                if (isMention(found)) {
                    offer("app_mention", found);
                }
            }
        }

        private boolean isMention(JsonNode message) {
            String text = message.path("text").asText("");
            return botUser != null && (text.contains("<@" + botUser + ">") || text.contains("<@" + botUser + "|"));
        }

        private void offer(String type, ObjectNode message) {
            byte[] told = told(type, message).toString().getBytes(StandardCharsets.UTF_8);
            Optional<String> key = SlackKeys.history(SlackEvent.parse(told));
            if (key.isEmpty()) {
                return;
            }
            var offered = inbox.offer(key.get(), told, Map.of("transport", "HISTORY", "type", type));
            if (offered == InboxStore.Offered.ACCEPTED) {
                accepted++;
            } else {
                known++;
            }
        }

        /** As Slack would have told it when it was written. */
        private ObjectNode told(String type, ObjectNode message) {
            String ts = message.path("ts").asText();
            ObjectNode inner = message.deepCopy();
            inner.remove(GAINED);
            if (inner.path("thread_ts").asText("").equals(ts)) {
                inner.remove("thread_ts");
            }
            inner.put("type", type).put("channel", channel).put("event_ts", ts);
            ObjectNode payload = SlackEvent.JSON
                    .createObjectNode()
                    .put("type", "event_callback")
                    .put("team_id", teamId)
                    .put("api_app_id", appId)
                    .put("event_time", new BigDecimal(ts).longValue());
            payload.set("event", inner);
            if (botUser != null) {
                payload.putArray("authorizations")
                        .addObject()
                        .put("team_id", teamId)
                        .put("user_id", botUser)
                        .put("is_bot", true);
            }
            return payload;
        }
    }

    /**
     * Brings back what was written in a channel since a moment. What was brought back before it fails stays in the inbox: call it
     * again, with the same moment.
     *
     * @param channel the channel's id
     * @param since the {@code ts} from which on messages are brought back, this one too: of the last message that is known to have
     *     arrived, or seconds since 1970. Rather too early than too late
     * @return what was found
     * @throws IllegalArgumentException if {@code since} is not as Slack writes it, or so long ago that messages which were handled
     *     are not {@link Builder#remembered remembered} any more
     * @throws SlackApiException if Slack refuses, or does not answer
     * @throws dev.idempotency.store.StoreException if the inbox fails
     * @throws InterruptedException if the thread was interrupted
     */
    public Filled fill(String channel, String since) throws InterruptedException {
        Objects.requireNonNull(channel, "channel");
        if (!since.matches(TS)) {
            throw new IllegalArgumentException("since is no ts");
        }
        var from = new BigDecimal(since);
        Duration ago = Duration.between(Instant.ofEpochSecond(from.longValue()), clock.instant());
        if (ago.compareTo(remembered) > 0) {
            throw new IllegalArgumentException("since is " + ago + " ago; what was handled is remembered for "
                    + remembered + ", and would be handled again. See remembered(Duration)");
        }
        var gap = new Gap(channel, from);
        gap.fill();
        return new Filled(gap.accepted, gap.known);
    }
}
