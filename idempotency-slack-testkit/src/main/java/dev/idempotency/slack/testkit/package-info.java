/**
 * Slack for tests: a simulator that delivers events over HTTP and Socket Mode as often and in whatever order Slack may, has a Web API
 * with a ledger of what was posted, and judges the app by comparing the two. It contains nothing of the libraries that it tests.
 */
@NullMarked
package dev.idempotency.slack.testkit;

import org.jspecify.annotations.NullMarked;
