package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Ruling;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.cli.Visitor.Page;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.State;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jsoup.nodes.FormElement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An outage has left many keys, and all of them have the same evidence: one form, and an outcome for each. */
final class ConsoleTogetherTest {
    private final Servers.Place place = Servers.postgres();
    private final Shop shop = new Shop(place.store());
    private final OperationsConsole console = Consoles.on(place.store());
    private final Visitor ada = new Visitor(console.uri());

    @AfterEach
    void closeConsole() {
        console.close();
    }

    private static Map<String, String> as(String act, String... more) {
        var fields = new TreeMap<>(
                Map.of("act", act, "by", "ada", "why", "outage 12", "evidence", "provider's list", "confirmed", "yes"));
        for (int i = 0; i < more.length; i += 2) {
            fields.put(more[i], more[i + 1]);
        }
        return fields;
    }

    /** The page of all keys of the list, as somebody chooses them. */
    private Page chosen() {
        return ada.submit("choose", ada.open("?all=yes").form("/choose"), Map.of());
    }

    private Page decide(FormElement form, Map<String, String> typed) {
        return ada.submit("decide", form, typed);
    }

    @Test
    void keysOfOneIncident_areDecidedWithOneForm_andEachHasItsLineInTheTrail() {
        List<IdempotencyKey> keys = List.of(shop.inDoubt("ORD-1"), shop.inDoubt("ORD-2"), shop.inDoubt("ORD-3"));

        Page page = chosen();
        Page done = decide(page.form("/decide"), as("declined", "reason", "card network down"));

        assertThat(page.document().select("h1").text()).isEqualTo("Decide 3 keys together");
        assertThat(done.document().select("[role=status]").text()).isEqualTo("Done for 3 of 3 keys.");
        for (IdempotencyKey key : keys) {
            assertThat(shop.standing(key).state()).isEqualTo(State.COMPLETED);
            AuditEntry entry = place.store().audit(key, null, 1).get(0);
            assertThat(List.of(entry.who(), entry.why(), entry.evidence()))
                    .containsExactly("ada", "outage 12", "provider's list");
        }
        PageRules.assertKept(page.document());
        PageRules.assertKept(done.document());
    }

