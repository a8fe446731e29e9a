package com.example.labels;

import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;

/** How this application buys labels: once for each order. */
public final class Labels {
    /** The carrier drops a request that it has not begun after half a minute, and its list lags by two seconds. */
    static final Quiescence QUIESCENCE = Quiescence.of(Duration.ofSeconds(30), Duration.ofSeconds(2));

    private Labels() {}

    /** The operation. */
    // tag::operation[]
    public static Operation<LabelRequest, Label> operation(Idempotency idempotency, Carrier carrier) {
        return idempotency
                .operation("buy-label", LabelRequest.class, Label.class)
                .key(LabelRequest::orderId)
                .fingerprint(request ->
                        List.of(request.orderId(), request.grams(), new TreeSet<>(request.contents())))
                .recovery(Recovery.lookupThenReexecute((request, attempt) -> find(carrier, request), QUIESCENCE))
                .failures(failures())
                .calling((request, attempt) -> buy(carrier, request));
    }
    // end::operation[]

    static FailureClassifier failures() {
        return failure -> {
            boolean notSent = failure instanceof ConnectException;
            boolean refused = failure instanceof Carrier.StatusException status && status.status() == 429;
            return notSent
                    ? FailureClass.NOT_SENT
                    : refused ? FailureClass.NOT_EXECUTED : FailureClass.AMBIGUOUS;
        };
    }

    static Label buy(Carrier carrier, LabelRequest request) throws IOException {
        return new Label(carrier.buy(request.orderId(), request.grams()).trackingNumber());
    }

    // tag::lookup[]
    static Finding<Label> find(Carrier carrier, LabelRequest request) throws IOException {
        List<Carrier.Bought> found = Boolean.getBoolean("faulty")
                ? carrier.byWeight(request.grams()) // the faulty branch: two parcels may weigh the same
                : carrier.byReference(request.orderId());
        return found.isEmpty()
                ? Finding.missing()
                : Finding.found(new Label(found.get(0).trackingNumber()));
    }
    // end::lookup[]
}
