/** Measures the library beside the limit of each store and beside its peers. */
@NullMarked
package dev.idempotency.benchmarks;

import org.jspecify.annotations.NullMarked;
