package dev.idempotency.testkit.app;

import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.Observation;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SealAnswer;
import dev.idempotency.testkit.Submission;
import dev.idempotency.testkit.UnreliableProvider;
import java.io.IOException;
import java.net.SocketException;
import java.net.http.HttpTimeoutException;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The way to a provider that fails by a plan. */
final class PlannedWire implements ProviderWire {
    private final UnreliableProvider provider;

    PlannedWire(UnreliableProvider provider) {
        this.provider = provider;
    }

    @Override
    public Reply send(@Nullable String nativeKey, String reference, String payload) throws IOException {
        Observation seen = provider.submit(new Submission(UUID.randomUUID().toString(), nativeKey, reference, payload));
        if (seen instanceof Observation.Answered answered) {
            return answered.reply();
        }
        if (seen instanceof Observation.Late) {
            throw new HttpTimeoutException("request timed out");
        }
        throw new SocketException("Connection reset");
    }

    private <T> T asked(String about, Supplier<T> question) throws IOException {
        if (provider.plan().nextLookupFails(about)) {
            throw new HttpTimeoutException("request timed out");
        }
        return question.get();
    }

    @Override
    public List<Effect> lookup(String reference) throws IOException {
        return asked(reference, () -> provider.provider().lookup(reference));
    }

    @Override
    public List<Effect> lookupByKey(String nativeKey) throws IOException {
        return asked(nativeKey, () -> provider.provider().lookupByKey(nativeKey));
    }

    @Override
    public List<Effect> search(Predicate<Effect> wanted) throws IOException {
        return asked(
                "*",
                () -> provider.provider().ledger().effects().stream()
                        .filter(wanted)
                        .toList());
    }

    @Override
    public SealAnswer seal(String nativeKey) {
        return provider.provider().seal(nativeKey);
    }
}
