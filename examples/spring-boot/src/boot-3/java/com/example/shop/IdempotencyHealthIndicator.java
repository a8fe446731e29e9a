package com.example.shop;

import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.stereotype.Component;

/** Up while the store answers. Keys in doubt are shown and change nothing: no restart resolves them. */
// tag::health[]
@Component
class IdempotencyHealthIndicator extends AbstractHealthIndicator {
    private final Doubts doubts;

    IdempotencyHealthIndicator(Doubts doubts) {
        this.doubts = doubts;
    }

    @Override
    protected void doHealthCheck(Health.Builder health) {
        int inDoubt = doubts.count(); // what it throws is "down"
        health.up().withDetail("inDoubt", inDoubt < Doubts.AT_MOST ? inDoubt : "at least " + inDoubt);
    }
}
// end::health[]
