package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.redis.RedisIdempotencyStore;
import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.testkit.SlackSimulator;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Holds the public types of the modules beside core against the page on them; core holds its own. */
final class ApiTest {
    private static final List<List<String>> ROWS =
            Markdown.of("docs/api.md").table("Module's package", "Type", "What it is");

    private static List<Class<?>> publicTypes() throws Exception {
        var types = new ArrayList<Class<?>>();
        for (Class<?> one : List.of(
                JdbcIdempotencyStore.class, RedisIdempotencyStore.class, SlackIntake.class, SlackSimulator.class)) {
            types.addAll(Compiled.publicTypes(one).toList());
        }
        return types;
    }

    @Test
    void types_besideCore_areThoseOfThePage() throws Exception {
        assertThat(ROWS.stream().map(row -> row.get(0) + "." + row.get(1)))
                .containsExactlyInAnyOrderElementsOf(
                        publicTypes().stream().map(Class::getName).toList());
    }

    @Test
    void types_besideCore_areFinal() throws Exception {
        assertThat(publicTypes())
                .filteredOn(type -> !type.isInterface() && !Modifier.isFinal(type.getModifiers()))
                .isEmpty();
    }

    @Test
    void everyLine_saysSomething() {
        assertThat(ROWS)
                .allSatisfy(row -> assertThat(row.get(2)).hasSizeGreaterThan(20).endsWith("."));
    }
}
