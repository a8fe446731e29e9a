package dev.idempotency.slack.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/** All messages, and apart from them the posts of the app in their order. Thread-safe. */
final class Ledger {
    private final Map<String, ConcurrentSkipListMap<String, Message>> channels = new ConcurrentHashMap<>();
    private final List<Message> posts = new ArrayList<>();

    Ledger(Set<String> channels) {
        channels.forEach(channel -> this.channels.put(channel, new ConcurrentSkipListMap<>()));
    }

    boolean hasChannel(String channel) {
        return channels.containsKey(channel);
    }

    void add(Message message) {
        channels.computeIfAbsent(message.channel(), channel -> new ConcurrentSkipListMap<>())
                .put(message.ts(), message);
        if (message.isOwn()) {
            synchronized (posts) {
                posts.add(message);
            }
        }
    }

    /** What the app has posted so far, in order. */
    List<Message> posts() {
        synchronized (posts) {
            return List.copyOf(posts);
        }
    }

    /** The messages of a channel that are in no thread, begin one or were broadcast, newest first. */
    List<Message> history(String channel) {
        return channels.getOrDefault(channel, new ConcurrentSkipListMap<>()).descendingMap().values().stream()
                .filter(message -> !message.isReply() || message.isBroadcast())
                .filter(Message::isVisible)
                .toList();
    }

    /** A message and the replies to it, oldest first; empty when there is no such message. */
    List<Message> thread(String channel, String ts) {
        var messages = channels.getOrDefault(channel, new ConcurrentSkipListMap<>());
        if (!messages.containsKey(ts)) {
            return List.of();
        }
        return messages.tailMap(ts).values().stream()
                .filter(message -> message.ts().equals(ts) || ts.equals(message.threadTs()))
                .filter(Message::isVisible)
                .toList();
    }
}
