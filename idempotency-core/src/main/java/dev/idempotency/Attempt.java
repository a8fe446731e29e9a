package dev.idempotency;

/**
 * One attempt at the write, as its call sees it. Thread-safe.
 *
 * @since 0.1.0
 */
public interface Attempt {
    /**
     * Which operation.
     *
     * @return the key
     */
    IdempotencyKey key();

    /**
     * What to send as the provider's own idempotency key, and as the reference by which a lookup can find the write. The
     * same for every attempt that the provider should recognise as one. Under {@link Recovery#nativeKey} and
     * {@link Recovery#nativeKeyThenLookup} each call has to ask for it before it ends: a call that did not has not sent it, and is
     * not sent again. A call whose provider recognises it by something else that is the same in every attempt asks all the same.
     *
     * @return the key in the provider's format
     */
    String nativeKey();

    /**
     * The number of the attempt.
     *
     * @return from 1
     */
    int number();

    /**
     * Checks, as the last thing before the first byte is sent, that this attempt may still send. The library checks just
     * before the call; a call that does slow work first checks again here.
     *
     * @throws NotExecutedException if the lease or the provider's window is over; let it pass, and nothing is sent
     */
    void checkMaySend();

    /**
     * Tells whether the attempt has lost its lease, so that others may by now be resolving the key. The answer of a call
     * that is already under way is still worth having: it ends the doubt.
     *
     * @return true from the moment the lease is known to be lost
     */
    boolean isLost();

    /**
     * Registers a signal for the moment when the lease is lost, to stop a call that has not sent yet, for instance.
     *
     * @param action run once, on a thread of the library, or at once if the lease is already lost; must not block
     */
    void onLost(Runnable action);
}
