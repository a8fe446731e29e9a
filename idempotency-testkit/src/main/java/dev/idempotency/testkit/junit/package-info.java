/** The store contract, as JUnit 5 tests to inherit. */
@NullMarked
package dev.idempotency.testkit.junit;

import org.jspecify.annotations.NullMarked;
