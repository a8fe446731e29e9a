package dev.idempotency.slack.testkit;

import java.time.Duration;

/**
 * A delivery and its moment.
 *
 * @param after how long from now it is first tried, in Slack's time
 */
record Planned(Delivery delivery, Duration after) {}
