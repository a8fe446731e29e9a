package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The numbers that come with a delivery, over HTTP and over Socket Mode. What cannot be true counts as not said. */
final class EnvelopeNumbers {
    /** The end of the year 9999. */
    private static final long LATEST = 253_402_300_799L;

    private EnvelopeNumbers() {}

    /** Seconds since 1970; 0 when there is no such number. */
    static long time(JsonNode value) {
        boolean isText = value.isTextual() && value.asText().matches("[0-9]{1,12}");
        long seconds = isText ? Long.parseLong(value.asText()) : integer(value);
        return seconds >= 0 && seconds <= LATEST ? seconds : 0;
    }

    /** How often; 0 when there is no such number. */
    static int count(JsonNode value) {
        long count = integer(value);
        return count > 0 && count <= Integer.MAX_VALUE ? (int) count : 0;
    }

    private static long integer(JsonNode value) {
        return value.isIntegralNumber() && value.canConvertToLong() ? value.asLong() : 0;
    }

    /** The number of a retry; 0 when there is no such number. */
    static int retry(@Nullable String text) {
        return text != null && text.matches("[0-9]{1,4}") ? Integer.parseInt(text) : 0;
    }

    /** How long ago Slack has dispatched the event; zero when it did not say, or says that it will. */
    static Duration late(SlackEvent event, Instant now) {
        if (event.eventTime() == 0) {
            return Duration.ZERO;
        }
        Duration late = Duration.between(Instant.ofEpochSecond(event.eventTime()), now);
        return late.isNegative() ? Duration.ZERO : late;
    }
}
