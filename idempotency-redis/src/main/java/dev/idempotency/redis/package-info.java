/** Records on Redis and Valkey. */
@NullMarked
package dev.idempotency.redis;

import org.jspecify.annotations.NullMarked;
