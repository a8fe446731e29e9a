package com.example.shop;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Query;
import dev.idempotency.store.State;
import java.time.Duration;
import org.springframework.stereotype.Component;

/** How many keys are in doubt, for the health of the application: one bounded query, which also shows that the store answers. */
@Component
class Doubts {
    static final int AT_MOST = 100;

    private final Admin admin;

    Doubts(Admin admin) {
        this.admin = admin;
    }

    /** From 0 to {@value #AT_MOST}; that many may be more. */
    int count() {
        return admin.unresolved(new Query(State.IN_DOUBT, null, Duration.ZERO, AT_MOST, null))
                .size();
    }
}
