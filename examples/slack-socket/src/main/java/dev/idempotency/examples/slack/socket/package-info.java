/** A Slack app over Socket Mode that replies once to each message, and a show of what that takes. See docs/slack-socket-mode.md. */
@NullMarked
package dev.idempotency.examples.slack.socket;

import org.jspecify.annotations.NullMarked;
