package dev.idempotency.cli;

import dev.idempotency.IdempotencyKey;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What whoever starts a console says about its pages.
 *
 * @param moments how times are written
 * @param providers where people look at the provider, by operation
 * @param shown which fields of requests and results may be looked at, by operation
 */
record ConsoleSettings(Moments moments, Map<String, ProviderUrl> providers, Map<String, List<String>> shown) {
    ConsoleSettings {
        providers = Map.copyOf(providers);
        shown = Map.copyOf(shown);
    }

    static ConsoleSettings usual() {
        return new ConsoleSettings(new Moments(ZoneId.systemDefault()), Map.of(), Map.of());
    }

    @Nullable
    ProviderUrl provider(IdempotencyKey key) {
        return providers.get(key.operation());
    }

    /** Null when nobody has said which. */
    @Nullable
    List<String> shown(IdempotencyKey key) {
        return shown.get(key.operation());
    }
}
