package dev.idempotency.jdbc;

import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.IdempotencyStore;
import dev.idempotency.testkit.Effect;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** What callers were told, held against the provider's ledger and the store's list. */
final class LedgerCheck {
    private final Map<String, Set<String>> answers = new ConcurrentHashMap<>();

    record Figures(int effects, int duplicates, int lost, int contradicting, int unlisted) {}

    void asked(String order) {
        answers.computeIfAbsent(order, o -> ConcurrentHashMap.newKeySet());
    }

    void answered(String order, String effectId) {
        answers.get(order).add(effectId);
    }

    Set<String> orders() {
        return answers.keySet();
    }

    boolean isAnswered(String order) {
        return !answers.get(order).isEmpty();
    }

    Figures figures(List<Effect> ledger, IdempotencyStore store) {
        Map<String, List<String>> effects = new HashMap<>();
        ledger.forEach(effect -> effects.computeIfAbsent(effect.reference(), o -> new ArrayList<>())
                .add(effect.effectId()));
        Set<String> listed = unresolved(store);
        int duplicates = 0;
        int lost = 0;
        int contradicting = 0;
        int unlisted = 0;
        int count = 0;
        for (String order : answers.keySet()) {
            List<String> had = effects.getOrDefault(order, List.of());
            count += had.size();
            duplicates += Math.max(0, had.size() - 1);
            lost += answers.get(order).stream().anyMatch(answer -> !had.contains(answer)) ? 1 : 0;
            contradicting += answers.get(order).size() > 1 ? 1 : 0;
            unlisted += !isAnswered(order) && !listed.contains(order) ? 1 : 0;
        }
        return new Figures(count, duplicates, lost, contradicting, unlisted);
    }

    private static Set<String> unresolved(IdempotencyStore store) {
        List<IdempotencyRecord> all = new ArrayList<>();
        List<IdempotencyRecord> page;
        do {
            page = store.listUnresolved(all.isEmpty() ? null : all.get(all.size() - 1), 100);
            all.addAll(page);
        } while (!page.isEmpty());
        return all.stream().map(record -> record.key().value()).collect(Collectors.toSet());
    }
}
