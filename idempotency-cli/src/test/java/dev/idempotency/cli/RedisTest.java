package dev.idempotency.cli;

import static dev.idempotency.cli.Operator.OTHER_RULING;
import static dev.idempotency.cli.Operator.RULING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.cli.Operator.Run;
import dev.idempotency.cli.Shop.Order;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

/** The same commands on a real Redis. */
final class RedisTest {
    private final Servers.Place place = Servers.redis();
    private final Shop shop = new Shop(place.store());
    private final Operator operator = new Operator(place);

    @Test
    void session_fromListToOverride_worksAsOnPostgres() {
        shop.inDoubt("ORD-1");
        shop.inDoubt("ORD-2");

        Run first = operator.run("list", "--limit", "1", "--json");
        Run next = operator.run(
                "list",
                "--limit",
                "1",
                "--json",
                "--after",
                first.json().get("next").textValue());
        Run resolved = operator.run(
                RULING, "resolve", "executed", "charge-card", "ORD-1", "--version", "2", "--result-unknown", "--yes");
        Run reexecuted = operator.run(
                RULING, "reexecute", "charge-card", "ORD-2", "--version", "2", "--quiescence", "0s", "--yes");
        shop.charge().execute(new Order("ORD-2", 1200));
        Run asked = operator.run(
                RULING,
                "override",
                "request",
                "charge-card",
                "ORD-1",
                "--version",
                "3",
                "--fingerprint",
                "jcs-sha256:" + "ab".repeat(32),
                "--yes",
                "--json");
        Run approved = operator.run(
                OTHER_RULING,
                "override",
                "approve",
                "charge-card",
                "ORD-1",
                asked.json().at("/entry/id").textValue(),
                "--version",
                "3",
                "--yes");
        Run page = operator.run("audit", "--limit", "2", "--json");
        Run rest = operator.run(
                "audit", "--json", "--before", page.json().get("next").textValue());

        assertThat(first.json().at("/records/0/key").textValue()).isEqualTo("ORD-1");
        assertThat(next.json().at("/records/0/key").textValue()).isEqualTo("ORD-2");
        assertThat(resolved.code()).as(resolved.err()).isZero();
        assertThat(reexecuted.code()).as(reexecuted.err()).isZero();
        assertThat(approved.code()).as(approved.err()).isZero();
        assertThat(page.json().get("entries").size()
                        + rest.json().get("entries").size())
                .isEqualTo(7);
        assertThat(operator.run("show", "charge-card", "ORD-1").out()).containsPattern("state +OPEN");
    }

    /** "No such keys" at the wrong place would be a false all-clear. */
    @Test
    void list_nothingAtAllUnderThePrefix_saysSo() {
        var place = Servers.redis();
        new Shop(place.store()).completed("ORD-1");
        var wrong = new ArrayList<>(place.options());
        wrong.set(wrong.size() - 1, "nobody-has-this");

        assertThat(new Operator(place).run("list").out())
                .startsWith("No such keys. Looked under the prefix test:")
                .doesNotContain("Nothing at all");
        assertThat(new Operator(wrong).run("list").out())
                .contains("Looked under the prefix nobody-has-this. Nothing at all is there");
    }
}
