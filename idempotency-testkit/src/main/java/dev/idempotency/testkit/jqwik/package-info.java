/** Generators and stateful properties for jqwik. */
@NullMarked
package dev.idempotency.testkit.jqwik;

import org.jspecify.annotations.NullMarked;
