package dev.idempotency;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The write may or may not have happened, and nothing that is known by now tells which. The library will not call
 * again until evidence ends the doubt. Executing the same request again later is always safe.
 *
 * @since 0.1.0
 */
public final class InDoubtException extends IdempotencyException {
    private static final long serialVersionUID = 1L;

    private final int attempt;
    private final @Nullable Instant since;
    private final @Nullable Instant resolvableAt;

    InDoubtException(
            IdempotencyKey key,
            int attempt,
            @Nullable Instant since,
            @Nullable Instant resolvableAt,
            String whatWouldResolveIt,
            @Nullable Throwable cause) {
        super(
                key,
                "In doubt: attempt " + attempt + " may have taken effect. "
                        + Objects.requireNonNull(whatWouldResolveIt, "whatWouldResolveIt"),
                cause);
        this.attempt = attempt;
        this.since = since;
        this.resolvableAt = resolvableAt;
    }

    /**
     * The number of the attempt in doubt.
     *
     * @return from 1
     */
    public int attempt() {
        return attempt;
    }

    /**
     * Since when the key has been in doubt, by the store's clock.
     *
     * @return empty when the store could not be told about the doubt yet
     */
    public Optional<Instant> since() {
        return Optional.ofNullable(since);
    }

    /**
     * When "the provider has nothing" will count as evidence, by the store's clock.
     *
     * @return empty when the recovery policy does not wait for that
     */
    public Optional<Instant> resolvableAt() {
        return Optional.ofNullable(resolvableAt);
    }
}
