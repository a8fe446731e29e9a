/** Real processes to test against: servers that are started, killed and started again. */
@NullMarked
package dev.idempotency.testkit.process;

import org.jspecify.annotations.NullMarked;
