package dev.idempotency.docs;

import dev.idempotency.Admin;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyException;
import dev.idempotency.NearCache;
import dev.idempotency.Operation;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.store.AuditedStore;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Many requests at once, and outcomes that need no store, as the page on throughput shows them. */
final class ThroughputSnippets {
    private ThroughputSnippets() {}

    static Map<ChargeRequest, IdempotencyException> all(
            Operation<ChargeRequest, Charge> charge, List<ChargeRequest> requests) {
        var failed = new LinkedHashMap<ChargeRequest, IdempotencyException>();
        // tag::all[]
        List<CompletableFuture<Charge>> outcomes = charge.executeAll(requests, 64); // 64 at once
        for (int i = 0; i < requests.size(); i++) {
            try {
                outcomes.get(i).join();
            } catch (CompletionException e) {
                if (e.getCause() instanceof IdempotencyException failure) {
                    failed.put(requests.get(i), failure); // this one alone
                } else {
                    throw e;
                }
            }
        }
        // end::all[]
        return failed;
    }

    static Idempotency near(AuditedStore store) {
        // tag::near[]
        var near = NearCache.create(64 << 20, Duration.ofMinutes(1)); // 64 MiB
        var idempotency = Idempotency.builder(store).nearCache(near).build();
        var admin = Admin.builder(store).nearCache(near).build(); // its overrides are seen here at once
        // end::near[]
        admin.unresolved(Admin.Query.all(1));
        return idempotency;
    }
}
