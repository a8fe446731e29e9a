package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.DeclinedException;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.NotExecutedException;
import dev.idempotency.ResultUnavailableException;
import dev.idempotency.cli.Shop.Order;
import dev.idempotency.cli.Shop.Receipt;
import dev.idempotency.cli.Visitor.Page;
import dev.idempotency.store.State;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jsoup.nodes.Element;
import org.jsoup.nodes.FormElement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What people do in the console, through the forms as they are sent. */
final class ConsoleTest {
    private final Servers.Place place = Servers.postgres();
    private final Shop shop = new Shop(place.store());
    private final OperationsConsole console = Consoles.on(place.store());
    private final Visitor ada = new Visitor(console.uri());

    @AfterEach
    void closeConsole() {
        console.close();
    }

    private static Map<String, String> by(String who, String act, String... more) {
        var fields = new TreeMap<>(Map.of(
                "act",
                act,
                "by",
                who,
                "why",
                "customer waits",
                "evidence",
                "ch-1 at the provider",
                "confirmed",
                "yes"));
        for (int i = 0; i < more.length; i += 2) {
            fields.put(more[i], more[i + 1]);
        }
        return fields;
    }

    private Page decide(IdempotencyKey key, Map<String, String> typed) {
        return ada.submit(ada.key(key.scope(), key.value()).form("/act"), typed);
    }

    private static void assertDone(Page page, String text) {
        assertThat(page.status()).as(page.document().text()).isEqualTo(200);
        assertThat(page.document().select("[role=status]").text()).isEqualTo(text);
    }

    // ---- see

    @Test
    void unresolved_followedFromPageToPage_hasEveryKeyOnce() {
        var wanted = new ArrayList<String>();
        for (int i = 100; i < 170; i++) {
            wanted.add(shop.hostile(new IdempotencyKey(Shop.SCOPE, "ORD-" + i), "x")
                    .value());
        }

        var seen = new ArrayList<String>();
        String next = "";
        while (next != null) {
            Page page = ada.open(next);
            seen.addAll(page.document().select("tbody th").eachText());
            Element link = page.document().selectFirst("a[rel=next]");
            next = link == null ? null : link.attr("href").substring(1);
        }

        assertThat(seen).isEqualTo(wanted);
    }

    /** After a crash these are the keys that somebody has to look at: no filter for doubts may leave them out. */
    @Test
    void unresolved_leaseIsOver_isInDoubtAndHeld_andInFlightNoMore() {
        shop.abandoned("CRASHED");

        Page doubts = ada.open("?state=IN_DOUBT");
        Page held = ada.open("?held=yes");
        Page flying = ada.open("?state=IN_FLIGHT");

        assertThat(doubts.document().select("tbody th").eachText()).containsExactly("CRASHED");
        assertThat(doubts.document().select("tbody .badge").text()).isEqualTo("In doubt: lease over");
        assertThat(held.document().select("tbody th").eachText()).containsExactly("CRASHED");
        assertThat(flying.document().select("tbody th")).isEmpty();
        assertThat(ada.key(Shop.SCOPE, "CRASHED").document().select(".badge").eachText())
                .contains("In doubt: lease over");
        assertThat(ada.key(Shop.SCOPE, "CRASHED")
                        .document()
                        .select("#decide-not-executed-hint, #decide-reexecute-hint")
                        .eachText())
                .hasSize(2)
                .allMatch(hint -> hint.contains("is then refused until the waiting time"));
    }

    @Test
    void unresolved_filtered_hasOnlyThoseAndKeepsTheFilter() {
        shop.inDoubt("ORD-1");

        Page none = ada.open("?state=IN_FLIGHT&scope=charge-card&older=0s");
        Page held = ada.open("?held=yes");
        Page old = ada.open("?older=1h");
        Page wrong = ada.open("?older=soon");

        assertThat(none.document().select("tbody th")).isEmpty();
        assertThat(none.document().select("option[selected]").eachText()).contains("In flight");
        assertThat(none.document().select("#filter-scope").val()).isEqualTo("charge-card");
        assertThat(held.document().select("tbody th").eachText()).containsExactly("ORD-1");
        assertThat(held.document().select("tbody td").text()).contains("a person decides");
        assertThat(old.document().select("tbody th")).isEmpty();
        assertThat(wrong.document().select("[role=alert]").text()).contains("90s, 15m, 24h");
    }

