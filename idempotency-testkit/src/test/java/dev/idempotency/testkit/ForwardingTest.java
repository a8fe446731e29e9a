package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.store.AttemptToken;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.store.Snapshot;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.Write;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Each step goes to the other store, as it is; one that is added to an interface later, with a body of its own, too. */
final class ForwardingTest {
    private static final class Store extends ForwardingStore {
        Store(IdempotencyStore store) {
            super(store);
        }
    }

    private static final class Box extends ForwardingInbox {
        Box(InboxStore store) {
            super(store);
        }
    }

    private record Call(String method, List<Object> arguments) {}

    private static final Write WRITE = StoreRecords.reservation("scope", "value");
    private static final InboxMessage MESSAGE =
            new InboxMessage(new IdempotencyKey("queue", "key"), new byte[] {1}, Map.of());

    /** Something of each type that goes to a store or comes from it. */
    private static final Map<Class<?>, Object> SAMPLES = Map.ofEntries(
            Map.entry(int.class, 7),
            Map.entry(boolean.class, true),
            Map.entry(String.class, "text"),
            Map.entry(Duration.class, Duration.ofSeconds(8)),
            Map.entry(List.class, List.of("one")),
            Map.entry(IdempotencyKey.class, MESSAGE.key()),
            Map.entry(Write.class, WRITE),
            Map.entry(IdempotencyRecord.class, WRITE.next()),
            Map.entry(Snapshot.class, new Snapshot(false, null, Instant.EPOCH)),
            Map.entry(StoreClass.class, StoreClass.LOSSY),
            Map.entry(InboxMessage.class, MESSAGE),
            Map.entry(
                    InboxClaim.class,
                    new InboxClaim(MESSAGE, AttemptToken.random(), 1, Instant.EPOCH, Instant.EPOCH, null)),
            Map.entry(DeadLetter.class, new DeadLetter(MESSAGE, 1, Instant.EPOCH, Instant.EPOCH, "reason")),
            Map.entry(InboxDepth.class, new InboxDepth(1, 2, 3, 4, Duration.ZERO)),
            Map.entry(InboxStore.Offered.class, InboxStore.Offered.DUPLICATE));

    private final List<Call> calls = new ArrayList<>();

    /** What is asked here is written down. */
    private <T> T recording(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, given) -> {
                    calls.add(new Call(method.getName(), Arrays.asList(given == null ? new Object[0] : given)));
                    return SAMPLES.get(method.getReturnType());
                }));
    }

    private static List<Method> steps(Class<?> type) {
        return Arrays.stream(type.getMethods())
                .filter(method -> !Modifier.isStatic(method.getModifiers()))
                .toList();
    }

    @TestFactory
    Stream<DynamicTest> steps_ofAStore_goToTheOtherOne() {
        return forwarded(IdempotencyStore.class, new Store(recording(IdempotencyStore.class)));
    }

    @TestFactory
    Stream<DynamicTest> steps_ofAnInbox_goToTheOtherOne() {
        return forwarded(InboxStore.class, new Box(recording(InboxStore.class)));
    }

    private <T> Stream<DynamicTest> forwarded(Class<T> type, T forwarding) {
        assertThat(steps(type)).hasSizeGreaterThan(5);
        return steps(type).stream()
                .map(step -> DynamicTest.dynamicTest(step.getName(), () -> {
                    Object[] arguments = Arrays.stream(step.getParameterTypes())
                            .map(SAMPLES::get)
                            .toArray();
                    assertThat(arguments).doesNotContainNull();
                    calls.clear();

                    Object answer = step.invoke(forwarding, arguments);

                    assertThat(calls).containsExactly(new Call(step.getName(), List.of(arguments)));
                    assertThat(answer).isNotNull().isEqualTo(SAMPLES.get(step.getReturnType()));
                }));
    }

    @Test
    void nothing_toForwardTo_isRefused() {
        assertThatThrownBy(() -> new Store(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> new Box(null)).isInstanceOf(NullPointerException.class);
    }
}
