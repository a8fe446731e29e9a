/** Results, and requests that are kept, encrypted before they reach the store. */
@NullMarked
package dev.idempotency.encryption;

import org.jspecify.annotations.NullMarked;
