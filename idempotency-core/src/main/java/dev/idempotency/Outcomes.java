package dev.idempotency;

import dev.idempotency.store.StoredResult;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what an operation's calls return into what is recorded, and what is recorded into what callers get. There is one way to
 * an answer, and it begins at the recorded bytes: also for the run that made the call, so that its caller sees what all later
 * ones will see.
 */
final class Outcomes<O extends @Nullable Object> {
    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    /** Stands for the codec of a result that was left out. */
    static final String TOO_LARGE = "too-large";

    private final String operation;
    private final Class<?> type;
    private final Codec<O> codec;
    private final int largest;
    private final AtomicBoolean saidUnreadable = new AtomicBoolean();
    private final AtomicBoolean saidTooLarge = new AtomicBoolean();

    Outcomes(String operation, Class<?> type, Codec<O> codec, int largest) {
        this.operation = operation;
        this.type = type;
        this.codec = codec;
        this.largest = largest;
    }

    Codec<O> codec() {
        return codec;
    }

    /** What no store could take is not offered to one: that the write was made is recorded without it. */
    StoredResult encode(O value) throws Exception {
        byte[] bytes = codec.encode(value);
        if (bytes.length <= largest) {
            return new StoredResult(StoredResult.Kind.RESULT, codec.id(), bytes);
        }
        if (saidTooLarge.compareAndSet(false, true)) {
            LOG.error(
                    "A result of operation '{}' has {} bytes, more than the {} of largestResult(..). It is recorded that the"
                            + " write was made, without the result, and whoever executes that request gets a"
                            + " ResultUnavailableException. Return what callers need, such as an id, or raise the limit"
                            + " as far as the store allows. This is logged once for each operation",
                    operation,
                    bytes.length,
                    largest);
        }
        return new StoredResult(StoredResult.Kind.RESULT, TOO_LARGE, new byte[0]);
    }

    /**
     * Makes sure that a result can be read again.
     *
     * @throws Exception if it cannot
     */
    void requireReadable(StoredResult result) throws Exception {
        if (!result.codec().equals(TOO_LARGE)) {
            codec.decode(result.bytes());
        }
    }

    static StoredResult decline(String reason) {
        return new StoredResult(StoredResult.Kind.DECLINED, "text", reason.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * What a caller gets of a recorded outcome.
     *
     * @param unavailable why the result cannot be had; null if it is there, or if the outcome is a decline
     */
    record Read<O extends @Nullable Object>(
            Answer<O> answer, @Nullable String unavailable) {}

    /** Each caller gets a copy of the result that he may change as he likes. */
    Read<O> read(IdempotencyKey key, @Nullable StoredResult recorded) {
        if (recorded == null) {
            return unavailable(key, "its result is gone", null);
        }
        if (recorded.kind() == StoredResult.Kind.DECLINED) {
            // UTF-8 has no lone surrogates: the reason may be another text than the one that was thrown.
            String reason = new String(recorded.bytes(), StandardCharsets.UTF_8);
            return new Read<>(Answer.failed(() -> new DeclinedException(key, reason)), null);
        }
        if (recorded.codec().equals(TOO_LARGE)) {
            return unavailable(key, "its result was too large to be kept", null);
        }
        if (!recorded.codec().equals(codec.id())) {
            return unavailable(key, "its result was written by another codec, " + recorded.codec(), null);
        }
        byte[] bytes = recorded.bytes();
        O first;
        try {
            first = codec.decode(bytes.clone());
        } catch (Throwable e) {
            sayUnreadable(e);
            return unavailable(key, "its result cannot be decoded", e);
        }
        return new Read<>(Answer.of(new Copies(key, bytes, first)), null);
    }

    /** Said once: to see it takes a request that is repeated, and those are what nobody tries out. */
    private void sayUnreadable(Throwable failure) {
        if (saidUnreadable.compareAndSet(false, true)) {
            LOG.error(
                    "Operation '{}' has a recorded result that its codec '{}' cannot read as {}. The write was made and is"
                            + " not made again, but whoever executes that request gets a ResultUnavailableException. Make"
                            + " the type one that the codec can read, or give the operation another codec; what is"
                            + " recorded can then be read, too. This is logged once for each operation",
                    operation,
                    codec.id(),
                    type.getName(),
                    failure);
        }
    }

    private Read<O> unavailable(IdempotencyKey key, String why, @Nullable Throwable cause) {
        return new Read<>(
                Answer.failed(() -> new ResultUnavailableException(
                        key, "The operation ran, but " + why + "; no further call is made", cause)),
                why);
    }

    /** The first caller gets what was read to see whether it can be read. */
    private final class Copies implements Supplier<O> {
        private final IdempotencyKey key;
        private final byte[] bytes;
        private final O first;
        private final AtomicBoolean isFirstGiven = new AtomicBoolean();

        Copies(IdempotencyKey key, byte[] bytes, O first) {
            this.key = key;
            this.bytes = bytes;
            this.first = first;
        }

        @Override
        public O get() {
            if (isFirstGiven.compareAndSet(false, true)) {
                return first;
            }
            try {
                return codec.decode(bytes.clone());
            } catch (Throwable e) {
                throw new ResultUnavailableException(
                        key, "The operation ran, but its result cannot be decoded; no further call is made", e);
            }
        }
    }
}
