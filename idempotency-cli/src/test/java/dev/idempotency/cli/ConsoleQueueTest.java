package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.cli.Visitor.Page;
import dev.idempotency.store.State;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An incident has left many keys: somebody works through them, one after the other, and has no time. */
final class ConsoleQueueTest {
    private final Servers.Place place = Servers.postgres();
    private final Shop shop = new Shop(place.store());
    private final OperationsConsole console = Consoles.builder(place.store(), Duration.ZERO)
            .zone(ZoneId.of("Asia/Tokyo"))
            .providerUrl(Shop.SCOPE, "https://provider.example/payments?key={nativeKey}&order={key}")
            .start();
    private final Visitor ada = new Visitor(console.uri());

    @AfterEach
    void closeConsole() {
        console.close();
    }

    private static Map<String, String> executed(String... more) {
        var fields = new TreeMap<>(Map.of(
                "act", "executed", "why", "incident 12", "evidence", "seen at the provider", "confirmed", "yes"));
        for (int i = 0; i < more.length; i += 2) {
            fields.put(more[i], more[i + 1]);
        }
        return fields;
    }

    private Page follow(Page page, String link) {
        return ada.open(page.document().select(link).first().attr("href").substring(1));
    }

    private static String heading(Page page) {
        return page.document().select("h1").text();
    }

    @Test
    void decision_isFollowedByTheNextKeyOfTheSameList_untilThereIsNone() {
        shop.inDoubt("ORD-1");
        shop.hostile(new IdempotencyKey("refund", "OTHER"), "of another operation");
        shop.inDoubt("ORD-2");
        shop.inDoubt("ORD-3");

        Page first = follow(ada.open("?scope=charge-card&held=yes"), "tbody th a");
        Page skipped = follow(first, "a.next");
        Page decided = ada.submit(skipped.form("/act"), executed("by", "ada"));
        Page third = follow(decided, "a.next");
        Page end = follow(ada.submit(third.form("/act"), executed()), "a.next");

        assertThat(List.of(heading(first), heading(skipped), heading(decided), heading(third)))
                .containsExactly("ORD-1", "ORD-2", "ORD-2", "ORD-3");
        assertThat(decided.document().select("a.next").hasAttr("autofocus")).isTrue();
        assertThat(end.document().select("[role=status]").text()).contains("the last key of this list");
        assertThat(end.document().select("tbody th").eachText()).containsExactly("ORD-1");
        assertThat(end.document().select("#filter-scope").val()).isEqualTo("charge-card");
        assertThat(end.document().select("#filter-held").hasAttr("checked")).isTrue();
    }

    /** Somebody else may have decided the rest: the link leads to what is left. */
    @Test
    void nextKey_ofAFormThatCameBack_isStillTheOneBehindIt() {
        shop.inDoubt("ORD-1");
        shop.inDoubt("ORD-2");
        Page first = follow(ada.open(""), "tbody th a");

        Page again = ada.submit(first.form("/act"), Map.of("by", "ada"));

        assertThat(again.status()).isEqualTo(422);
        assertThat(heading(follow(again, "a.next"))).isEqualTo("ORD-2");
    }

    @Test
    void next_ofAFilterThatSaysNothing_isRefused() {
        assertThat(ada.open("next?q-older=soon").status()).isEqualTo(400);
        assertThat(ada.open("next?q-after=AAAA").status()).isEqualTo(400);
        assertThat(ada.open("next?q-state=COMPLETED").status()).isEqualTo(400);
    }

    @Test
    void name_typedOnce_standsInTheNextForm_andInNobodyElses() {
        shop.inDoubt("ORD-1");
        shop.inDoubt("ORD-2");
        Page decided = ada.submit(ada.key(Shop.SCOPE, "ORD-1").form("/act"), executed("by", "Ada Lovelace"));

        Page next = follow(decided, "a.next");
        Page others = new Visitor(console.uri()).key(Shop.SCOPE, "ORD-2");
        Page done = ada.submit(next.form("/act"), executed());

        assertThat(next.document().select("#decide-by").val()).isEqualTo("Ada Lovelace");
        assertThat(others.document().select("#decide-by").val()).isEmpty();
        assertThat(done.status()).isEqualTo(200);
        assertThat(place.store()
                        .audit(new IdempotencyKey(Shop.SCOPE, "ORD-2"), null, 1)
                        .get(0)
                        .who())
                .isEqualTo("Ada Lovelace");
    }