    @Test
    void key_showsRecordHistoryAndTrail_andNoResultUnlessAsked() {
        shop.completed("ORD-1");

        Page page = ada.key(Shop.SCOPE, "ORD-1");
        String show = page.document().select("a:containsOwn(Show results)").attr("href");
        Page shown = ada.open(show.substring(1));

        assertThat(page.document().select("h1").text()).isEqualTo("ORD-1");
        assertThat(page.document().select(".timeline li").eachText())
                .first()
                .asString()
                .contains("Reserved");
        assertThat(page.document().text())
                .contains("Nobody has decided anything yet.")
                .doesNotContain("ch-1");
        assertThat(shown.document().select("pre").text()).isEqualTo("{\"charge\":\"ch-1\",\"amount\":1200}");
    }

    @Test
    void key_thatIsUnknown_isNotFound() {
        assertThat(ada.key(Shop.SCOPE, "ORD-9").status()).isEqualTo(404);
        assertThat(ada.open("key?scope=&key=").status()).isEqualTo(400);
    }

    // ---- decide

    private static Map<String, String> with(Map<String, String> fields, String codec) {
        var all = new TreeMap<>(fields);
        all.put("codec", codec);
        return all;
    }

    /** What an operation encrypts is not to be stored as plain text, which moreover none of its callers could read. */
    @Test
    void executed_withAResultOfAnotherCodec_isRefusedAndNothingIsStored() {
        IdempotencyKey key = shop.hostile(new IdempotencyKey(Shop.SCOPE, "ORD-1"), "enc-aes256gcm");
        var fields = by("ada", "executed-result", "result", "{\"iban\":\"DE02\"}");

        assertThat(decide(key, fields).status()).isEqualTo(422);
        assertThat(decide(key, with(fields, "enc-aes256gcm")).status()).isEqualTo(422);
        Page json = decide(key, with(fields, "json"));

        assertThat(json.status()).isEqualTo(422);
        assertThat(json.document().text()).contains("enc-aes256gcm").contains("Say that the result is not known");
        assertThat(shop.standing(key).version()).isEqualTo(2);
    }

    @Test
    void executed_withAResult_isWhatCallersGet_andStandsInTheTrail() {
        IdempotencyKey key = shop.inDoubt("ORD-1");

        Page page = decide(
                key, with(by("ada", "executed-result", "result", "{\"charge\":\"ch-1\",\"amount\":1200}"), "json"));
        Page trail = ada.open("audit");

        assertDone(page, "Done: the key is completed.");
        assertThat(shop.charge().execute(new Order("ORD-1", 1200))).isEqualTo(new Receipt("ch-1", 1200));
        assertThat(page.document().select("tbody td").eachText()).contains("Executed, Applied", "ada");
        assertThat(trail.document().select("tbody tr")).hasSize(2);
        assertThat(trail.document().select("tbody a").first().attr("href"))
                .isEqualTo("/key?scope=charge-card&key=ORD-1");
    }

    @Test
    void executedAndDeclined_areWhatCallersGet() {
        assertDone(decide(shop.inDoubt("ORD-1"), by("ada", "executed")), "Done: the key is completed.");
        assertDone(
                decide(shop.inDoubt("ORD-2"), by("ada", "declined", "reason", "expired")),
                "Done: the key is completed.");

        assertThatThrownBy(() -> shop.charge().execute(new Order("ORD-1", 1200)))
                .isInstanceOf(ResultUnavailableException.class);
        assertThatThrownBy(() -> shop.charge().execute(new Order("ORD-2", 1200)))
                .isInstanceOf(DeclinedException.class);
    }

    @Test
    void notExecutedThenReopened_andReExecuted_leadToCalls() {
        IdempotencyKey one = shop.inDoubt("ORD-1");
        IdempotencyKey two = shop.inDoubt("ORD-2");

        assertDone(decide(one, by("ada", "not-executed")), "Done: the key is closed.");
        assertThatThrownBy(() -> shop.charge().execute(new Order("ORD-1", 1200)))
                .isInstanceOf(NotExecutedException.class);
        assertDone(decide(one, by("ada", "reopen")), "Done: the key is open; the next execution makes the call.");
        assertDone(decide(two, by("ada", "reexecute")), "Done: the key is open; the next execution makes the call.");

        assertThat(shop.charge().execute(new Order("ORD-1", 1200)).charge()).isEqualTo("ch-3");
        assertThat(shop.charge().execute(new Order("ORD-2", 1200)).charge()).isEqualTo("ch-4");
    }

