package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeClient;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import org.jdbi.v3.core.Jdbi;

/** The code of the guide on migrating. */
final class MigrationSnippets {
    private MigrationSnippets() {}

    /** A table as many teams have it. */
    static final String OLD_TABLE = """
            CREATE TABLE payment_request (
                id text PRIMARY KEY,
                status text NOT NULL, -- IN_PROGRESS or COMPLETED
                charge_id text,
                amount bigint)""";

    /** What the migration adds to it. */
    static final String MOVED = "ALTER TABLE payment_request ADD COLUMN moved boolean NOT NULL DEFAULT false";

    // tag::old-table[]
    /** A row of the old table; {@code moved} if the key belongs to the new operation. */
    record OldRow(boolean moved, String status, String chargeId, long amount) {}

    /** Takes the key in the old table if nobody has it there, and says what stands. */
    static OldRow take(Jdbi jdbi, String id) {
        return jdbi.inTransaction(handle -> {
            handle.execute(
                    "INSERT INTO payment_request (id, status, moved) VALUES (?, 'IN_PROGRESS', true)"
                            + " ON CONFLICT (id) DO NOTHING",
                    id);
            return handle.select("SELECT moved, status, charge_id, amount FROM payment_request WHERE id = ?", id)
                    .map((row, context) -> new OldRow(
                            row.getBoolean("moved"),
                            row.getString("status"),
                            row.getString("charge_id"),
                            row.getLong("amount")))
                    .one();
        });
    }
    // end::old-table[]

    static Operation<ChargeRequest, Charge> besideTheOldTable(
            Idempotency idempotency, Jdbi jdbi, ChargeClient client, Recovery<ChargeRequest, Charge> lookup) {
        // tag::beside[]
        return idempotency
                .operation("charge-card", ChargeRequest.class, Charge.class)
                .key(ChargeRequest::orderId)
                .recovery(lookup) // or hold; no native key before the old table is gone
                .calling((request, attempt) -> {
                    OldRow old = take(jdbi, request.orderId());
                    if (old.moved()) {
                        return client.charge(request, attempt.nativeKey());
                    }
                    if (old.status().equals("COMPLETED")) {
                        return new Charge(old.chargeId(), old.amount()); // adopted: recorded here from now on
                    }
                    throw new IllegalStateException("in progress in the old table: nobody knows"); // in doubt
                });
        // end::beside[]
    }
}
