package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Idempotency;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class RecordTest {
    @Test
    void unresolved_ofThreeKeys_areListedPageByPage() {
        var store = CaffeineIdempotencyStore.create();
        try (var idempotency = Idempotency.on(store)) {
            Operation<ChargeRequest, String> charge = idempotency
                    .operation("charge-card", ChargeRequest.class, String.class)
                    .key(ChargeRequest::orderId)
                    .calling((request, attempt) -> {
                        throw new IOException("reset");
                    });
            for (String order : List.of("ORD-1", "ORD-2", "ORD-3")) {
                assertThatThrownBy(() -> charge.execute(new ChargeRequest(order, 1250, "EUR", "Ada")))
                        .isInstanceOf(InDoubtException.class);
            }

            assertThat(unresolved(store)).hasSize(3).first().asString().startsWith("charge-card:ORD-1 IN_DOUBT since ");
        }
    }

    private static List<String> unresolved(IdempotencyStore store) {
        var report = new ArrayList<String>();
        // tag::unresolved[]
        List<IdempotencyRecord> page = store.listUnresolved(null, 100);
        while (!page.isEmpty()) {
            for (IdempotencyRecord record : page) {
                report.add(record.key() + " " + record.state() + " since "
                        + record.times().stateSince());
            }
            page = store.listUnresolved(page.get(page.size() - 1), 100);
        }
        // end::unresolved[]
        return report;
    }
}