    /** Another program on this machine can set cookies for the same host. */
    @Test
    void name_thatThisSessionHasNotTyped_isNotTaken() {
        var secret = new byte[] {1, 2, 3};
        var session = new Session("0".repeat(32), false);
        String cookie = session.nameCookie(secret, "ada").replaceFirst(";.*", "");

        assertThat(session.typedName(secret, "other=1; " + cookie)).isEqualTo("ada");
        assertThat(new Session("1".repeat(32), false).typedName(secret, cookie)).isEmpty();
        assertThat(new Session("0".repeat(32), true).typedName(secret, cookie)).isEmpty();
        assertThat(session.typedName(new byte[] {4}, cookie)).isEmpty();
        assertThat(session.typedName(secret, "idempotency-name=%.x")).isEmpty();
        assertThat(session.typedName(secret, null)).isEmpty();
        assertThat(session.nameCookie(secret, "ada")).endsWith("; HttpOnly; SameSite=Strict");
    }

    @Test
    void list_tellsHowManyOfEachOperation_andWhyEachIsThere() {
        shop.inDoubt("ORD-1");
        shop.inDoubt("ORD-2");
        shop.abandoned("CRASHED");
        shop.hostile(new IdempotencyKey("refund/acme", "R-1"), "time-out after 10 s");

        Page list = ada.open("?scope=refund");

        assertThat(list.document().select(".counts li").eachText()).containsExactly("charge-card: 3", "refund: 1");
        assertThat(list.document().select("tbody tr").text()).contains("No clear answer: time-out after 10 s");
        assertThat(ada.open("")
                        .document()
                        .select("tbody tr:has(a:containsOwn(CRASHED)), tbody tr")
                        .text())
                .contains("stopped, or was cut off");
        assertThat(follow(list, ".counts a").document().select("tbody th")).hasSize(3);
    }

    @Test
    void times_standInTheZoneOfWhoeverLooks_besideUtc() {
        shop.inDoubt("ORD-1");

        assertThat(ada.open("").document().select("tbody time").text())
                .matches(
                        "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC \\((\\d{4}-\\d\\d-\\d\\d )?\\d\\d:\\d\\d:\\d\\d JST\\)");
        assertThat(ada.key(Shop.SCOPE, "ORD-1").document().select(".facts time").text())
                .contains("JST");
    }

    @Test
    void provider_isOneClickAway_withTheReferenceOfTheKey() {
        IdempotencyKey key = shop.inDoubt("ORD 1&x=\"'/../<b>");

        var link = ada.key(key.scope(), key.value()).document().select("a[target]");

        assertThat(link.attr("href"))
                .isEqualTo("https://provider.example/payments?key="
                        + shop.standing(key).nativeKey() + "&order=ORD%201%26x%3D%22%27%2F..%2F%3Cb%3E");
        assertThat(link.attr("rel")).contains("noopener", "noreferrer");
        PageRules.assertKept(ada.key(key.scope(), key.value()).document());
    }

    @Test
    void provider_keysThatWouldBeAStepInThePath_haveNoLink() {
        var record = shop.standing(shop.inDoubt(".."));

        assertThat(ProviderUrl.of("https://provider.example/a/{key}/b").of(record))
                .isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "javascript:alert('{key}')",
                "https://{key}/",
                "https://provider.example{key}",
                "https://provider.example:{key}/",
                "https://ada:secret@provider.example/{key}",
                "ftp://provider.example/{key}",
                "//provider.example/{key}",
                "https://provider.example/",
                "https://provider.example/{other}",
                "https://provider.example/{key}'",
                "https://provider.example/ {key}"
            })
    void providerUrl_thatMayLeadElsewhere_isRefused(String template) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Consoles.builder(place.store(), Duration.ZERO).providerUrl(Shop.SCOPE, template));
    }

    @Test
    void pages_speakTheLanguageOfWhoeverIsOnCall() {
        shop.inDoubt("ORD-1");
        shop.completed("ORD-2");
        List<Page> pages = List.of(ada.open(""), ada.key(Shop.SCOPE, "ORD-1"), ada.key(Shop.SCOPE, "ORD-2"));

        for (Page page : pages) {
            assertThat(page.document().select("main").text())
                    .doesNotContain("HOLD", "eneration", "UnavailableException", "payload takes over", "Policy");
        }
        assertThat(pages.get(1).document().text()).contains("a person has to decide", "kept until it is decided");
    }

    @Test
    void decision_thatIsTooEarly_isNotLeftChosenAndDisabled() {
        IdempotencyKey key = shop.inDoubt("ORD-1");
        try (var careful = Consoles.builder(place.store(), Duration.ofHours(24)).start()) {
            var grace = new Visitor(careful.uri());

            Page refused = grace.submit(
                    grace.key(key.scope(), key.value()).form("/act"), executed("act", "not-executed", "by", "grace"));

            assertThat(refused.status()).isEqualTo(409);
            assertThat(refused.document().select("[disabled][checked]")).isEmpty();
            assertThat(shop.standing(key).state()).isEqualTo(State.IN_DOUBT);
        }
    }
}
