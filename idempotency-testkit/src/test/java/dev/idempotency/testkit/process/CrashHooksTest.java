package dev.idempotency.testkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Admin;
import dev.idempotency.Attempt;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.InDoubtException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import dev.idempotency.testkit.ManualClock;
import dev.idempotency.testkit.ReferenceStore;
import dev.idempotency.testkit.StoreWithTrail;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CrashHooksTest {
    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final ReferenceStore store = new ReferenceStore(clock);
    private final List<String> points = new ArrayList<>();
    private final CrashHooks hooks = new CrashHooks((point, key) -> points.add(point.id()));

    private Operation<String, String> operation(
            Recovery<String, String> recovery, Operation.Call<String, String> call) {
        return Idempotency.builder(hooks.store(store))
                .nanoTime(clock::nanoTime)
                .listener(hooks.listener())
                .build()
                .operation("pay", String.class, String.class)
                .key(request -> request.substring(0, 1))
                .recovery(recovery)
                .waitAtMost(Duration.ZERO)
                .calling(hooks.call(call));
    }

    private static String fail(String request, Attempt attempt) throws IOException {
        attempt.nativeKey();
        throw new IOException("no answer");
    }

    @Test
    void points_ofAFirstExecution_comeInOrder() {
        operation(Recovery.hold(), (request, attempt) -> "paid").execute("a");

        assertThat(points).containsExactly("CP01", "CP02", "CP03", "CP04", "CP10", "CP11", "CP12");
    }

    @Test
    void points_ofACallThatFails_areThoseOfTheDoubt() {
        assertThatThrownBy(
                        () -> operation(Recovery.hold(), CrashHooksTest::fail).execute("a"))
                .isInstanceOf(InDoubtException.class);

        assertThat(points).containsExactly("CP01", "CP02", "CP03", "CP04", "CP24");
    }

    @Test
    void points_ofACallThatSentNothing_areThoseOfTheRelease() {
        var operation = operation(Recovery.hold(), (request, attempt) -> {
            throw new NotExecutedException("refused", null);
        });
        assertThatThrownBy(() -> operation.execute("a")).isInstanceOf(NotExecutedException.class);
        assertThatThrownBy(() -> operation.execute("a")).isInstanceOf(NotExecutedException.class);

        assertThat(points)
                .containsExactly("CP01", "CP02", "CP03", "CP04", "CP23", "CP01", "CP01", "CP03", "CP04", "CP23");
    }

    @Test
    void points_ofALookup_areThoseOfItsFinding() {
        var missing = Recovery.<String, String>lookupThenReexecute(
                hooks.lookup((request, attempt) -> Finding.missing()),
                Quiescence.of(Duration.ZERO, Duration.ZERO)
                        .withPause(Duration.ZERO)
                        .withClockError(Duration.ZERO));
        assertThatThrownBy(() -> operation(missing, CrashHooksTest::fail).execute("a"))
                .isInstanceOf(InDoubtException.class);
        clock.advance(Duration.ofSeconds(2));
        points.clear();
        operation(missing, (request, attempt) -> "paid").execute("a");
        assertThat(points).containsExactly("CP01", "CP16", "CP17", "CP04", "CP10", "CP11", "CP12");

        points.clear();
        var found = Recovery.<String, String>lookup(hooks.lookup((request, attempt) -> Finding.found("paid")));
        operation(found, CrashHooksTest::fail).execute("b");
        assertThat(points).containsExactly("CP01", "CP02", "CP03", "CP04", "CP24", "CP15", "CP12");
    }

    @Test
    void points_ofASeal_areThoseOfItsAnswer() {
        var seal = Recovery.<String, String>seal(hooks.seal((request, attempt) -> Finding.missing()));
        assertThatThrownBy(() -> operation(seal, CrashHooksTest::fail).execute("a"))
                .isInstanceOf(InDoubtException.class);

        assertThat(points)
                .containsExactly("CP01", "CP02", "CP03", "CP04", "CP24", "CP19", "CP16", "CP17", "CP04", "CP24");
    }

    @Test
    void points_ofAReSend_areThoseOfTheNativeKey() {
        var resend = Recovery.<String, String>nativeKey(
                ProviderProfile.of("test", "test", ProviderProfile.KeyFormat.uuid(), ProviderProfile.ENDLESS));
        assertThatThrownBy(() -> operation(resend, CrashHooksTest::fail).execute("a"))
                .isInstanceOf(InDoubtException.class);

        assertThat(points).containsExactly("CP01", "CP02", "CP03", "CP04", "CP24", "CP18", "CP04", "CP24");
    }

    @Test
    void points_ofALapsedAttempt_areThoseOfWhoeverFindsIt() {
        var dying = operation(Recovery.hold(), (request, attempt) -> {
            throw new Death();
        });
        // The process dies in the call: nothing of it goes on.
        var writes = new CrashHooks((point, key) -> {
            if (point == CrashPoint.CP24_BEFORE_MARK_IN_DOUBT) {
                throw new Death();
            }
        });
        var first = Idempotency.builder(writes.store(store))
                .nanoTime(clock::nanoTime)
                .build()
                .operation("pay", String.class, String.class)
                .key(request -> request)
                .calling((request, attempt) -> {
                    throw new IOException("no answer");
                });
        assertThatThrownBy(() -> first.execute("a")).isInstanceOf(Death.class);
        clock.advance(Duration.ofSeconds(31));

        assertThatThrownBy(() -> dying.execute("a")).isInstanceOf(InDoubtException.class);
        assertThat(points).containsExactly("CP01", "CP14");
    }

    private static final class Death extends Error {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void points_ofAnOverrideAndAPurge_areThoseOfAPerson() {
        var operation = operation(Recovery.hold(), (request, attempt) -> "paid");
        operation.execute("a1");
        points.clear();
        var admin = Admin.on(new StoreWithTrail(hooks.store(store), store));
        var key = operation.keyOf("a2");
        var wish = admin.requestOverride(
                key,
                admin.review(key).record().version(),
                operation.fingerprintOf("a2"),
                new Admin.Ruling("ada", "wrong amount", "none"));
        admin.approveOverride(key, wish.id(), new Admin.Ruling("bob", "refunded", "none"));
        hooks.store(store).purge(10);

        assertThat(points).containsExactly("CP20", "CP22");
    }

    @Test
    void ids_ofAllPoints_countFromOne() {
        for (CrashPoint point : CrashPoint.values()) {
            assertThat(point.id()).isEqualTo(String.format("CP%02d", point.ordinal() + 1));
        }
        assertThat(CrashPoint.values()).hasSize(24);
    }
}
