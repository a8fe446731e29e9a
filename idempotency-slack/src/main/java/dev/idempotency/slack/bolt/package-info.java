/** Handlers that were written for Bolt, run by a worker. Needs {@code com.slack.api:bolt}, which an app that uses it has. */
@NullMarked
package dev.idempotency.slack.bolt;

import org.jspecify.annotations.NullMarked;
