/**
 * For operators: a command line, and a console in the browser, for people who decide keys in doubt. Both work through
 * {@link dev.idempotency.Admin}; {@code docs/operations.md} teaches them.
 */
@NullMarked
package dev.idempotency.cli;

import org.jspecify.annotations.NullMarked;
