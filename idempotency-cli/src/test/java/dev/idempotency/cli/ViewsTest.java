package dev.idempotency.cli;

import static dev.idempotency.cli.Operator.OTHER_RULING;
import static dev.idempotency.cli.Operator.RULING;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.idempotency.cli.Operator.Run;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the command line shows of keys and of the audit trail. */
final class ViewsTest {
    private final Servers.Place place = Servers.postgres();
    private final Shop shop = new Shop(place.store());
    private final Operator operator = new Operator(place);

    @Test
    void list_inPages_hasEveryUnresolvedKeyOnce_longestInDoubtFirst() {
        List<String> keys = List.of("ORD-1", "ORD-2", "ORD-3", "ORD-4", "ORD-5");
        keys.forEach(shop::inDoubt);
        shop.completed("ORD-6");

        var listed = new ArrayList<String>();
        String cursor = null;
        do {
            Run run = cursor == null
                    ? operator.run("list", "--limit", "2", "--json")
                    : operator.run("list", "--limit", "2", "--json", "--after", cursor);
            for (JsonNode record : run.json().get("records")) {
                listed.add(record.get("key").textValue());
                assertThat(record.get("ageSeconds").longValue()).isNotNegative();
            }
            cursor = run.json().get("next").textValue();
        } while (cursor != null);

        assertThat(listed).isEqualTo(keys);
    }

    @Test
    void list_forPeople_isATableWhoseWordsCanBeTypedAgain() {
        shop.inDoubt("it's $(mine)");

        Run run = operator.run("list", "--held");

        assertThat(run.out().lines())
                .satisfiesExactly(
                        header -> assertThat(header).matches("STATE +AGE +POLICY +VERSION +SCOPE +KEY"),
                        row -> assertThat(row)
                                .matches("IN_DOUBT +\\d+s +HOLD \\(a person decides\\) +2 +charge-card +.*")
                                .endsWith("'it'\\''s $(mine)'"));
    }

    /** After a crash these are the keys that somebody has to look at: no command may leave them out. */
    @Test
    void list_leaseIsOver_isInDoubtAndHeld_andInFlightNoMore() {
        shop.abandoned("CRASHED");

        var inDoubt = operator.run("list", "--state", "IN_DOUBT");
        var record =
                operator.run("list", "--held", "--json").json().get("records").get(0);

        assertThat(inDoubt.out()).contains("IN_DOUBT (lease over)").contains("CRASHED");
        assertThat(operator.run("list", "--held").out()).contains("CRASHED").contains("a person decides");
        assertThat(operator.run("list").out()).contains("IN_DOUBT (lease over)");
        assertThat(operator.run("list", "--state", "IN_FLIGHT").out()).startsWith("No such keys.");
        assertThat(record.get("key").textValue()).isEqualTo("CRASHED");
        assertThat(record.get("held").booleanValue()).isTrue();
        assertThat(record.get("leaseOver").booleanValue()).isTrue();
        assertThat(record.get("state").textValue()).isEqualTo("IN_FLIGHT");
    }

    @Test
    void list_byStateScopeAndAge_hasOnlyThose() {
        shop.inDoubt("ORD-1");

        assertThat(operator.run("list", "--state", "IN_FLIGHT").out()).startsWith("No such keys.");
        assertThat(operator.run("list", "--scope", "refund").out()).startsWith("No such keys.");
        assertThat(operator.run("list", "--older-than", "1h").out()).startsWith("No such keys.");
        assertThat(operator.run("list", "--state", "IN_DOUBT", "--scope", "charge-card", "--older-than", "0s")
                        .out())
                .contains("ORD-1");
    }

    @Test
    void show_hasRecordHistoryEvidenceAndWhenNotExecutedMayBeDecided() {
        shop.inDoubt("ORD-1");

        Run early = operator.run("show", "charge-card", "ORD-1");
        Run late = operator.run("show", "charge-card", "ORD-1", "--quiescence", "0s");

        assertThat(early.out())
                .containsPattern("version +2   \\(what --version asks for\\)")
                .containsPattern("state +IN_DOUBT for \\d+s, since ")
                .containsPattern("native key +\\S+")
                .contains("IN_DOUBT, attempt 1: ")
                .contains("\"Not executed\" may not be decided before ")
                .contains("a person decides");
        assertThat(late.out()).contains("\"Not executed\" may be decided since ");
    }

    @Test
    void show_doesNotPrintTheResult_unlessItIsAskedTo() {
        shop.completed("ORD-1");

        Run without = operator.run("show", "charge-card", "ORD-1");
        Run json = operator.run("show", "charge-card", "ORD-1", "--json");
        Run with = operator.run("show", "charge-card", "ORD-1", "--show-result");

        assertThat(without.out()).contains("bytes, codec json, not shown").doesNotContain("ch-1");
        assertThat(json.json().at("/record/result/text").isNull()).isTrue();
        assertThat(json.out()).doesNotContain("ch-1");
        assertThat(with.out()).contains("{\"charge\":\"ch-1\",\"amount\":1200}");
    }

