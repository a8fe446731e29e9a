package dev.idempotency.slack.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * Something that Slack delivers until it is acknowledged, and at most four times.
 *
 * @param payload what
 * @param event what it tells of; null for what nobody replies to
 * @param retryNum how often Slack says that it has tried before, though the app has never heard of it; mostly 0
 * @param expected what the answer must hold; null for anything
 */
record Delivery(
        JsonNode payload,
        @Nullable LogicalEvent event,
        int retryNum,
        @Nullable String expected) {
    static Delivery of(JsonNode payload, @Nullable LogicalEvent event) {
        return new Delivery(payload, event, 0, null);
    }

    Delivery claimingRetry(int number) {
        return new Delivery(payload, event, number, expected);
    }
}
