/** A Slack app that replies once to each message, and a show of what that takes. See docs/slack-example.md. */
@NullMarked
package dev.idempotency.examples.slack.events;

import org.jspecify.annotations.NullMarked;
