package dev.idempotency.examples.slack.events;

import org.junit.jupiter.api.Test;

final class ShowOnPostgresTest {
    @Test
    void show_appThatDiesBetweenItsSteps_repliesOnceToEachMessage() throws Exception {
        new SmallShow().dieAt(StoreKind.POSTGRES, Step.AFTER_OFFER, Step.AFTER_EFFECT);
    }
}
