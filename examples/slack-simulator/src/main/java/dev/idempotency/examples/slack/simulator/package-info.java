/**
 * Slack's side of an app: the events that Slack delivers, as often and in whatever order it may, the Web API with a ledger of what
 * was posted, and a judge who compares the two.
 */
@NullMarked
package dev.idempotency.examples.slack.simulator;

import org.jspecify.annotations.NullMarked;
