package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The tables of meters are what a run registers: no meter, tag or value more on either side. */
final class MetricsTest {
    private static final List<Markdown> PAGES =
            List.of(Markdown.of("docs/metrics.md"), Markdown.of("docs/slack-metrics.md"));
    /** Tags whose values are names that a program has given. */
    private static final Set<String> NAMES = Set.of("operation", "step", "queue", "consumer", "method");

    private static final SimpleMeterRegistry REGISTRY = new SimpleMeterRegistry();

    @BeforeAll
    static void run() {
        MeasuredRun.in(REGISTRY);
    }

    /** Without the gauges that this registry shows buckets by. */
    private static List<Meter> meters() {
        return REGISTRY.getMeters().stream()
                .filter(meter -> meter.getId().syntheticAssociation() == null)
                .toList();
    }

    private static List<List<String>> rows(String... header) {
        return PAGES.stream().flatMap(page -> page.table(header).stream()).toList();
    }

    private static Set<String> words(String cell) {
        return Arrays.stream(cell.split(","))
                .map(word -> word.strip().replace("`", ""))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String type(Meter meter) {
        return meter.getId().getType().name().toLowerCase(Locale.ROOT);
    }

    private static Set<String> tags(Meter meter) {
        return meter.getId().getTags().stream().map(Tag::getKey).collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void meters_ofTheTableAndOfARun_areTheSame() {
        Map<String, String> told = new TreeMap<>();
        for (List<String> row : rows("Meter", "Type", "Tags", "What it says")) {
            told.put(row.get(0), row.get(1) + " " + words(row.get(2)));
        }
        Map<String, Set<String>> registered = meters().stream()
                .collect(Collectors.groupingBy(
                        meter -> meter.getId().getName(),
                        TreeMap::new,
                        Collectors.mapping(
                                meter -> type(meter) + " " + tags(meter), Collectors.toCollection(TreeSet::new))));

        assertThat(registered)
                .allSatisfy((name, kinds) -> assertThat(kinds).as(name).hasSize(1));
        assertThat(registered.entrySet().stream()
                        .collect(Collectors.toMap(
                                Map.Entry::getKey,
                                entry -> entry.getValue().iterator().next())))
                .isEqualTo(told);
        assertThat(meters())
                .allSatisfy(meter -> assertThat(meter.getId().getDescription())
                        .as(meter.getId().getName())
                        .isNotBlank());
    }

    @Test
    void values_ofTheTableAndOfARun_areTheSame() {
        var told = new TreeMap<String, Set<String>>();
        for (List<String> row : rows("Tag", "Of", "Values")) {
            told.put(row.get(1) + " " + row.get(0), words(row.get(2)));
        }
        told.remove("idempotency.recoveries outcome");
        var registered = new TreeMap<String, Set<String>>();
        for (Meter meter : meters()) {
            for (Tag tag : meter.getId().getTags()) {
                if (!NAMES.contains(tag.getKey())) {
                    registered
                            .computeIfAbsent(meter.getId().getName() + " " + tag.getKey(), name -> new TreeSet<>())
                            .add(tag.getValue());
                }
            }
        }

        assertThat(registered.remove("idempotency.recoveries outcome"))
                .contains("found", "in_doubt")
                .isSubsetOf(told.get("idempotency.executions outcome"));
        assertThat(registered).isEqualTo(told);
    }

    @Test
    void steps_ofARun_areWordsAndFew() {
        Set<String> steps = REGISTRY.getMeters().stream()
                .map(meter -> meter.getId().getTag("step"))
                .filter(step -> step != null)
                .collect(Collectors.toSet());

        assertThat(steps)
                .contains("reserve", "complete", "mark_in_doubt", "release", "list_unresolved")
                .hasSizeLessThan(20)
                .allMatch(step -> step.matches("[a-z_]+"));
    }

    @Test
    void examples_ofInboxAndSlack_bind() {
        var registry = new SimpleMeterRegistry();
        var store = CaffeineIdempotencyStore.create();
        try (var idempotency = Idempotency.on(store)) {
            SlackMetricsSnippets.measured(store, idempotency, registry);
        }
        assertThat(MetricsSnippets.measured(store, registry).depth().ready()).isZero();

        assertThat(registry.get("idempotency.inbox.offers").counters()).hasSize(4);
        assertThat(registry.get("idempotency.slack.spilled").gauge().value()).isZero();
    }

    @Test
    void example_binds() {
        try (var idempotency = MetricsSnippets.measured(
                CaffeineIdempotencyStore.create(), new SimpleMeterRegistry(), ObservationRegistry.create())) {
            assertThat(idempotency
                            .operation("charge", String.class, String.class)
                            .key(order -> order)
                            .calling((order, attempt) -> "ok")
                            .execute("o-1"))
                    .isEqualTo("ok");
        }
    }
}
