/** Charges the orders of a CSV file through an unreliable payment provider, each once. See README.md beside the sources. */
@NullMarked
package dev.idempotency.examples.payments;

import org.jspecify.annotations.NullMarked;
