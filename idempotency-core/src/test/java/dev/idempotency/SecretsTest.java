package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import dev.idempotency.store.Write;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Payloads and results end up in no message and no log line. */
final class SecretsTest {
    private static final String SECRET = "secret-4711";

    private record Payment(String order, String card) {}

    private record Receipt(String token) {}

    private static StoredResult secretResult(StoredResult.Kind kind) {
        return new StoredResult(kind, "json", SECRET.getBytes(StandardCharsets.UTF_8));
    }

    static Stream<Object> values() {
        var result = secretResult(StoredResult.Kind.RESULT);
        var line = new Evidence(Evidence.Kind.CONFLICT, Standing.NOW, 1, "an answer", result);
        IdempotencyRecord record = Standing.in(State.COMPLETED)
                .with()
                .result(result)
                .nativeKey(SECRET)
                .evidence(List.of(line))
                .build();
        var write = new Write(record, false, false, true, null, Duration.ofDays(1), Duration.ZERO);
        return Stream.of(
                result,
                secretResult(StoredResult.Kind.DECLINED),
                line,
                record,
                write,
                new Snapshot(true, record, Standing.NOW),
                Decision.change(Decision.Reason.COMPLETED, write),
                new Event.Complete(Standing.OWN, 3, 1, result, Standing.SPANS),
                new Event.Found(Standing.OWN, result, Standing.SPANS),
                Finding.found(new Receipt(SECRET)),
                Answer.of(() -> new Receipt(SECRET)),
                Answer.failed(() -> new DeclinedException(SECRET)),
                new RunningAttempt(record, null),
                new DeclinedException(SECRET),
                Canonical.fingerprint(
                        new Payment("o-1", SECRET),
                        Idempotency.on(CaffeineIdempotencyStore.create()).json()));
    }

    @ParameterizedTest
    @MethodSource("values")
    void toString_ofAValueWithASecret_doesNotHaveIt(Object value) {
        assertThat(value.toString()).doesNotContain(SECRET);
    }

    @Test
    void exceptions_andEvents_ofEveryEnding_doNotHaveIt() {
        var events = new ArrayList<IdempotencyEvent>();
        try (var idempotency = Idempotency.builder(CaffeineIdempotencyStore.create())
                .listener(events::add)
                .build()) {
            Stream.<Operation.Call<Payment, Receipt>>of(
                            (payment, attempt) -> new Receipt(SECRET),
                            (payment, attempt) -> {
                                throw new DeclinedException(SECRET);
                            },
                            (payment, attempt) -> {
                                throw new NotExecutedException("The circuit is open", null);
                            },
                            (payment, attempt) -> {
                                throw new IllegalStateException(SECRET);
                            },
                            (payment, attempt) -> {
                                throw new AssertionError(SECRET);
                            })
                    .forEach(call -> {
                        var operation = idempotency
                                .operation("pay-" + events.size(), Payment.class, Receipt.class)
                                .key(Payment::order)
                                .waitAtMost(Duration.ZERO)
                                .calling(call);
                        for (String card : List.of(SECRET, SECRET, SECRET + "x")) {
                            Throwable failure = catchThrowable(() -> operation.execute(new Payment("o-1", card)));
                            if (failure != null) {
                                assertThat(failure).isInstanceOf(IdempotencyException.class);
                                assertThat(failure.getMessage())
                                        .doesNotContain(SECRET)
                                        .contains("pay-");
                            }
                        }
                    });
        }
        assertThat(events)
                .hasSizeGreaterThan(10)
                .allSatisfy(event -> assertThat(event.toString()).doesNotContain(SECRET));
    }

    @Test
    void badInput_isRefusedWithoutRepeatingIt() {
        var operation = Idempotency.on(CaffeineIdempotencyStore.create())
                .operation("pay", Payment.class, Receipt.class)
                .key(Payment::order)
                .tenant(Payment::card)
                .calling((payment, attempt) -> new Receipt(SECRET));

        for (Payment bad : List.of(
                new Payment(SECRET + "\n", "t"),
                new Payment(SECRET + "\uD83D", "t"),
                new Payment(SECRET.repeat(1000), "t"),
                new Payment("o-1", SECRET + "\n"),
                new Payment("o-1", SECRET.repeat(10)),
                new Payment("\n", SECRET))) {
            assertThat(catchThrowable(() -> operation.execute(bad)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageNotContaining(SECRET);
        }
        var noText = new Payment("o-1", SECRET + "\uD83D");
        assertThat(catchThrowable(() -> Canonical.fingerprint(
                        noText,
                        Idempotency.on(CaffeineIdempotencyStore.create()).json())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining(SECRET);
    }

    @Test
    void decline_givesItsReasonToTheCaller_whoAskedForIt() {
        assertThat(new DeclinedException(SECRET).reason()).isEqualTo(SECRET);
    }
}