    /** Only the boxes that somebody ticks. */
    @Test
    void keys_thatAreNotChosen_stayAsTheyAre() {
        shop.inDoubt("ORD-1");
        IdempotencyKey left = shop.inDoubt("ORD-2");
        Page list = ada.open("");
        String box = list.document().select("#choose-0").val();

        Page page = ada.submit("choose", list.form("/choose"), Map.of("k0", box));
        decide(page.form("/decide"), as("executed"));

        assertThat(page.document().select("tbody th").eachText()).containsExactly("ORD-1");
        assertThat(shop.standing(left).state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void key_thatSomebodyElseHasDecidedMeanwhile_isRefused_andTheOthersAreDone() {
        IdempotencyKey first = shop.inDoubt("ORD-1");
        shop.inDoubt("ORD-2");
        Page page = chosen();
        Admin.on(place.store()).resolveExecuted(first, 2, null, new Ruling("grace", "first", "ch-1"));

        Page done = decide(page.form("/decide"), as("executed"));

        assertThat(done.document().select("[role=status]").text()).isEqualTo("Done for 1 of 2 keys.");
        assertThat(done.document().select("tbody tr").eachText())
                .satisfiesExactly(
                        row -> assertThat(row).startsWith("ORD-1").contains("not done", "The record has changed"),
                        row -> assertThat(row).startsWith("ORD-2").contains("done Recorded"));
        assertThat(shop.standing(first).version()).isEqualTo(3);
    }

    @Test
    void form_thatIsSentAgain_recordsNothingTwice() {
        IdempotencyKey key = shop.inDoubt("ORD-1");
        Page page = chosen();

        decide(page.form("/decide"), as("executed"));
        int entries = place.store().audit(key, null, 10).size();
        Page again = decide(page.form("/decide"), as("executed"));

        assertThat(again.status()).isEqualTo(200);
        assertThat(place.store().audit(key, null, 10)).hasSize(entries);
        assertThat(shop.standing(key).version()).isEqualTo(3);
    }

    @Test
    void notExecuted_ofKeysForWhichItIsTooEarly_isRefusedKeyByKey() {
        IdempotencyKey key = shop.inDoubt("ORD-1");
        try (var careful = Consoles.builder(place.store(), Duration.ofHours(24)).start()) {
            var grace = new Visitor(careful.uri());
            Page page = grace.submit("choose", grace.open("?all=yes").form("/choose"), Map.of());

            Page done = grace.submit("decide", page.form("/decide"), as("not-executed"));

            assertThat(done.document().select("tbody tr").text()).contains("may take effect until");
            assertThat(shop.standing(key).version()).isEqualTo(2);
        }
    }

    @Test
    void overrides_andReopening_areNoDecisionsForManyKeys() {
        shop.inDoubt("ORD-1");
        FormElement form = chosen().form("/decide");

        for (String act : List.of("approve", "refuse", "request", "reopen", "executed-result", "x")) {
            assertThat(decide(form, as(act)).status()).as(act).isEqualTo(400);
        }
    }

    @Test
    void form_thatIsNotFilledIn_comesBackWithTheVersionsThatWereReviewed() {
        IdempotencyKey key = shop.inDoubt("ORD-1");
        shop.inDoubt("ORD-2");
        Page page = chosen();

        Page again = decide(page.form("/decide"), Map.of("why", "out<b>age"));

        assertThat(again.status()).isEqualTo(422);
        assertThat(again.document().select("[role=alert] a").eachAttr("href"))
                .containsExactly("#together-act", "#together-by", "#together-evidence", "#together-confirmed")
                .allSatisfy(link -> assertThat(again.document().select(link)).hasSize(1));
        assertThat(again.document().select("#together-why").val()).isEqualTo("out<b>age");
        assertThat(again.document().select("[name=k0]").val()).isEqualTo(new Together.Chosen(key, 2).text());
        PageRules.assertKept(again.document());
    }

    @Test
    void forms_withoutKeys_orWithTooMany_orOfAnotherSession_areRefused() {
        shop.inDoubt("ORD-1");
        FormElement form = ada.open("").form("/choose");
        var many = new TreeMap<String, String>();
        for (int i = 0; i <= Together.MOST; i++) {
            many.put("k" + i, new Together.Chosen(new IdempotencyKey("charge-card", "K-" + i), 1).text());
        }

        assertThat(ada.submit("choose", form, Map.of()).status()).isEqualTo(422);
        assertThat(ada.submit("choose", form, many).status()).isEqualTo(422);
        assertThat(ada.submit("choose", form, Map.of("k0", "%")).status()).isEqualTo(400);
        assertThat(ada.submit("decide", form, Map.of("k0", "AAAA")).status()).isEqualTo(400);
        assertThat(new Visitor(console.uri())
                        .submit("choose", form, Map.of("k0", many.get("k0")))
                        .status())
                .isEqualTo(403);
        assertThat(ada.open("choose").status()).isEqualTo(405);
        assertThat(ada.open("decide").status()).isEqualTo(405);
    }

    @Test
    void keys_ofAnyText_canBeChosen() {
        for (String text : HostileTexts.KEYS) {
            shop.hostile(new IdempotencyKey(text, text), text);
        }

        Page page = chosen();
        Page done = decide(page.form("/decide"), as("executed"));

        PageRules.assertKept(page.document());
        PageRules.assertKept(done.document());
        assertThat(done.document().select("[role=status]").text())
                .isEqualTo("Done for " + HostileTexts.KEYS.size() + " of " + HostileTexts.KEYS.size() + " keys.");
    }
}