    @Test
    void audit_hasEveryPhase_newestFirst_inPagesToo() {
        shop.inDoubt("ORD-1");
        shop.inDoubt("ORD-2");
        for (String key : List.of("ORD-1", "ORD-2")) {
            operator.run(
                    RULING, "resolve", "executed", "charge-card", key, "--version", "2", "--result-unknown", "--yes");
        }

        JsonNode all = operator.run("audit", "--json").json();
        JsonNode first = operator.run("audit", "--limit", "3", "--json").json();
        JsonNode second = operator.run(
                        "audit",
                        "--limit",
                        "3",
                        "--json",
                        "--before",
                        first.get("next").textValue())
                .json();
        Run ofOne = operator.run("audit", "charge-card", "ORD-1");

        assertThat(all.findValuesAsText("phase")).containsExactly("APPLIED", "INTENDED", "APPLIED", "INTENDED");
        assertThat(all.findValuesAsText("key")).containsExactly("ORD-2", "ORD-2", "ORD-1", "ORD-1");
        assertThat(first.get("entries")).hasSize(3);
        assertThat(second.get("entries")).hasSize(1);
        assertThat(second.get("next").isNull()).isTrue();
        assertThat(ofOne.out())
                .contains("EXECUTED APPLIED  charge-card ORD-1 version 2, generation 1")
                .contains("by ada: customer waits")
                .contains("evidence: ch-1 at the provider")
                .doesNotContain("ORD-2");
    }

    /** Whoever is to approve has not been told the key, nor the id. */
    @Test
    void overrideList_hasWhatWaitsForASecondPerson_andNothingThatIsDecidedOrVoid() {
        List.of("ORD-1", "ORD-2", "ORD-3").forEach(shop::completed);
        String fingerprint = "jcs-sha256:" + "cd".repeat(32);
        for (String key : List.of("ORD-1", "ORD-2", "ORD-3")) {
            operator.run(
                    RULING,
                    "override",
                    "request",
                    "charge-card",
                    key,
                    "--version",
                    "2",
                    "--fingerprint",
                    fingerprint,
                    "--yes");
        }
        JsonNode three = operator.run("override", "list", "--json").json();
        String refused = three.at("/pending/1/id").textValue();
        String approved = three.at("/pending/2/id").textValue();
        operator.run(
                "override",
                "refuse",
                "charge-card",
                "ORD-2",
                refused,
                "--version",
                "2",
                "--by",
                "grace",
                "--why",
                "no",
                "--evidence",
                "none",
                "--yes");
        operator.run(
                "override",
                "approve",
                "charge-card",
                "ORD-1",
                approved,
                "--version",
                "2",
                "--by",
                "grace",
                "--why",
                "yes",
                "--evidence",
                "re-1",
                "--yes");

        Run left = operator.run("override", "list");

        assertThat(three.findValuesAsText("key")).containsExactly("ORD-3", "ORD-2", "ORD-1");
        assertThat(three.get("whole").booleanValue()).isTrue();
        assertThat(left.out())
                .contains("charge-card ORD-3  version 2", "by ada", "override approve charge-card ORD-3")
                .doesNotContain("ORD-1", "ORD-2");
        try (var console = Consoles.on(place.store())) {
            var page = new Visitor(console.uri()).open("overrides");
            assertThat(page.document().select("tbody th").eachText()).containsExactly("ORD-3");
            assertThat(page.document().select("tbody td").text()).contains("Now: jcs-sha256:", "New: " + fingerprint);
            PageRules.assertKept(page.document());
        }
    }

    @Test
    void withdrawal_askedAndApprovedAtTheCommandLine_bringsBackWhatStoodBefore() {
        shop.completed("ORD-1");
        String wish = operator.run(
                        RULING,
                        "override",
                        "request",
                        "charge-card",
                        "ORD-1",
                        "--version",
                        "2",
                        "--fingerprint",
                        "jcs-sha256:" + "cd".repeat(32),
                        "--yes",
                        "--json")
                .json()
                .at("/entry/id")
                .textValue();
        long version = operator.run(
                        OTHER_RULING,
                        "override",
                        "approve",
                        "charge-card",
                        "ORD-1",
                        wish,
                        "--version",
                        "2",
                        "--yes",
                        "--json")
                .json()
                .at("/record/version")
                .longValue();

        String back = operator.run(
                        RULING,
                        "override",
                        "withdraw",
                        "charge-card",
                        "ORD-1",
                        "--version",
                        "" + version,
                        "--yes",
                        "--json")
                .json()
                .at("/entry/id")
                .textValue();
        String listed = operator.run("override", "list").out();
        JsonNode done = operator.run(
                        OTHER_RULING,
                        "override",
                        "approve",
                        "charge-card",
                        "ORD-1",
                        back,
                        "--version",
                        "" + version,
                        "--yes",
                        "--json")
                .json();

        assertThat(listed).contains("charge-card ORD-1", "to take back");
        assertThat(done.get("act").textValue()).isEqualTo("WITHDRAW");
        assertThat(done.at("/record/state").textValue()).isEqualTo("COMPLETED");
    }

    @Test
    void overrideList_nothingWaits_saysSo() {
        assertThat(operator.run("override", "list").out()).isEqualToIgnoringNewLines("No request waits.");
    }

    @Test
    void store_mayBeNamedByTheEnvironment_andTheCommandLineWins() {
        var elsewhere = new Operator(List.of())
                .variable("IDEMPOTENCY_JDBC_URL", "jdbc:postgresql://127.0.0.1:1/nothing?user=postgres");

        Run failed = elsewhere.run("list");
        Run there = elsewhere.run(concat(List.of("list"), place.options()));

        assertThat(failed.code()).isEqualTo(ExitCode.STORE_FAILED.code());
        assertThat(there.code()).isZero();
    }

    private static List<String> concat(List<String> one, List<String> other) {
        var all = new ArrayList<>(one);
        all.addAll(other);
        return all;
    }
}