    @Test
    void notExecuted_tooEarly_cannotBeChosen_andIsRefusedIfItIsSentAllTheSame() {
        IdempotencyKey key = shop.inDoubt("ORD-1");
        try (OperationsConsole careful =
                Consoles.builder(place.store(), Duration.ofHours(24)).start()) {
            var visitor = new Visitor(careful.uri());

            Page page = visitor.key(key.scope(), key.value());
            Page refused = visitor.submit(page.form("/act"), by("ada", "not-executed"));

            assertThat(page.document().select("#decide-not-executed").hasAttr("disabled"))
                    .isTrue();
            assertThat(refused.status()).isEqualTo(409);
            assertThat(refused.document().select("[role=alert]").text()).contains("may take effect until");
            assertThat(shop.standing(key).state()).isEqualTo(State.IN_DOUBT);
        }
    }

    @Test
    void override_askedApprovedOrRefused_takesTwoPeople() {
        IdempotencyKey key = shop.completed("ORD-1");
        Page asked = decide(key, by("ada", "request", "payload", "{\"id\":\"ORD-1\",\"amount\":1250}"));
        FormOf request = new FormOf(asked);

        Page alone = ada.submit(request.form(), by("ADA", "approve"));
        Page approved = ada.submit(request.form(), by("grace", "approve"));
        shop.charge().execute(new Order("ORD-1", 1250));
        Page again = decide(key, by("ada", "request", "payload", "jcs-sha256:" + "ab".repeat(32)));
        Page refused = ada.submit(new FormOf(again).form(), by("grace", "refuse"));

        assertDone(asked, "Done: a second person can approve the override now.");
        assertThat(asked.document().select("#request-1").text()).isEqualTo("Override request 1");
        assertThat(alone.status()).isEqualTo(409);
        assertThat(alone.document().select("[role=alert]").text()).contains("it takes a second person");
        assertDone(approved, "Done: the key is open for the new request alone.");
        assertDone(refused, "Done: the request is refused.");
        assertThat(shop.calls()).isEqualTo(2);
        assertThat(ada.key(key.scope(), key.value()).document().select("#request-1"))
                .isEmpty();
    }

    /** An override was approved for a payload that nobody has: the old result is there again for its callers. */
    @Test
    void override_withAWrongFigure_isTakenBackByTwoPeople() {
        IdempotencyKey key = shop.completed("ORD-1");
        Page asked = decide(key, by("ada", "request", "payload", "{\"id\":\"ORD-1\",\"amount\":99999}"));
        ada.submit(new FormOf(asked).form(), by("grace", "approve"));

        Page wish = decide(key, by("ada", "withdraw"));
        Page listed = ada.open("overrides");
        Page alone = ada.submit(new FormOf(wish).form(), by("ada", "approve"));
        Page back = ada.submit(new FormOf(wish).form(), by("grace", "approve"));

        assertDone(wish, "Done: a second person can approve the withdrawal now.");
        assertThat(wish.document().select("#request-1").text()).isEqualTo("Withdrawal request 1");
        assertThat(listed.document().select("tbody tr").text()).contains("ORD-1", "Taken back to:");
        assertThat(alone.status()).isEqualTo(409);
        assertDone(back, "Done: what the key had come to before counts again.");
        assertThat(shop.charge().execute(new Order("ORD-1", 1200))).isEqualTo(new Receipt("ch-1", 1200));
        assertThat(shop.calls()).isEqualTo(1);
    }

    /** The form that answers the first override request of a page. */
    private record FormOf(Page page) {
        FormElement form() {
            return (FormElement) page.document().selectFirst("form:has([name=request])");
        }
    }

