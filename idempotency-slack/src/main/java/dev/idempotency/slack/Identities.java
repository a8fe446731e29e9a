package dev.idempotency.slack;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Recovery;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.State;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what a delivery is about, whatever it came as. Two things are remembered in the store, and the first to be told stays:
 * of an act of a user ({@code client_msg_id}) its first message, and of a renamed channel its old id.
 */
final class Identities {
    private static final String ACTS = "slack.client-message";
    private static final String CHANNELS = "slack.channel";

    /**
     * What a delivery is about.
     *
     * @param key by what it is known again, at layer 2 or, for what is no message, at layer 1
     * @param isOtherMessage whether the same act of a user came as another message before
     */
    record Identity(String key, boolean isOtherMessage) {}

    /** Gives a name to something; the first one stays. */
    private record Naming(String thing, String name) {}

    private final @Nullable Operation<Naming, String> acts;
    private final @Nullable Operation<Naming, String> channels;
    private final @Nullable IdempotencyStore renamed;

    Identities(Idempotency idempotency, SlackWorker.Settings settings) {
        this.acts = settings.clientMessageIds() ? naming(idempotency, ACTS, settings) : null;
        this.renamed = settings.renamedChannels();
        this.channels = renamed == null ? null : naming(idempotency, CHANNELS, settings);
    }

    private static Operation<Naming, String> naming(
            Idempotency idempotency, String name, SlackWorker.Settings settings) {
        return idempotency
                .operation(name, Naming.class, String.class)
                .key(Naming::thing)
                .fingerprint(Naming::thing)
                // A name that nobody was told can be given anew.
                .recovery(Recovery.nativeKey(ProviderProfile.of(
                                "Nobody",
                                "Nothing is sent: a name can be given as often as it is asked for",
                                ProviderProfile.KeyFormat.uuid(),
                                settings.retention())
                        .withBounds(Duration.ZERO, Duration.ZERO)
                        .withClockError(Duration.ZERO)))
                .lease(settings.lease())
                .retention(settings.retention())
                .calling((naming, attempt) -> {
                    // Nothing is sent: there is nobody who would have to recognise it.
                    attempt.nativeKey();
                    return naming.name();
                });
    }

    Identity of(SlackEvent event) {
        Optional<String> message = SlackKeys.message(event, channel(event));
        if (message.isEmpty()) {
            return new Identity(SlackKeys.delivery(event), false);
        }
        Optional<String> act = acts == null ? Optional.empty() : SlackKeys.clientMessage(event);
        if (acts == null || act.isEmpty()) {
            return new Identity(message.get(), false);
        }
        String first = acts.execute(new Naming(act.get(), message.get()));
        return new Identity(first, !first.equals(message.get()));
    }

    /** The message that an event is about, for the version guard. */
    Optional<String> entity(SlackEvent event) {
        return SlackKeys.entity(event, channel(event));
    }

    /** Takes note when a channel gets another id. */
    void note(SlackEvent event) {
        String from = SlackEvent.text(event.event(), "old_channel_id");
        String to = SlackEvent.text(event.event(), "new_channel_id");
        if (channels != null && event.type().equals("channel_id_changed") && from != null && to != null) {
            channels.execute(new Naming(thing(event, to), first(event, from)));
        }
    }

    private @Nullable String channel(SlackEvent event) {
        String now = event.channel();
        return now == null || renamed == null ? now : first(event, now);
    }

    /** The id that a channel had first. */
    private String first(SlackEvent event, String channel) {
        if (renamed == null) {
            return channel;
        }
        IdempotencyRecord record = renamed.find(new IdempotencyKey(CHANNELS, thing(event, channel)))
                .record();
        if (record == null || record.state() != State.COMPLETED || record.result() == null) {
            return channel;
        }
        try {
            return SlackEvent.JSON.readValue(new String(record.result().bytes(), StandardCharsets.UTF_8), String.class);
        } catch (JsonProcessingException e) {
            return channel;
        }
    }

    private static String thing(SlackEvent event, String channel) {
        return event.appId() + ":" + channel;
    }
}
