package dev.idempotency.examples.payments;

import dev.idempotency.IdempotencyEvent;

/** The events of the library that the report counts, in words. */
enum Happening {
    RESERVED(IdempotencyEvent.Type.RESERVED, "reserved an order"),
    CALLING(IdempotencyEvent.Type.CALLING, "let a call go to the provider"),
    COMPLETED(IdempotencyEvent.Type.COMPLETED, "recorded a charge"),
    DECLINED(IdempotencyEvent.Type.DECLINED, "recorded a decline"),
    REPLAYED(IdempotencyEvent.Type.REPLAYED, "gave a recorded outcome again"),
    REFUSED(IdempotencyEvent.Type.IN_FLIGHT_REFUSED, "gave up waiting for another run"),
    MISMATCHED(IdempotencyEvent.Type.MISMATCHED, "refused another payload under a used key"),
    RELEASED(IdempotencyEvent.Type.RELEASED, "freed a key: nothing was executed"),
    RESENT(IdempotencyEvent.Type.RESENT, "recovery: sent the same native key again"),
    STARTED(IdempotencyEvent.Type.RECOVERY_STARTED, "recovery: asked the provider"),
    FAILED(IdempotencyEvent.Type.RECOVERY_FAILED, "recovery: the provider did not say"),
    FOUND(IdempotencyEvent.Type.FOUND, "recovery: the provider had the charge"),
    REEXECUTED(IdempotencyEvent.Type.REEXECUTED, "recovery: it had nothing, so called again"),
    CONFLICT(IdempotencyEvent.Type.CONFLICT, "alarm: two outcomes of one order"),
    DUPLICATE(IdempotencyEvent.Type.DUPLICATE, "alarm: a superseded call had another outcome"),
    IN_DOUBT(IdempotencyEvent.Type.IN_DOUBT, "came into doubt");

    private final IdempotencyEvent.Type event;
    private final String text;

    Happening(IdempotencyEvent.Type event, String text) {
        this.event = event;
        this.text = text;
    }

    IdempotencyEvent.Type event() {
        return event;
    }

    String text() {
        return text;
    }
}
