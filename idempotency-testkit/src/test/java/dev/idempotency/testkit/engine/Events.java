package dev.idempotency.testkit.engine;

import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyEvent.Type;
import dev.idempotency.IdempotencyListener;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Remembers every event, and waits for them. */
final class Events implements IdempotencyListener {
    private final Queue<IdempotencyEvent> all = new ConcurrentLinkedQueue<>();

    @Override
    public void on(IdempotencyEvent event) {
        all.add(event);
    }

    List<IdempotencyEvent> all() {
        return List.copyOf(all);
    }

    List<Type> types() {
        return all.stream().map(IdempotencyEvent::type).toList();
    }

    long count(Type type) {
        return all.stream().filter(event -> event.type() == type).count();
    }

    void await(Type type) {
        await(type, 1);
    }

    void await(Type type, int times) {
        Eventually.holds(times + " x " + type + ", but there are only " + types(), () -> count(type) >= times);
    }
}
