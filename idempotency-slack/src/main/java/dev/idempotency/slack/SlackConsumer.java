package dev.idempotency.slack;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * One part of an app that wants to hear of some events. Consumers do not disturb each other: each handles an event once for itself,
 * and one that fails or leaves an event out takes it from no other. Immutable.
 *
 * <pre>{@code
 * SlackConsumer.named("greeter")
 *         .on("message", "app_mention")
 *         .where(event -> event.threadTs() == null)
 *         .handle((event, context) -> post.execute(reply(event, context.key("reply"))));
 * }</pre>
 *
 * @since 0.1.0
 */
public final class SlackConsumer {
    private static final String MESSAGE = "message:";

    private final String name;
    private final List<String> routes;
    private final Predicate<SlackEvent> filter;
    private final SlackHandler handler;
    private final boolean newestOnly;

    private SlackConsumer(Builder builder, SlackHandler handler) {
        this.name = builder.name;
        this.routes = List.copyOf(builder.routes);
        this.filter = builder.filter;
        this.newestOnly = builder.newestOnly;
        this.handler = Objects.requireNonNull(handler, "handler");
    }

    /**
     * Describes a consumer.
     *
     * @param name its name, which is part of its keys and must not change: 1 to 40 letters, digits, dots, hyphens and underscores
     * @return a builder; what it is to hear of is still to be set
     * @throws NullPointerException if {@code name} is null
     * @throws IllegalArgumentException if it is not as it should be
     */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** Settings of a consumer. Not thread-safe. */
    public static final class Builder {
        private final String name;
        private final List<String> routes = new ArrayList<>();
        private Predicate<SlackEvent> filter = event -> true;
        private boolean newestOnly;

        private Builder(String name) {
            if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,39}")) {
                throw new IllegalArgumentException(
                        "name is '" + name + "'; it must be 1 to 40 letters, digits, dots, hyphens and underscores");
            }
            this.name = name;
        }

        /**
         * Sets what the consumer hears of: by type, as {@code "reaction_added"}; for messages, the type alone means those
         * without a subtype, {@code "message:file_share"} those with that one, and {@code "message:*"} all. Slash commands by
         * their name, as {@code "/deploy"}; interactions by their type, as {@code "block_actions"}; everything by {@code "*"}.
         *
         * @param types one or more
         * @return this
         * @throws IllegalArgumentException if one is blank
         */
        public Builder on(String... types) {
            for (String type : types) {
                if (type.isBlank()) {
                    throw new IllegalArgumentException("types has a blank one");
                }
                routes.add(type);
            }
            return this;
        }

        /**
         * Leaves out what the consumer does not want. An event that is left out counts as not handled: the same message in another
         * event is not taken for a duplicate.
         *
         * @param wanted quick, and the same for the same event; replaces an earlier one
         * @return this
         * @throws NullPointerException if {@code wanted} is null
         */
        public Builder where(Predicate<SlackEvent> wanted) {
            filter = Objects.requireNonNull(wanted, "wanted");
            return this;
        }

        /**
         * Drops every state of a message that is older than one that this consumer has handled, the message itself too. For
         * consumers that keep copies of messages: an edit has all of the message in it. Without it, an edit or a deletion is
         * dropped when it is older than one that was handled, and a message is never dropped.
         *
         * @return this
         */
        public Builder newestOnly() {
            newestOnly = true;
            return this;
        }

        /**
         * Makes the consumer.
         *
         * @param handler what it does
         * @return a consumer
         * @throws NullPointerException if {@code handler} is null
         * @throws IllegalStateException if it is to hear of nothing
         */
        public SlackConsumer handle(SlackHandler handler) {
            if (routes.isEmpty()) {
                throw new IllegalStateException("consumer " + name + " is to hear of nothing: call on(...)");
            }
            return new SlackConsumer(this, handler);
        }
    }

    String name() {
        return name;
    }

    boolean hears(SlackEvent event) {
        String type = event.type();
        String subtype = event.subtype();
        String exact = subtype == null || !type.equals("message") ? type : MESSAGE + subtype;
        return routes.contains("*")
                || routes.contains(exact)
                || (type.equals("message") && routes.contains("message:*"));
    }

    /**
     * Whether this event is dropped when a newer state of its message was handled. A message is a thing of its own to whoever
     * answers it: the edit that Slack makes when it unfurls a link says nothing about that.
     */
    boolean isOrdered(SlackEvent event) {
        return newestOnly || (!handler.tellsTypesApart() && SlackKeys.isChange(event));
    }

    boolean wants(SlackEvent event) {
        return filter.test(event);
    }

    SlackHandler handler() {
        return handler;
    }
}
