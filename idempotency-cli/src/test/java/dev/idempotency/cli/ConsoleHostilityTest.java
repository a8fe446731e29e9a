package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Ruling;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.cli.Visitor.Page;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Whatever was stored is text on every page; and the check of that catches a page that escapes too little. */
final class ConsoleHostilityTest {
    private static final Servers.Place PLACE = Servers.postgres();
    private static final OperationsConsole CONSOLE = Consoles.on(PLACE.store());

    private final Shop shop = new Shop(PLACE.store());
    private final Visitor ada = new Visitor(CONSOLE.uri());

    @AfterAll
    static void closeConsole() {
        CONSOLE.close();
    }

    @Test
    void keys_ofAnyText_areTextOnEveryPage_andLeadToThemselves() {
        for (String text : HostileTexts.KEYS) {
            var key = shop.hostile(new IdempotencyKey(text, text), text);
            Page page = ada.key(key.scope(), key.value());

            assertThat(page.status()).isEqualTo(200);
            PageRules.assertKept(page.document());
            assertThat(page.document().select("h1").text().strip())
                    .isEqualTo(Jsoup.parse("")
                            .appendElement("p")
                            .text(Plain.of(text))
                            .text()
                            .strip());
            assertThat(page.form("/act").select("[name=key]").val()).isEqualTo(text);
        }
        Page list = ada.open("?limit=1000");
        PageRules.assertKept(list.document());
        for (var link : list.document().select("tbody th a")) {
            assertThat(ada.open(link.attr("href").substring(1)).status()).isEqualTo(200);
        }
    }

    @Test
    void texts_ofRecords_areTextAndBounded() {
        int number = 0;
        for (String text : HostileTexts.TEXTS) {
            String id = "text-" + number++;
            shop.hostile(new IdempotencyKey(Shop.SCOPE, id), text.replace("\u0000", ""));

            Page page = ada.open("key?scope=" + Shop.SCOPE + "&key=" + id + "&result=show");

            PageRules.assertKept(page.document());
            assertThat(page.response().body()).hasSizeLessThan(800_000);
            assertThat(page.response().body().chars().filter(c -> c < 0x20 && c != '\n'))
                    .isEmpty();
        }
    }

    @Test
    void texts_ofPeople_areTextInTheTrailAndInTheFormsThatComeBack() {
        var key = shop.inDoubt("ORD-1");
        var admin = Admin.on(PLACE.store());
        String markup = "</td><script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
        var form = ada.key(key.scope(), key.value()).form("/act");

        Page again = ada.submit(form, Map.of("act", "executed-result", "result", markup, "why", markup));
        admin.resolveExecuted(key, 2, null, new Ruling(markup, markup, markup));

        PageRules.assertKept(again.document());
        assertThat(again.document().select("#decide-why").val()).isEqualTo(markup);
        assertThat(again.document().select("#decide-result").val()).isEqualTo(markup);
        PageRules.assertKept(ada.key(key.scope(), key.value()).document());
        PageRules.assertKept(ada.open("audit").document());
    }

    @Test
    void parameters_ofAnyText_areTextOrRefused() {
        for (String text : HostileTexts.KEYS) {
            for (String path : List.of(
                    "?state=%s&scope=%s&older=%s",
                    "?after=%s", "key?scope=%s&key=%s&done=%s&result=%s&form=%s", "audit?before=%s")) {
                Page page = ada.open(path.replace("%s", URLEncoder.encode(text, StandardCharsets.UTF_8)));
                PageRules.assertKept(page.document());
                assertThat(page.status()).as(path).isIn(200, 400, 404);
            }
        }
    }

    @Test
    void escapingThatIsLeftOut_isCaughtByTheCheck() {
        String text = "<img src=x onerror=alert(1)>";
        shop.hostile(new IdempotencyKey("planted", "\"><svg/onload=alert(1)>"), text);
        Html page = new Pages(Admin.on(PLACE.store()), ConsoleSettings.usual())
                .key(
                        new Visit(null, "token", ""),
                        Fields.parse("scope=planted&key=%22%3E%3Csvg%2Fonload%3Dalert(1)%3E"));

        Document escaped = Jsoup.parse(page.write());
        Document planted = Jsoup.parse(page.write(UnaryOperator.identity()));
        Document attributesOnly = Jsoup.parse(page.write(value -> value.replace("\"", "&quot;")));

        assertThat(PageRules.strangers(escaped)).isEmpty();
        assertThat(PageRules.strangers(planted)).contains("<svg>", "<img>");
        assertThat(PageRules.strangers(attributesOnly)).contains("<img>");
    }

    @Test
    void pages_takeNoMarkupAndNoAddressesFromAnywhere() {
        assertThatThrownBy(() -> Html.of("script")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Html.of("p").attribute("onclick", "x")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Html.of("p").attribute("style", "x")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Html.of("a").attribute("href", "javascript:x"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Target.path("//elsewhere?x")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Target.path("javascript:x")).isInstanceOf(IllegalArgumentException.class);
    }
}
