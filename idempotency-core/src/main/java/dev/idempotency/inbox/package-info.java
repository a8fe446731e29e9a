/**
 * Messages that arrive more than once, and out of order: an inbox that keeps each of them once, in the step that says so, and a
 * guard that tells a newer version of a thing from a late one.
 *
 * <p>{@link dev.idempotency.inbox.InboxStore} and {@link dev.idempotency.inbox.VersionGuard} are what a store offers. What they
 * must do is written down, clause by clause, in {@code docs/inbox-contract.md}, and the test kit has a test for each clause.
 */
@NullMarked
package dev.idempotency.inbox;

import org.jspecify.annotations.NullMarked;
