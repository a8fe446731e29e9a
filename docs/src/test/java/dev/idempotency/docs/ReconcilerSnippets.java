package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.Reconciler;
import dev.idempotency.Recovery;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeClient;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;

/** A reconciler, as the guide starts it. */
final class ReconcilerSnippets {
    private ReconcilerSnippets() {}

    static Reconciler start(Idempotency idempotency, ChargeClient client, Recovery<ChargeRequest, Charge> recovery) {
        // tag::start[]
        Operation<ChargeRequest, Charge> charge = idempotency
                .operation("charge-card", ChargeRequest.class, Charge.class)
                .key(ChargeRequest::orderId)
                .recovery(recovery)
                .keepRequests() // so that it can be recovered without its caller
                .calling((request, attempt) -> client.charge(request, attempt.nativeKey()));

        Reconciler reconciler =
                Reconciler.on(idempotency).operations(charge).parallelism(4).build();
        reconciler.start();
        // end::start[]
        return reconciler;
    }
}
