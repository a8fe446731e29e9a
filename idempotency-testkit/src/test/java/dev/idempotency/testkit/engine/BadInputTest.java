package dev.idempotency.testkit.engine;

import static dev.idempotency.testkit.engine.Shop.ORDER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.jsontype.BasicPolymorphicTypeValidator;
import dev.idempotency.Guarantee;
import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Providers;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import java.io.InputStream;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class BadInputTest {
    private final Shop shop = Shop.open();

    @AfterEach
    void close() {
        shop.close();
    }

    private void nothingWasWrittenOrCalled() {
        assertThat(shop.store.steps()).isZero();
        assertThat(shop.calls).hasValue(0);
    }

    @Test
    void execute_nullRequest_isRefused() {
        var charge = shop.charge().calling(shop.working());

        assertThatThrownBy(() -> charge.execute(Unruly.nothing())).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> charge.executeAsync(Unruly.nothing())).isInstanceOf(NullPointerException.class);
        nothingWasWrittenOrCalled();
    }

    @Test
    void execute_nullKey_isRefused() {
        var charge = shop.idempotency
                .operation("charge", Order.class, Receipt.class)
                .key(order -> Unruly.nothing())
                .calling(shop.working());

        assertThatThrownBy(() -> charge.execute(ORDER))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("what its key is made of is null");
        nothingWasWrittenOrCalled();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "\t", "a\nb", "\u0000", "\uD800", "a\uDC00b"})
    void execute_keyThatIsNoText_isRefused(String id) {
        var charge = shop.charge().calling(shop.working());

        assertThatThrownBy(() -> charge.execute(new Order(id, 1))).isInstanceOf(IllegalArgumentException.class);
        nothingWasWrittenOrCalled();
    }

    @Test
    void execute_keyOfMoreThan8192Characters_isRefusedAndOneShorterIsDigested() {
        var charge = shop.charge().calling(shop.working());

        assertThatThrownBy(() -> charge.execute(new Order("k".repeat(8193), 1)))
                .isInstanceOf(IllegalArgumentException.class);
        nothingWasWrittenOrCalled();

        var longest = new Order("k".repeat(8192), 1);
        charge.execute(longest);
        assertThat(charge.execute(longest)).isEqualTo(new Receipt("effect-1", 1));
        assertThat(charge.keyOf(longest).value()).startsWith("sha256:").hasSize(71);
    }

    static Object anonymous(Order order) {
        return new Object();
    }

    @ParameterizedTest
    @MethodSource("textlessKeys")
    void execute_keyWhoseTextDiffersFromRunToRun_isRefused(Function<Order, Object> part) {
        var charge = shop.idempotency
                .operation("charge", Order.class, Receipt.class)
                .key(part)
                .calling(shop.working());

        assertThatThrownBy(() -> charge.execute(ORDER)).isInstanceOf(IllegalArgumentException.class);
        nothingWasWrittenOrCalled();
    }

    static Stream<Function<Order, Object>> textlessKeys() {
        return Stream.of(order -> new int[] {1}, order -> new byte[0], BadInputTest::anonymous);
    }

    static Stream<Function<Operation.Builder<Order, Receipt>, Operation.Builder<Order, Receipt>>> failingFunctions() {
        return Stream.of(
                builder -> builder.key(order -> {
                    throw new IllegalStateException("key");
                }),
                builder -> builder.key(Order::id).tenant(order -> {
                    throw new IllegalStateException("tenant");
                }),
                builder -> builder.key(Order::id).fingerprint(order -> {
                    throw new IllegalStateException("fingerprint");
                }));
    }

    @ParameterizedTest
    @MethodSource("failingFunctions")
    void execute_functionOfTheRequestFails_passesItsExceptionOnAndWritesNothing(
            Function<Operation.Builder<Order, Receipt>, Operation.Builder<Order, Receipt>> functions) {
        var charge = functions
                .apply(shop.idempotency.operation("charge", Order.class, Receipt.class))
                .calling(shop.working());

        assertThatThrownBy(() -> charge.execute(ORDER)).isInstanceOf(IllegalStateException.class);
        nothingWasWrittenOrCalled();
    }

    /** Refers to itself. */
    static final class Loop {
        public Loop getSelf() {
            return this;
        }
    }

    private static Object nested(int depth) {
        Object value = "leaf";
        for (int i = 0; i < depth; i++) {
            value = List.of(value);
        }
        return value;
    }

    static Stream<Object> payloadsWithoutCanonicalForm() {
        return Stream.of(
                Double.NaN,
                Map.of("rate", Double.POSITIVE_INFINITY),
                List.of("a\uD800"),
                Map.of("\uDC00", 1),
                new Loop(),
                nested(100_000),
                new Object(),
                new BigDecimal("1E+100000"));
    }

    @ParameterizedTest(name = "{index}")
    @MethodSource("payloadsWithoutCanonicalForm")
    void execute_requestWithoutCanonicalForm_isRefusedBeforeAnythingIsWritten(Object payload) {
        var charge = shop.charge().fingerprint(order -> payload).calling(shop.working());

        assertThatThrownBy(() -> charge.execute(ORDER))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no canonical JSON form");
        assertThatThrownBy(() -> charge.executeAsync(ORDER)).isInstanceOf(IllegalArgumentException.class);
        nothingWasWrittenOrCalled();
    }

    @Test
    void build_resultTypeThatCannotBeStored_isRefused() {
        for (Class<?> type : List.of(Thread.class, Object.class, Runnable.class, InputStream.class)) {
            var builder =
                    shop.idempotency.operation("charge", Order.class, type).key(Order::id);
            assertThatThrownBy(() -> builder.calling((order, attempt) -> Unruly.nothing()))
                    .as(type.getName())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(type.getName());
        }
    }

    @Test
    void build_withoutKey_isRefused() {
        assertThatThrownBy(() -> shop.idempotency
                        .operation("charge", Order.class, Receipt.class)
                        .calling(shop.working()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("key(..)");
    }

    @Test
    void build_keyTwice_isRefused() {
        assertThatThrownBy(() -> shop.charge().key(Order::amount)).isInstanceOf(IllegalStateException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "-a", "a b", "a/b", "a:b", "\u00e4"})
    void operation_nameThatIsNone_isRefused(String name) {
        assertThatThrownBy(() -> shop.idempotency.operation(name, Order.class, Receipt.class))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static void refused(ThrowingCallable setting) {
        assertThatThrownBy(setting).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("must be");
    }

    @Test
    void settings_negativeOrAbsurdDurations_areRefused() {
        var charge = shop.charge();
        Duration forever = Duration.ofSeconds(Long.MAX_VALUE);
        Duration negative = Duration.ofSeconds(-1);

        for (Duration bad : List.of(forever, negative)) {
            refused(() -> charge.lease(bad));
            refused(() -> charge.callTimeout(bad));
            refused(() -> charge.recoveryTimeout(bad));
            refused(() -> charge.waitAtMost(bad));
            refused(() -> charge.retention(bad));
            assertThatThrownBy(() -> charge.tombstone(bad)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> charge.retryHorizon(bad)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> Quiescence.of(bad, Duration.ZERO)).isInstanceOf(IllegalArgumentException.class);
        }
        refused(() -> charge.lease(Duration.ZERO));
        refused(() -> charge.callTimeout(Duration.ZERO));
        refused(() -> charge.recoveryTimeout(Duration.ZERO));
        refused(() -> charge.retention(Duration.ZERO));
        assertThat(charge.waitAtMost(Duration.ZERO).tombstone(Duration.ZERO).calling(shop.working()))
                .isNotNull();
    }

    @Test
    void nativeKey_withoutWindow_isRefused() {
        assertThatThrownBy(() -> Recovery.nativeKey(Providers.ADYEN))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("withWindow");
        assertThatThrownBy(() -> Recovery.nativeKey(ProviderProfile.of(
                        "short", "these tests", ProviderProfile.KeyFormat.uuid(), Duration.ofMinutes(6))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("window");
    }

    @Test
    void build_quiescenceTooShort_isRefusedUnlessDuplicatesAreAccepted() {
        Quiescence tooShort = Quiescence.of(Duration.ofSeconds(10), Duration.ZERO);
        tooShort = tooShort.withPeriod(tooShort.bound());
        var builder =
                shop.charge().recovery(Recovery.lookupThenReexecute((order, attempt) -> Unruly.nothing(), tooShort));

        assertThat(builder.explain().level()).isEqualTo(Guarantee.Level.X);
        assertThatThrownBy(() -> builder.calling(shop.working()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("P7");
        assertThatThrownBy(() -> builder.acceptDuplicates(" ")).isInstanceOf(IllegalArgumentException.class);
        var accepted = builder.acceptDuplicates("the provider ignores repeats").calling(shop.working());
        assertThat(accepted.explain().level()).isEqualTo(Guarantee.Level.X);
    }

    @Test
    void build_retentionNotLongerThanTheRetryHorizon_isRefused() {
        var builder = shop.charge().retention(Duration.ofDays(1)).retryHorizon(Duration.ofDays(1));

        assertThatThrownBy(() -> builder.calling(shop.working()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("P6");
    }

    @Test
    void json_withTypeNames_isRefused() {
        var typed = JsonMapper.builder()
                .activateDefaultTyping(BasicPolymorphicTypeValidator.builder().build())
                .build();

        assertThatThrownBy(() -> Idempotency.builder(shop.store).json(typed))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
