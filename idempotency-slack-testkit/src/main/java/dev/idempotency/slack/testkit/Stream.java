package dev.idempotency.slack.testkit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.idempotency.slack.testkit.LogicalEvent.Due;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What happens in the workspace, and how Slack tells of it: in what shapes, how often, under how many names and in what order.
 * The same seed gives the same happenings, with the times and ids of their day. Not thread-safe.
 */
final class Stream {
    private static final List<String> OTHER_TYPES = List.of(
            "reaction_added",
            "member_joined_channel",
            "member_left_channel",
            "channel_rename",
            "team_join",
            "user_change");
    private static final int MOST_COPIES = 10;
    private static final int RECENT = 200;

    private final SplittableRandom random;
    private final Timestamps timestamps;
    private final Ledger ledger;
    private final EventJson json;
    private final List<Message> recent = new ArrayList<>();
    private final List<LogicalEvent> events = new ArrayList<>();
    private final Map<String, Integer> quirks = new TreeMap<>();
    private long tokens;

    Stream(long seed, Timestamps timestamps, Ledger ledger, EventJson json) {
        this.random = new SplittableRandom(seed);
        this.timestamps = timestamps;
        this.ledger = ledger;
        this.json = json;
    }

    /** All that somebody did so far. */
    List<LogicalEvent> events() {
        return events;
    }

    /** How often which oddity was chosen so far. */
    Map<String, Integer> quirks() {
        return quirks;
    }

    /** The next happening: all deliveries that come of it, with their times from now. */
    List<Planned> next() {
        double kind = random.nextDouble();
        if (kind < 0.06) {
            return otherType();
        } else if (kind < 0.11) {
            return otherBot();
        } else if (kind < 0.12) {
            return rateLimited();
        } else if (kind < 0.125) {
            String challenge = "challenge-" + random.nextLong(Long.MAX_VALUE);
            return List.of(
                    new Planned(new Delivery(EventJson.urlVerification(challenge), null, 0, challenge), Duration.ZERO));
        }
        return person();
    }

    private boolean chance(double probability, String quirk) {
        boolean isChosen = random.nextDouble() < probability;
        if (isChosen) {
            quirks.merge(quirk, 1, Integer::sum);
        }
        return isChosen;
    }

    private String channel() {
        return Workspace.channel(random.nextInt(Workspace.channelCount()));
    }

    private String someone() {
        return Workspace.person(random.nextInt(Workspace.personCount()));
    }

    private String nextToken() {
        return "ref-" + Long.toString(1_000_000 + tokens++, 36);
    }

    /** In Slack's time. */
    private Duration seconds(int from, int to) {
        return Duration.ofMillis(random.nextLong(from * 1000L, to * 1000L));
    }

    private List<Planned> otherType() {
        quirks.merge("a type nobody handles", 1, Integer::sum);
        String type = OTHER_TYPES.get(random.nextInt(OTHER_TYPES.size()));
        ObjectNode event = EventJson.other(type, channel(), someone(), timestamps.next(), timestamps.next());
        return List.of(new Planned(Delivery.of(json.callback(event), null), Duration.ZERO));
    }

    private List<Planned> otherBot() {
        quirks.merge("a bot's message", 1, Integer::sum);
        String token = nextToken();
        Message message =
                Message.ofPerson(channel(), timestamps.next(), null, Workspace.OTHER_BOT_USER, "Build " + token, false);
        ledger.add(message);
        ObjectNode event = random.nextBoolean()
                ? EventJson.classicBotPost(message)
                : EventJson.botPost(message, Workspace.OTHER_BOT_USER, Workspace.OTHER_BOT, Workspace.OTHER_APP);
        LogicalEvent logical = logical(token, "a bot's message", Due.NONE, message.channel(), Set.of(message.ts()));
        return List.of(new Planned(Delivery.of(json.callback(event), logical), Duration.ZERO));
    }

    private List<Planned> rateLimited() {
        quirks.merge("app_rate_limited", 1, Integer::sum);
        var delivery = Delivery.of(EventJson.rateLimited(Instant.now().getEpochSecond() / 60 * 60), null);
        return List.of(new Planned(delivery, Duration.ZERO), new Planned(delivery, Duration.ZERO));
    }

    private LogicalEvent logical(String token, String what, Due due, String channel, Set<String> threads) {
        var event = new LogicalEvent(token, what, due, channel, threads);
        events.add(event);
        return event;
    }

