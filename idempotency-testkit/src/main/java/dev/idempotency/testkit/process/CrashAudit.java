package dev.idempotency.testkit.process;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.process.MatrixOrder.Receipt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What became of one order: from the provider's ledger, from the rows, and from what callers were told. Nothing that the engine
 * says about itself counts. An amount stands for a generation: each has an amount of its own.
 */
final class CrashAudit {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** What a caller was told: the name of an effect, or {@code closed}. */
    record Told(long amount, String what) {}

    private int duplicates;
    private int lost;
    private int inDoubt;
    private int unlisted;
    private final List<String> findings = new ArrayList<>();

    int duplicates() {
        return duplicates;
    }

    int lost() {
        return lost;
    }

    int inDoubt() {
        return inDoubt;
    }

    int unlisted() {
        return unlisted;
    }

    List<String> findings() {
        return List.copyOf(findings);
    }

    /**
     * Audits an order.
     *
     * @param amounts the amounts that may have been paid, one for each generation
     * @param effects what the provider did for it
     * @param told what callers were told
     * @param row what stands in the store now; null for none
     * @param listed whether the store lists it as unresolved
     * @param forgotten whether its row may be gone by now
     */
    void audit(
            String id,
            List<Long> amounts,
            List<Effect> effects,
            List<Told> told,
            @Nullable IdempotencyRecord row,
            boolean listed,
            boolean forgotten) {
        var seen = new HashSet<Long>();
        for (Effect effect : effects) {
            long amount = amount(effect);
            if (!seen.add(amount) || !amounts.contains(amount)) {
                duplicates++;
                findings.add("duplicate: " + id + " has " + effects);
            }
        }
        for (long amount : amounts) {
            auditAnswers(id, amount, effects, told);
        }
        if (row != null && row.generation() > amounts.size()) {
            duplicates++;
            findings.add("duplicate: " + id + " has come to generation " + row.generation());
        }
        auditRow(id, effects, told, row, listed, forgotten);
    }

    private static long amount(Effect effect) {
        try {
            return JSON.readTree(effect.payload()).path("amount").asLong();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isIn(List<Effect> effects, String name, long amount) {
        return effects.stream().anyMatch(effect -> effect.effectId().equals(name) && amount(effect) == amount);
    }

    private void auditAnswers(String id, long amount, List<Effect> effects, List<Told> told) {
        Set<String> all = new HashSet<>();
        told.stream().filter(one -> one.amount() == amount).forEach(one -> all.add(one.what()));
        if (all.size() > 1) {
            lost++;
            findings.add("lost: callers of " + id + " were told " + all);
        }
        for (String what : all) {
            boolean isTrue = what.equals("closed")
                    ? effects.stream().noneMatch(effect -> amount(effect) == amount)
                    : isIn(effects, what, amount);
            if (!isTrue) {
                lost++;
                findings.add("lost: a caller of " + id + " was told " + what + ", and the ledger has " + effects);
            }
        }
    }

    private void auditRow(
            String id,
            List<Effect> effects,
            List<Told> told,
            @Nullable IdempotencyRecord row,
            boolean listed,
            boolean forgotten) {
        State state = row == null ? State.OPEN : row.state();
        if (row != null && state == State.COMPLETED) {
            Receipt receipt = receipt(row);
            if (!isIn(effects, receipt.effect(), receipt.amount())
                    || !receipt.order().equals(id)) {
                lost++;
                findings.add("lost: the row of " + id + " has " + receipt + ", and the ledger has " + effects);
            }
            if (told.stream()
                    .anyMatch(one ->
                            one.amount() == receipt.amount() && !one.what().equals(receipt.effect()))) {
                lost++;
                findings.add("lost: the row of " + id + " has " + receipt + ", and callers were told " + told);
            }
        } else if (state == State.CLOSED && row != null && effects.size() >= row.generation()) {
            lost++;
            findings.add("lost: the row of " + id + " is closed, and the ledger has " + effects);
        } else if (state.isUnresolved()) {
            inDoubt++;
            if (!listed) {
                unlisted++;
                findings.add("unlisted: " + row);
            }
        } else if (state == State.OPEN && !forgotten) {
            unlisted++;
            findings.add("unlisted: " + id + " is neither resolved nor unresolved; the ledger has " + effects);
        }
    }

    private static Receipt receipt(IdempotencyRecord row) {
        try {
            return row.result() == null
                    ? new Receipt("nothing", "", 0)
                    : JSON.readValue(row.result().bytes(), Receipt.class);
        } catch (IOException e) {
            return new Receipt("unreadable", "", 0);
        }
    }
}
