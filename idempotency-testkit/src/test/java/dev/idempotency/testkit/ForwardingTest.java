package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.store.AsyncStore;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
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
    private static final Snapshot SNAPSHOT = new Snapshot(false, null, Instant.EPOCH);
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
            Map.entry(Snapshot.class, SNAPSHOT),
            Map.entry(CompletionStage.class, CompletableFuture.completedFuture(SNAPSHOT)),
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
        return forwarded(IdempotencyStore.class, new Store(recording(IdempotencyStore.class)), Map.of());
    }

    @TestFactory
    Stream<DynamicTest> steps_ofAnInbox_goToTheOtherOne() {
        return forwarded(InboxStore.class, new Box(recording(InboxStore.class)), Map.of());
    }

    @TestFactory
    Stream<DynamicTest> steps_ofAWaitingStore_areTheAsynchronousOnesOfTheOther() {
        Map<String, String> others = steps(AsyncStore.class).stream()
                .map(Method::getName)
                .filter(name -> name.endsWith("Async"))
                .collect(Collectors.toMap(name -> name.replace("Async", ""), name -> name));
        assertThat(others).isNotEmpty();
        return forwarded(IdempotencyStore.class, new WaitingStore(recording(AsyncStore.class)), others);
    }

    /** Others are the names of steps that are not taken by their own name. */
    private <T> Stream<DynamicTest> forwarded(Class<T> type, T forwarding, Map<String, String> others) {
        assertThat(steps(type)).hasSizeGreaterThan(5);
        return steps(type).stream()
                .map(step -> DynamicTest.dynamicTest(step.getName(), () -> {
                    Object[] arguments = Arrays.stream(step.getParameterTypes())
                            .map(SAMPLES::get)
                            .toArray();
                    assertThat(arguments).doesNotContainNull();
                    calls.clear();

                    Object answer = step.invoke(forwarding, arguments);

                    String taken = others.getOrDefault(step.getName(), step.getName());
                    assertThat(calls).containsExactly(new Call(taken, List.of(arguments)));
                    assertThat(answer).isNotNull().isEqualTo(SAMPLES.get(step.getReturnType()));
                }));
    }

    @Test
    void nothing_toForwardTo_isRefused() {
        assertThatThrownBy(() -> new Store(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> new Box(null)).isInstanceOf(NullPointerException.class);
    }
}
