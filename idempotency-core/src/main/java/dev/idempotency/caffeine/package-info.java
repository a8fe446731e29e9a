/** The store for one process: nothing to install, and nothing left when the process ends. */
@NullMarked
package dev.idempotency.caffeine;

import org.jspecify.annotations.NullMarked;
