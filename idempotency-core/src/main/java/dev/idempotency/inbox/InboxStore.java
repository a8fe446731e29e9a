package dev.idempotency.inbox;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.StoreException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where messages wait to be handled. Implementations are thread-safe, and shared between processes as far as the
 * {@link dev.idempotency.store.StoreClass class of their store} goes.
 *
 * <p>A message that was accepted is waiting, claimed, dead or done. It leaves the queue only by an act of somebody: time alone
 * ends a lease, so that the next claim takes the message, and forgets keys that are done. Each method is one atomic step, on
 * the store's clock, acknowledged when it is as durable as the store's class says, in a transaction of its own. Each may be
 * repeated after a failure that left it open whether it was written.
 *
 * <p>What each step must do is written down, clause by clause, in {@code docs/inbox-contract.md}.
 *
 * @since 0.1.0
 */
public interface InboxStore {
    /** What became of an offer. */
    enum Offered {
        /** The message is in the queue now. */
        ACCEPTED,
        /** Its key was accepted before and is remembered: this message was not kept. */
        DUPLICATE
    }

    /**
     * Keeps a message, if its key is not remembered: both in one step. After an answer, of either kind, the message is there or
     * was dealt with, and its sender may forget it. A repetition of one's own offer, after a failure that may have written,
     * answers {@link Offered#DUPLICATE}.
     *
     * @param message what arrived
     * @param retention how long from now its key is remembered; a message that is not done by then is kept all the same. More
     *     than zero
     * @return what became of it
     * @throws IllegalArgumentException if {@code retention} is not more than zero
     * @throws StoreException if the store failed; says whether the message may have been kept
     */
    Offered offer(InboxMessage message, Duration retention);

    /**
     * Claims messages that are due, longest due first: those that wait for nothing, and those whose lease is over. Nobody else
     * gets them until the lease is over. An answer that is lost leaves them claimed until then.
     *
     * @param queue which queue
     * @param limit how many at most, from 1
     * @param lease how long the claims last unless they are renewed; more than zero
     * @return the claims; empty when nothing is due
     * @throws IllegalArgumentException if {@code limit} is below 1 or {@code lease} is not more than zero
     * @throws StoreException if the store failed; messages may have been claimed
     */
    List<InboxClaim> claim(String queue, int limit, Duration lease);

    /**
     * Lets a claim last longer.
     *
     * @param claim which claim
     * @param lease how long from now it lasts; more than zero
     * @return false when the claim is not the latest of its message, or has been ended: it is lost
     * @throws IllegalArgumentException if {@code lease} is not more than zero
     * @throws StoreException if the store failed; says whether the claim may have been renewed
     */
    boolean renew(InboxClaim claim, Duration lease);

    /**
     * Ends a claim: the message was handled. Its payload is dropped, its key is remembered for the rest of its retention.
     *
     * @param claim which claim
     * @return true when this act ended the claim, now or, for a repetition, before; false when the claim was lost
     * @throws StoreException if the store failed; says whether the claim may have been ended
     */
    boolean done(InboxClaim claim);

    /**
     * Ends a claim: the message is to be claimed once more.
     *
     * @param claim which claim
     * @param delay how long from now it is not due; zero or more
     * @param reason why; without the character 0
     * @return true when this act ended the claim, now or, for a repetition, before; false when the claim was lost
     * @throws IllegalArgumentException if {@code delay} is negative
     * @throws StoreException if the store failed; says whether the claim may have been ended
     */
    boolean retry(InboxClaim claim, Duration delay, String reason);

    /**
     * Ends a claim: the message becomes a dead letter, which is kept until it is replayed or discarded.
     *
     * @param claim which claim
     * @param reason why; without the character 0
     * @return true when this act ended the claim, now or, for a repetition, before; false when the claim was lost
     * @throws StoreException if the store failed; says whether the claim may have been ended
     */
    boolean bury(InboxClaim claim, String reason);

    /**
     * Lists dead letters, longest dead first.
     *
     * @param queue which queue
     * @param after the last of the page before; null for the first page
     * @param limit how many at most, from 1
     * @return a page; fewer than {@code limit} only when it is the last
     * @throws IllegalArgumentException if {@code limit} is below 1
     * @throws StoreException if the store failed
     */
    List<DeadLetter> deadLetters(String queue, @Nullable DeadLetter after, int limit);

    /**
     * Makes a dead letter due at once, as if it had never been claimed.
     *
     * @param key which message
     * @return false when it is not a dead letter
     * @throws StoreException if the store failed; says whether it may have been replayed
     */
    boolean replay(IdempotencyKey key);

    /**
     * Counts a dead letter as done: its payload is dropped, its key is remembered for the rest of its retention.
     *
     * @param key which message
     * @return false when it is not a dead letter
     * @throws StoreException if the store failed; says whether it may have been discarded
     */
    boolean discard(IdempotencyKey key);

    /**
     * Counts what is in a queue. Takes longer the more that is.
     *
     * @param queue which queue
     * @return its depth, as of one moment where the store can tell
     * @throws StoreException if the store failed
     */
    InboxDepth depth(String queue);

    /**
     * Forgets keys that are done and whose retention is over, in all queues. Safe to run on every node at any time.
     *
     * @param limit how many at most, from 1
     * @return how many were removed; less than {@code limit} when nothing is left to do. Always 0 where the store forgets by
     *     itself
     * @throws IllegalArgumentException if {@code limit} is below 1
     * @throws StoreException if the store failed
     */
    int purge(int limit);
}