    /** A message of a person, which asks for one reply. */
    private List<Planned> person() {
        Message root =
                !recent.isEmpty() && chance(0.2, "in a thread") ? recent.get(random.nextInt(recent.size())) : null;
        boolean isBroadcast = root != null && chance(0.2, "thread_broadcast");
        boolean hasFile = !isBroadcast && chance(0.05, "file_share");
        boolean isGuest = chance(0.05, "Slack Connect");
        boolean isMention = !isBroadcast && !hasFile && chance(0.25, "message and app_mention");
        boolean isTwice = root == null && !hasFile && !isMention && chance(0.05, "two ts, one client_msg_id");
        String user = isGuest ? Workspace.guest(random.nextInt(Workspace.personCount())) : someone();
        String token = nextToken();
        String text = (isMention ? "<@" + Workspace.BOT_USER + "> " : "") + "Please look at " + token;
        String channel = root == null ? channel() : root.channel();
        String thread = root == null ? null : root.threadTs() == null ? root.ts() : root.threadTs();
        Message message = Message.ofPerson(channel, timestamps.next(), thread, user, text, isBroadcast);
        remember(message);
        ObjectNode event = EventJson.message(
                message, clientMsgId(), isBroadcast ? "thread_broadcast" : hasFile ? "file_share" : null);
        if (hasFile) {
            EventJson.withFile(event, "F" + message.ts().replace(".", ""));
        }
        ObjectNode payload = isGuest ? json.sharedCallback(event) : json.callback(event);

        var threads = new LinkedHashSet<String>();
        threads.add(thread == null ? message.ts() : thread);
        ObjectNode second = isTwice ? again(payload, message, threads) : null;
        boolean isDeleted = second == null && chance(0.05, "deleted");
        LogicalEvent logical = logical(
                token,
                event.path("subtype").asText(isMention ? "mention" : "message"),
                isDeleted ? Due.AT_MOST_ONE : Due.ONE,
                channel,
                threads);

        var planned = new ArrayList<Planned>();
        // What comes after a message may be told before it.
        boolean isOvertaken = chance(0.04, "told late");
        Duration start = isOvertaken ? seconds(5, 60) : Duration.ZERO;
        told(planned, payload, logical, start);
        if (isMention) {
            ObjectNode mention = payload.deepCopy();
            mention.set("event", EventJson.mention(event, random.nextBoolean()));
            told(planned, json.underAnotherId(mention), logical, random.nextBoolean() ? Duration.ZERO : seconds(0, 20));
        }
        if (second != null) {
            told(planned, second, logical, random.nextInt(3) == 0 ? Duration.ZERO : seconds(5, 60));
        }
        afterwards(planned, event, message, isDeleted);
        return planned;
    }

    private @Nullable String clientMsgId() {
        return new UUID(random.nextLong(), random.nextLong()).toString();
    }

    private void remember(Message message) {
        ledger.add(message);
        if (recent.size() < RECENT) {
            recent.add(message);
        } else {
            recent.set(random.nextInt(RECENT), message);
        }
    }

    /** The client sent it twice: another message for Slack, the same for the person. */
    private ObjectNode again(ObjectNode payload, Message message, Set<String> threads) {
        String ts = timestamps.next();
        ledger.add(Message.ofPerson(message.channel(), ts, null, message.user(), message.text(), false));
        threads.add(ts);
        ObjectNode second = json.underAnotherId(payload);
        ((ObjectNode) second.path("event")).put("ts", ts).put("event_ts", ts);
        return second;
    }

    /** One telling, with all that Slack may make of it. */
    private void told(List<Planned> planned, ObjectNode payload, LogicalEvent logical, Duration start) {
        Delivery delivery = Delivery.of(payload, logical);
        if (chance(0.03, "first heard of as a retry")) {
            delivery = delivery.claimingRetry(1 + random.nextInt(3));
        }
        planned.add(new Planned(delivery, start));
        if (chance(0.08, "delivered again although acknowledged")) {
            int copies = 1 + random.nextInt(5);
            for (int i = 0; i < copies; i++) {
                Duration after = random.nextBoolean() ? start : start.plus(seconds(0, 120));
                planned.add(new Planned(random.nextBoolean() ? delivery : delivery.claimingRetry(1 + i % 3), after));
            }
        }
        if (chance(0.04, "under other event ids")) {
            Duration after = start;
            for (int i = 0; i < MOST_COPIES && (i == 0 || random.nextInt(4) > 0); i++) {
                after = after.plus(seconds(10, 90));
                planned.add(new Planned(Delivery.of(json.underAnotherId(payload), logical), after));
            }
        }
    }

    /** Edits and a deletion, told in or out of order. */
    private void afterwards(List<Planned> planned, ObjectNode event, Message message, boolean isDeleted) {
        int edits = chance(0.06, "edited") ? 1 + random.nextInt(3) : 0;
        for (int i = 0; i < edits; i++) {
            String token = nextToken();
            LogicalEvent edit = logical(token, "an edit", Due.NONE, message.channel(), Set.of(thread(message)));
            ObjectNode changed = EventJson.changed(event, "Better look at " + token, timestamps.next());
            planned.add(new Planned(Delivery.of(json.callback(changed), edit), seconds(0, 60)));
        }
        if (isDeleted) {
            ObjectNode deleted = EventJson.deleted(event, timestamps.next());
            planned.add(new Planned(Delivery.of(json.callback(deleted), null), seconds(0, 60)));
        }
    }

    private static String thread(Message message) {
        return message.threadTs() == null ? message.ts() : message.threadTs();
    }

    /** What Slack tells the app of its own post; sometimes also that a link in it was unfurled. */
    static List<Planned> echo(Message post, EventJson json, Timestamps timestamps, boolean isUnfurled) {
        ObjectNode event = EventJson.botPost(post, Workspace.BOT_USER, Workspace.BOT, Workspace.APP);
        var planned = new ArrayList<Planned>();
        planned.add(new Planned(Delivery.of(json.callback(event), null), Duration.ZERO));
        if (isUnfurled) {
            ObjectNode changed = EventJson.changed(event, post.text(), timestamps.next());
            ((ObjectNode) changed.path("message")).remove("edited");
            planned.add(new Planned(Delivery.of(json.callback(changed), null), Duration.ofSeconds(2)));
        }
        return planned;
    }
}