    @Test
    void form_ofAVersionThatIsNoLongerThere_isRefused_andTheNewOneIsShown() {
        IdempotencyKey key = shop.inDoubt("ORD-1");
        var form = ada.key(key.scope(), key.value()).form("/act");
        decide(key, by("grace", "executed"));

        Page late = ada.submit(form, by("ada", "declined", "reason", "expired"));

        assertThat(late.status()).isEqualTo(409);
        assertThat(late.document().select("[role=alert]").text()).contains("The record has changed");
        assertThat(late.document().title()).startsWith("Error: ORD-1");
        assertThat(late.document().select("[name=version]").val()).isEqualTo("3");
        assertThat(shop.standing(key).version()).isEqualTo(3);
    }

    @Test
    void form_thatIsNotFilledIn_saysSoAtTheFields_andKeepsWhatWasTyped() {
        IdempotencyKey key = shop.inDoubt("ORD-1");

        Page page = decide(
                key,
                Map.of("act", "executed-result", "codec", "json", "result", "{\"a\":", "why", "customer \"waits\""));

        assertThat(page.status()).isEqualTo(422);
        assertThat(page.document().select("[role=alert] a").eachAttr("href"))
                .containsExactly("#decide-result", "#decide-by", "#decide-evidence", "#decide-confirmed")
                .allSatisfy(link -> assertThat(page.document().select(link)).hasSize(1));
        assertThat(page.document().select("[aria-invalid]").eachAttr("name"))
                .containsExactlyInAnyOrder("result", "by", "evidence", "confirmed");
        assertThat(page.document().select("#decide-why").val()).isEqualTo("customer \"waits\"");
        assertThat(page.document().select("#decide-result").val()).isEqualTo("{\"a\":");
        assertThat(page.document().select("#decide-executed-result").hasAttr("checked"))
                .isTrue();
        assertThat(shop.standing(key).version()).isEqualTo(2);
    }

    @Test
    void form_withoutAnAct_saysSo() {
        Page page = decide(shop.inDoubt("ORD-1"), Map.of());

        assertThat(page.document().select("[role=alert] a").eachAttr("href")).contains("#decide-act");
        assertThat(page.document().select("#decide-act")).hasSize(1);
    }

    // ---- where it listens, and for whom

    @Test
    void console_beyondTheLoopbackInterface_doesNotStartWithoutKnowingWhoComes() {
        var everywhere = new InetSocketAddress("0.0.0.0", 0);

        assertThatThrownBy(() -> Consoles.builder(place.store(), Duration.ZERO)
                        .address(everywhere)
                        .allowHost("ops.example.com")
                        .start())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("without an authenticator");
        assertThatThrownBy(() -> Consoles.builder(place.store(), Duration.ZERO)
                        .address(everywhere)
                        .authenticator(header -> "ada")
                        .start())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("allowHost");
    }

    @Test
    void store_thatFails_isSaidSo() throws Exception {
        var redis = Servers.redis();
        try (OperationsConsole onRedis = Consoles.on(redis.store())) {
            ((AutoCloseable) redis.store()).close();

            Page page = new Visitor(onRedis.uri()).open("");

            assertThat(page.status()).isEqualTo(503);
            assertThat(page.document().select("h1").text()).isEqualTo("The store failed");
        }
    }

    @Test
    void redis_isDecidedAlike() {
        var redis = Servers.redis();
        var other = new Shop(redis.store());
        other.inDoubt("ORD-1");
        try (OperationsConsole onRedis = Consoles.on(redis.store())) {
            var visitor = new Visitor(onRedis.uri());

            Page page = visitor.submit(visitor.key(Shop.SCOPE, "ORD-1").form("/act"), by("ada", "reexecute"));

            assertDone(page, "Done: the key is open; the next execution makes the call.");
            assertThat(visitor.open("audit").document().select("tbody tr")).hasSize(2);
        }
    }

    @Test
    void pages_ofAllKinds_canBeReadByEverybody() {
        shop.inDoubt("ORD-1");
        IdempotencyKey completed = shop.completed("ORD-2");
        decide(completed, by("ada", "request", "payload", "{}"));

        List.of(
                        ada.open(""),
                        ada.key(Shop.SCOPE, "ORD-1"),
                        ada.key(Shop.SCOPE, "ORD-2"),
                        decide(completed, Map.of()),
                        ada.open("audit"),
                        ada.open("nowhere"))
                .forEach(page -> PageRules.assertKept(page.document()));
    }
}
