package dev.idempotency.testkit.app;

import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SealAnswer;
import dev.idempotency.testkit.UnreliableProvider;
import java.io.IOException;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The way to a simulated provider, for an adapter to send through instead of its HTTP client. It fails with the exceptions of
 * {@code java.net} and {@code java.net.http}: {@link java.net.ConnectException} if nothing was sent, {@link
 * java.net.http.HttpTimeoutException} if no answer came in time, {@link java.net.SocketException} if the connection broke.
 *
 * @since 0.1.0
 */
public interface ProviderWire {
    /**
     * The way to a provider that fails by a plan.
     *
     * @param provider the provider, with its plan
     * @return a way that does not wait: an answer that would come too late is a timeout at once
     */
    static ProviderWire to(UnreliableProvider provider) {
        return new PlannedWire(provider);
    }

    /**
     * Sends one request.
     *
     * @param nativeKey the provider's idempotency key; null to send none
     * @param reference the caller's name for the thing, by which it can be looked up
     * @param payload the rest of the request
     * @return the provider's answer
     * @throws IOException if there was none
     */
    Reply send(@Nullable String nativeKey, String reference, String payload) throws IOException;

    /**
     * Looks up by reference.
     *
     * @param reference the caller's name for the thing
     * @return what the provider shows by now, which may be less than what has happened
     * @throws IOException if it did not answer
     */
    List<Effect> lookup(String reference) throws IOException;

    /**
     * Looks up by native key.
     *
     * @param nativeKey the native key
     * @return what the provider shows by now, which may be less than what has happened
     * @throws IOException if it did not answer
     */
    List<Effect> lookupByKey(String nativeKey) throws IOException;

    /**
     * Searches all that the provider shows.
     *
     * @param wanted which
     * @return what the provider shows by now, which may be less than what has happened
     * @throws IOException if it did not answer
     */
    List<Effect> search(Predicate<Effect> wanted) throws IOException;

    /**
     * Finds the write of a native key, or makes sure that there will never be one.
     *
     * @param nativeKey the native key
     * @return which of the two
     * @throws IOException if the provider did not answer
     */
    SealAnswer seal(String nativeKey) throws IOException;
}
