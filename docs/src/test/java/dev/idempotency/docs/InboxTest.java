package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.EntityVersion;
import dev.idempotency.inbox.Inbox;
import dev.idempotency.inbox.InboxEvent;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.InboxWorker;
import dev.idempotency.inbox.VersionGuard;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** The examples of the guide on the inbox. */
final class InboxTest {
    private final CaffeineIdempotencyStore store = CaffeineIdempotencyStore.create();
    private final Queue<InboxEvent> metrics = new ConcurrentLinkedQueue<>();
    private final Operation<ChargeRequest, Charge> charge = Idempotency.on(store)
            .operation("charge-card", ChargeRequest.class, Charge.class)
            .key(ChargeRequest::orderId)
            .calling((request, attempt) -> new Charge("ch_" + request.orderId(), request.amount()));

    private static ChargeRequest parse(byte[] payload) {
        String orderId = new String(payload, StandardCharsets.UTF_8);
        if (orderId.isEmpty()) {
            throw new IllegalArgumentException("no order");
        }
        return new ChargeRequest(orderId, 1250, "EUR", "Ada");
    }

    private static void until(BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void webhook_toldTwice_isHandledOnce() {
        // tag::inbox[]
        Inbox inbox = Inbox.builder(store.inbox(), "orders")
                .retention(Duration.ofDays(3)) // longer than the sender repeats itself
                .listener(metrics::add)
                .build();

        InboxWorker worker = inbox.worker(
                        claim -> charge.execute(parse(claim.message().payload())))
                .concurrency(8)
                .lease(Duration.ofSeconds(30))
                .attempts(10)
                .start();
        // end::inbox[]
        byte[] body = "ORD-1".getBytes(StandardCharsets.UTF_8);
        try (worker) {
            assertThat(receive(inbox, "evt-1", body)).isEqualTo(200);
            assertThat(receive(inbox, "evt-1", body)).isEqualTo(200);
            until(() -> metrics.stream().anyMatch(event -> event.type() == InboxEvent.Type.DONE));
        }
        assertThat(metrics)
                .extracting(InboxEvent::type)
                .containsExactlyInAnyOrder(
                        InboxEvent.Type.OFFERED,
                        InboxEvent.Type.DUPLICATE,
                        InboxEvent.Type.CLAIMED,
                        InboxEvent.Type.DONE);
    }

    // tag::receive[]
    private static int receive(Inbox inbox, String eventId, byte[] body) {
        try {
            inbox.offer(eventId, body, Map.of("type", "order")); // new or known: it is in our hands now
            return 200;
        } catch (RuntimeException e) {
            return 503; // the sender tells it again
        }
    }
    // end::receive[]

    @Test
    void deadLetter_replayed_isDueAgain() {
        Inbox inbox =
                Inbox.builder(store.inbox(), "orders").listener(metrics::add).build();
        inbox.offer("evt-2", new byte[0], Map.of());
        try (var worker = inbox.worker(
                        claim -> charge.execute(parse(claim.message().payload())))
                .attempts(1)
                .start()) {
            until(() -> metrics.stream().anyMatch(event -> event.type() == InboxEvent.Type.BURIED));
        }
        // tag::dead[]
        InboxStore messages = store.inbox();
        for (DeadLetter letter : messages.deadLetters("orders", null, 100)) {
            System.out.println(
                    letter.message().key() + " after " + letter.attempts() + " attempts: " + letter.reason());
            messages.replay(letter.message().key()); // or discard
        }
        // end::dead[]
        assertThat(inbox.depth().ready()).isEqualTo(1);
    }

    @Test
    void edit_afterDeletion_isStale() {
        VersionGuard guard = store.versionGuard();
        assertThat(apply(guard, new EntityVersion(2_000, "evt-9", true))).isTrue();
        assertThat(apply(guard, new EntityVersion(1_000, "evt-8", false))).isFalse();
        assertThat(apply(guard, new EntityVersion(2_000, "evt-9", true))).isTrue();
    }

    private static boolean apply(VersionGuard guard, EntityVersion version) {
        // tag::guard[]
        var document = new IdempotencyKey("documents", "doc-42");
        if (guard.advance(document, version, Duration.ofDays(3)) == VersionGuard.Verdict.STALE) {
            return false; // something newer was applied already, or it is deleted
        }
        // ... apply the change; the same one again comes here once more
        // end::guard[]
        return true;
    }
}
