package dev.idempotency.slack.testkit;

import dev.idempotency.slack.testkit.LogicalEvent.Due;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Compares what people did with what the app posted. A post belongs to the event whose token it repeats; one without a token
 * belongs to its thread, there to an event that has no reply yet if there is one.
 */
final class Judge {
    private static final int TOLD = 20;

    /** What was found. */
    record Verdict(
            int events, int effects, int duplicates, int lost, int unasked, int notDelivered, List<String> wrong) {}

    private final Map<String, LogicalEvent> byToken = new HashMap<>();
    private final Map<String, List<LogicalEvent>> byThread = new HashMap<>();
    private final Map<LogicalEvent, List<Message>> replies = new HashMap<>();
    private final List<String> wrong = new ArrayList<>();
    private int duplicates;
    private int unasked;

    private Judge(List<LogicalEvent> events) {
        for (LogicalEvent event : events) {
            byToken.put(event.token(), event);
            for (String thread : event.threads()) {
                byThread.computeIfAbsent(event.channel() + thread, key -> new ArrayList<>())
                        .add(event);
            }
        }
    }

    static Verdict judge(List<LogicalEvent> events, List<Message> posts) {
        return new Judge(events).verdict(events, posts);
    }

    private Verdict verdict(List<LogicalEvent> events, List<Message> posts) {
        posts.forEach(this::attribute);
        int due = 0;
        int lost = 0;
        int notDelivered = 0;
        for (LogicalEvent event : events) {
            boolean hasReply = replies.containsKey(event);
            if (event.due() == Due.ONE || (event.due() == Due.AT_MOST_ONE && hasReply)) {
                due++;
            }
            if (event.due() == Due.ONE && !hasReply) {
                tell(event.isAcked() ? "lost" : "not delivered", event, null);
                lost += event.isAcked() ? 1 : 0;
                notDelivered += event.isAcked() ? 0 : 1;
            }
        }
        return new Verdict(due, posts.size(), duplicates, lost, unasked, notDelivered, List.copyOf(wrong));
    }

    private void attribute(Message post) {
        LogicalEvent event = eventOf(post);
        if (event == null || event.due() == Due.NONE) {
            unasked++;
            tell("unasked", event, post);
            return;
        }
        List<Message> before = replies.computeIfAbsent(event, key -> new ArrayList<>());
        if (before.stream().anyMatch(reply -> isAbout(post, reply))) {
            unasked++;
            tell("a reply to itself", event, post);
        } else if (!before.isEmpty()) {
            duplicates++;
            tell("duplicate", event, post);
        }
        if (!isAtHome(event, post)) {
            unasked++;
            tell("in the wrong place", event, post);
        }
        before.add(post);
    }

    /** Whether a post repeats the app's own, and more: then it was the app's own message that was replied to. */
    private static boolean isAbout(Message post, Message own) {
        return post.text().length() > own.text().length() && post.text().contains(own.text());
    }

    private static boolean isAtHome(LogicalEvent event, Message post) {
        return event.channel().equals(post.channel())
                && post.threadTs() != null
                && event.threads().contains(post.threadTs());
    }

    private @Nullable LogicalEvent eventOf(Message post) {
        String token = LogicalEvent.tokenIn(post.text());
        if (token != null) {
            return byToken.get(token);
        }
        List<LogicalEvent> inThread = byThread.getOrDefault(post.channel() + post.threadTs(), List.of());
        return inThread.stream()
                .filter(event -> event.due() != Due.NONE && !replies.containsKey(event))
                .findFirst()
                .orElseGet(() -> inThread.stream()
                        .filter(event -> event.due() != Due.NONE)
                        .findFirst()
                        .orElse(inThread.isEmpty() ? null : inThread.get(0)));
    }

    private void tell(String what, @Nullable LogicalEvent event, @Nullable Message post) {
        if (wrong.size() < TOLD) {
            wrong.add(what + ": " + (event == null ? "nothing that is known" : event)
                    + (post == null ? "" : ", post " + post.ts() + " in " + post.channel() + " " + post.threadTs()));
        }
    }
}
