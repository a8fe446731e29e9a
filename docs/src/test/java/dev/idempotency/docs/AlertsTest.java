package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** Alert rules and dashboard name only what a scrape has. */
final class AlertsTest {
    private static final Path RULES = Markdown.ROOT.resolve("docs/alerts/idempotency.rules.yml");
    private static final Path DASHBOARD = Markdown.ROOT.resolve("docs/dashboards/idempotency.json");
    private static final Pattern SAMPLE = Pattern.compile("([a-z_]+)(?:\\{(.*)})? \\S+");
    private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"([^\"]*)\"");
    private static final Pattern LABEL_VALUES = Pattern.compile("label_values\\((\\w+), (\\w+)\\)");
    private static final Pattern IN_TEXT = Pattern.compile("\\$labels\\.(\\w+)|\\{\\{(\\w+)}}");

    /** Metric to label to values. */
    private static final Map<String, Map<String, Set<String>>> SCRAPED = new TreeMap<>();

    @BeforeAll
    static void scrape() {
        var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        MeasuredRun.in(registry);
        registry.scrape().lines().filter(line -> !line.startsWith("#")).forEach(line -> {
            var sample = SAMPLE.matcher(line);
            assertThat(sample.matches()).as(line).isTrue();
            var labels = SCRAPED.computeIfAbsent(sample.group(1), name -> new HashMap<>());
            var label = LABEL.matcher(sample.group(2) == null ? "" : sample.group(2));
            while (label.find()) {
                labels.computeIfAbsent(label.group(1), name -> new HashSet<>()).add(label.group(2));
            }
        });
    }

    /** What an expression names and no scrape has. */
    private static List<String> wrong(String expression) {
        var wrong = new ArrayList<String>();
        Promql promql = Promql.of(expression);
        if (promql.selectors().isEmpty()) {
            wrong.add("no metric in " + expression);
        }
        for (Promql.Selector selector : promql.selectors()) {
            var labels = SCRAPED.get(selector.metric());
            if (labels == null) {
                wrong.add("metric " + selector.metric());
                continue;
            }
            for (String label : promql.grouping()) {
                if (!labels.containsKey(label)) {
                    wrong.add("label " + label + " of " + selector.metric());
                }
            }
            selector.matchers().forEach((label, matcher) -> {
                if (!labels.containsKey(label)) {
                    wrong.add("label " + label + " of " + selector.metric());
                } else if (matcher.matches("=[^~$].*") && !labels.get(label).contains(matcher.substring(1))) {
                    wrong.add("value " + label + matcher + " of " + selector.metric());
                }
            });
        }
        return wrong;
    }

    private static List<Map<String, Object>> rules() throws IOException {
        Map<String, List<Map<String, List<Map<String, Object>>>>> file =
                new Yaml(new SafeConstructor(new LoaderOptions())).load(Files.readString(RULES));
        return file.get("groups").stream()
                .flatMap(group -> group.get("rules").stream())
                .toList();
    }

    private static List<JsonNode> panels() throws IOException {
        var panels = new ArrayList<JsonNode>();
        new ObjectMapper().readTree(DASHBOARD.toFile()).get("panels").forEach(panels::add);
        return panels;
    }

    private static Set<String> labelsIn(String text) {
        var labels = new TreeSet<String>();
        var found = IN_TEXT.matcher(text);
        while (found.find()) {
            labels.add(found.group(1) == null ? found.group(2) : found.group(1));
        }
        return labels;
    }

    @Test
    void rules_nameOnlyWhatIsScraped() throws IOException {
        var names = new HashSet<Object>();
        for (Map<String, Object> rule : rules()) {
            String expression = (String) rule.get("expr");
            assertThat(wrong(expression)).as("%s", rule.get("alert")).isEmpty();
            assertThat(names.add(rule.get("alert")))
                    .as("%s is the only one", rule.get("alert"))
                    .isTrue();
        }
        assertThat(names).hasSizeGreaterThan(4).allMatch(name -> ((String) name).matches("Idempotency[A-Za-z]+"));
    }

    @Test
    void rules_haveSeveritySummaryAndARunbook() throws IOException {
        Markdown runbooks = Markdown.of("docs/runbooks.md");
        var linked = new HashSet<String>();
        for (Map<String, Object> rule : rules()) {
            var annotations = (Map<?, ?>) rule.get("annotations");
            String summary = (String) annotations.get("summary");
            assertThat(summary).isNotBlank();
            assertThat((String) annotations.get("description")).isNotBlank();
            assertThat(Promql.of((String) rule.get("expr")).grouping()).containsAll(labelsIn(summary));
            assertThat(((Map<?, ?>) rule.get("labels")).get("severity")).isIn("warning", "critical");
            String link = (String) annotations.get("runbook_url");
            assertThat(link).startsWith("docs/runbooks.md#");
            linked.add(link.substring(link.indexOf('#') + 1));
        }
        assertThat(runbooks.anchors()).containsAll(linked);
        assertThat(linked)
                .as("every section is some alert's")
                .hasSize(runbooks.anchors().size() - 1);
    }

    @Test
    void dashboard_namesOnlyWhatIsScraped() throws IOException {
        int expressions = 0;
        for (JsonNode panel : panels()) {
            assertThat(panel.get("description").asText()).isNotBlank();
            for (JsonNode target : panel.get("targets")) {
                String expression = target.get("expr").asText();
                assertThat(wrong(expression)).as(panel.get("title").asText()).isEmpty();
                assertThat(Promql.of(expression).grouping())
                        .as("legend of %s", panel.get("title").asText())
                        .containsAll(labelsIn(target.get("legendFormat").asText()));
                expressions++;
            }
        }
        assertThat(expressions).isGreaterThan(10);
        for (JsonNode variable : new ObjectMapper().readTree(DASHBOARD.toFile()).at("/templating/list")) {
            if (variable.get("type").asText().equals("query")) {
                var query = LABEL_VALUES.matcher(variable.get("query").asText());
                assertThat(query.matches()).isTrue();
                assertThat(SCRAPED.get(query.group(1))).containsKey(query.group(2));
            }
        }
    }

    @Test
    void dashboard_panels_haveTheirOwnPlaces() throws IOException {
        var places = new HashSet<String>();
        var ids = new HashSet<Integer>();
        for (JsonNode panel : panels()) {
            assertThat(places.add(panel.get("gridPos").toString())).isTrue();
            assertThat(ids.add(panel.get("id").asInt())).isTrue();
        }
    }

    @Test
    void dashboard_showsEveryMeter() throws IOException {
        var shown = new HashSet<String>();
        for (JsonNode panel : panels()) {
            panel.get("targets")
                    .forEach(target -> Promql.of(target.get("expr").asText())
                            .selectors()
                            .forEach(selector -> shown.add(selector.metric())));
        }
        for (String page : List.of("docs/metrics.md", "docs/slack-metrics.md")) {
            for (List<String> row : Markdown.of(page).table("Meter", "Type", "Tags", "What it says")) {
                String prefix = row.get(0).replace('.', '_');
                assertThat(shown).as(row.get(0)).anyMatch(metric -> metric.startsWith(prefix));
            }
        }
    }

    @Test
    void wrongNames_arePlanted_andFound() {
        assertThat(wrong("rate(idempotency_replay_total[5m])")).containsExactly("metric idempotency_replay_total");
        assertThat(wrong("sum by (operations) (rate(idempotency_replays_total[5m])) > 0"))
                .containsExactly("label operations of idempotency_replays_total");
        assertThat(wrong("idempotency_store_steps_seconds_count{result=\"failed\"}"))
                .containsExactly("label result of idempotency_store_steps_seconds_count");
        assertThat(wrong("idempotency_store_steps_seconds_count{outcome=\"fail\", step='reserve'}"))
                .containsExactly("value outcome=fail of idempotency_store_steps_seconds_count");
        assertThat(wrong("1 > 0")).isNotEmpty();
        assertThat(wrong("max(idempotency_in_doubt) > 1 and idempotency_executions_total > 0"))
                .containsExactly("metric idempotency_executions_total");
        assertThatThrownBy(() -> wrong("summ(idempotency_in_doubt)")).hasMessageContaining("summ");
        assertThatThrownBy(() -> wrong("sum(idempotency_in_doubt) & 1")).hasMessageContaining("& 1");
        assertThat(wrong("max(idempotency_in_doubt offset 30m) > 1")).isEmpty();
        assertThat(wrong("rate(idempotency_slack_deliveries_seconds_bucket{le=\"2\"}[5m]) > 1"))
                .containsExactly("value le=2 of idempotency_slack_deliveries_seconds_bucket");
    }
}
