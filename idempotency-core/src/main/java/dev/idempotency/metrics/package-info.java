/** Metrics and traces on Micrometer. Only this package needs Micrometer on the class path. */
@NullMarked
package dev.idempotency.metrics;

import org.jspecify.annotations.NullMarked;
