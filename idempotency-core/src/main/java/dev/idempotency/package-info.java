/**
 * Makes a write to somebody else's system happen once.
 *
 * <p>Start at {@link dev.idempotency.Idempotency}: put it on a store, describe an {@link dev.idempotency.Operation} by
 * its key, its {@link dev.idempotency.Recovery} and its call, and execute requests. Retries, replays, crashes and
 * concurrent runs of one request make one write, on the conditions that {@link dev.idempotency.Operation#explain()}
 * spells out.
 */
@NullMarked
package dev.idempotency;

import org.jspecify.annotations.NullMarked;
