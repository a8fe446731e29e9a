/**
 * Slack's events, each handled once. {@link dev.idempotency.slack.EventsEndpoint} receives them,
 * {@link dev.idempotency.slack.SlackIntake} puts them into an inbox within Slack's time. Depends on no Slack SDK.
 */
@NullMarked
package dev.idempotency.slack;

import org.jspecify.annotations.NullMarked;
