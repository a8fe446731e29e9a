package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The keys that somebody works through: a filter, and how far he has come. Travels with links and forms, so that the console
 * remembers nothing of it.
 *
 * @param state the name of one; empty for all
 * @param scope an operation or tenant; empty for all
 * @param older how long at least; empty for all
 * @param held whether only those that a person decides
 * @param limit how many are on a page
 * @param after the cursor of the last one; empty at the beginning
 */
record Queue(String state, String scope, String older, boolean held, String limit, String after) {
    static final List<String> LIMITS = List.of("50", "200", "1000");

    private static final String PREFIX = "q-";

    /** As the list's own address has it. */
    static Queue ofList(Fields fields) {
        return of(fields, "");
    }

    /** As the page and the form of one key have it, whose own scope is another. */
    static Queue ofKey(Fields fields) {
        return of(fields, PREFIX);
    }

    private static Queue of(Fields fields, String prefix) {
        String limit = fields.text(prefix + "limit");
        return new Queue(
                fields.text(prefix + "state"),
                fields.text(prefix + "scope"),
                fields.text(prefix + "older"),
                fields.text(prefix + "held").equals("yes"),
                LIMITS.contains(limit) ? limit : LIMITS.get(0),
                fields.text(prefix + "after"));
    }

    Queue after(@Nullable String cursor) {
        return new Queue(state, scope, older, held, limit, cursor == null ? "" : cursor);
    }

    Queue scope(String other) {
        return new Queue(state, other, older, held, limit, "");
    }

    /** @throws IllegalArgumentException if it does not say which keys */
    Admin.Query query(int atMost) {
        return new Admin.Query(
                held || state.isEmpty() ? null : State.valueOf(state),
                scope.isBlank() ? null : scope.strip(),
                older.isBlank() ? Duration.ZERO : Spans.parse(older.strip()),
                atMost,
                after.isBlank() ? null : Cursors.record(after.strip()));
    }

    /** The next key; null when there is none behind. */
    @Nullable
    IdempotencyRecord next(Admin admin) {
        List<IdempotencyRecord> found = Listing.read(admin, query(1), held).records();
        return found.isEmpty() ? null : found.get(0);
    }

    private Map<String, String> parameters(String prefix) {
        var parameters = new LinkedHashMap<String, String>();
        parameters.put(prefix + "state", state);
        parameters.put(prefix + "scope", scope);
        parameters.put(prefix + "older", older);
        parameters.put(prefix + "held", held ? "yes" : "");
        parameters.put(prefix + "limit", limit.equals(LIMITS.get(0)) ? "" : limit);
        parameters.put(prefix + "after", after);
        parameters.values().removeIf(String::isEmpty);
        return parameters;
    }

    /** The list from here on. */
    Target list() {
        return with(Target.path("/"), "");
    }

    /** That page with this queue. */
    Target on(Target page) {
        return with(page, PREFIX);
    }

    private Target with(Target page, String prefix) {
        Target target = page;
        for (var parameter : parameters(prefix).entrySet()) {
            target = target.with(parameter.getKey(), parameter.getValue());
        }
        return target;
    }

    /** As hidden fields of a form. */
    List<Html> hidden() {
        return parameters(PREFIX).entrySet().stream()
                .map(parameter -> FormParts.hidden(parameter.getKey(), parameter.getValue()))
                .toList();
    }
}
