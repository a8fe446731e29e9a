package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Ruling;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.InDoubtException;
import dev.idempotency.MismatchException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.RefusedException;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditEntry.Act;
import dev.idempotency.store.AuditEntry.Phase;
import dev.idempotency.store.AuditedStore;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.testkit.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class OverridesTest {
    private static final Markdown GUIDE = Markdown.of("docs/overrides.md");
    private static final ChargeRequest REQUEST = new ChargeRequest("ORD-1", 12500, "EUR", "Ada");

    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final AuditedStore store = CaffeineIdempotencyStore.create(1_000, clock::nanoTime, clock.instant());
    private final Idempotency idempotency = Idempotency.on(store);
    private final Set<String> nativeKeys = new HashSet<>();
    private final List<String> lines = new ArrayList<>();
    private boolean lost;

    private final Operation<ChargeRequest, Charge> charge = idempotency
            .operation("charge-card", ChargeRequest.class, Charge.class)
            .key(ChargeRequest::orderId)
            .calling((request, attempt) -> {
                nativeKeys.add(attempt.nativeKey());
                if (lost) {
                    throw new IOException("no answer");
                }
                return new Charge("ch-" + nativeKeys.size(), request.amount());
            });

    @AfterEach
    void close() {
        idempotency.close();
    }

    private void inDoubt() {
        lost = true;
        assertThatThrownBy(() -> charge.execute(REQUEST)).isInstanceOf(InDoubtException.class);
        lost = false;
    }

    private void list() {
        // tag::list[]
        Admin admin = Admin.builder(store).quiescence(Duration.ofHours(24)).build();

        for (IdempotencyRecord record : admin.unresolved(Admin.Query.all(50))) {
            Admin.Review review = admin.review(record.key());
            if (review != null) {
                lines.add(record.key() + " is " + record.state() + " since "
                        + record.times().stateSince() + "; \"not executed\" from " + review.quiescentAt() + ". "
                        + review.recovery());
            }
        }
        // end::list[]
    }

    @Test
    void unresolved_keyInDoubt_isListedWithAllThatAPersonNeeds() {
        inDoubt();

        list();

        assertThat(lines)
                .containsExactly("charge-card:ORD-1 is IN_DOUBT since 2026-01-01T00:00:00Z;"
                        + " \"not executed\" from 2026-01-02T00:00:00Z. A late answer of the attempt would complete it."
                        + " Nothing else was agreed on: a person decides.");
    }

    @Test
    void decision_afterQuiescence_endsTheDoubt() {
        inDoubt();
        Admin admin = Admin.on(store);
        IdempotencyKey key = charge.keyOf(REQUEST);
        long version = admin.review(key).record().version();
        assertThatThrownBy(() -> admin.resolveNotExecuted(key, version, new Ruling("ada", "too early", "none")))
                .isInstanceOfSatisfying(
                        RefusedException.class,
                        refused -> assertThat(refused.until()).isEqualTo("2026-01-02T00:00:00Z"));
        clock.advance(Duration.ofHours(24));

        // tag::decide[]
        Admin.Review review = admin.review(key); // look at the provider, too, and then:
        var ruling = new Ruling("ada", "the provider has no such charge", "support ticket 4711");
        admin.resolveNotExecuted(key, review.record().version(), ruling);
        // end::decide[]

        assertThatThrownBy(() -> charge.execute(REQUEST)).isInstanceOf(NotExecutedException.class);
        assertThat(nativeKeys).hasSize(1);
    }

    @Test
    void override_approvedByASecondPerson_letsTheNewPayloadRunUnderANewNativeKey() {
        Admin admin = Admin.on(store);
        charge.execute(REQUEST);

        // tag::override[]
        var corrected = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");
        IdempotencyKey key = charge.keyOf(corrected);
        long version = admin.review(key).record().version();

        AuditEntry wish = admin.requestOverride(
                key,
                version,
                charge.fingerprintOf(corrected),
                new Ruling("ada", "wrong amount", "ch-1 is refunded, see re-77"));
        // ... somebody else looks at the record and at the provider, and then:
        admin.approveOverride(key, wish.id(), new Ruling("grace", "seen the refund", "re-77"));
        Charge second = charge.execute(corrected);
        // end::override[]

        assertThat(second).isEqualTo(new Charge("ch-2", 1250));
        assertThat(nativeKeys).hasSize(2);
        assertThatThrownBy(() -> charge.execute(REQUEST)).isInstanceOf(MismatchException.class);
        assertThatThrownBy(() -> admin.approveOverride(key, wish.id(), new Ruling("Ada", "why not", "none")))
                .isInstanceOf(RefusedException.class);

        // tag::audit[]
        for (AuditEntry entry : admin.audit(key, null, 100)) {
            lines.add(entry.at() + " " + entry.phase() + " " + entry.act() + " by " + entry.who() + ": " + entry.why());
        }
        // end::audit[]

        assertThat(lines)
                .containsExactly(
                        "2026-01-01T00:00:00Z APPLIED OVERRIDE by grace: seen the refund",
                        "2026-01-01T00:00:00Z INTENDED OVERRIDE by grace: seen the refund",
                        "2026-01-01T00:00:00Z REQUESTED OVERRIDE by ada: wrong amount");
    }

    @Test
    void withdrawal_ofAnOverrideThatNobodyCanUse_givesTheFirstResultBack() {
        Admin admin = Admin.on(store);
        Charge first = charge.execute(REQUEST);
        IdempotencyKey key = charge.keyOf(REQUEST);
        var mistyped = new ChargeRequest("ORD-1", 125_000, "EUR", "Ada");
        AuditEntry override = admin.requestOverride(
                key,
                admin.review(key).record().version(),
                charge.fingerprintOf(mistyped),
                new Ruling("ada", "wrong amount", "ticket 4711"));
        admin.approveOverride(key, override.id(), new Ruling("grace", "seen the ticket", "ticket 4711"));
        assertThatThrownBy(() -> charge.execute(REQUEST)).isInstanceOf(MismatchException.class);

        // tag::withdraw[]
        AuditEntry wish = admin.requestWithdrawal(
                key,
                admin.review(key).record().version(),
                new Ruling("ada", "the new payload had a wrong amount", "ticket 4712"));
        admin.approveWithdrawal(key, wish.id(), new Ruling("grace", "compared the two", "ticket 4712"));
        // end::withdraw[]

        assertThat(charge.execute(REQUEST)).isEqualTo(first);
        assertThat(nativeKeys).hasSize(1);
    }

    private static List<String> column(List<List<String>> table) {
        return table.stream().map(row -> row.get(0)).toList();
    }

    private static List<String> names(Enum<?>... constants) {
        return Arrays.stream(constants).map(Enum::name).toList();
    }

    @Test
    void tables_actsPhasesAndReasons_areThoseOfTheCode() throws Exception {
        assertThat(column(GUIDE.table("Reason", "The act is refused because", "Right would be")))
                .isEqualTo(names(RefusedException.Reason.values()));
        assertThat(column(GUIDE.table("Phase", "It says"))).isEqualTo(names(Phase.values()));
        var acts = GUIDE.table("Act", "From", "Needs", "The key is then", "Callers then get", "In the trail");
        assertThat(acts.stream().map(row -> row.get(5)).distinct())
                .containsExactlyInAnyOrder(names(Act.values()).toArray(new String[0]));
        var methods = Arrays.stream(Admin.class.getMethods())
                .map(method -> method.getName())
                .toList();
        assertThat(column(acts)).isSubsetOf(methods);
    }
}
