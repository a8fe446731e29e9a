/**
 * For people who write a store: the record, and the five atomic steps that a store takes with it.
 *
 * <p>A store decides nothing. It compares and replaces whole records in one atomic step, on its own clock, and says
 * what now stands. What may follow what is decided in one place, in core.
 */
@NullMarked
package dev.idempotency.store;

import org.jspecify.annotations.NullMarked;
