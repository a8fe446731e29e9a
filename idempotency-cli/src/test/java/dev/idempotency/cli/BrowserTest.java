package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.State;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The console in a real Chromium, by keyboard alone. Needs a browser and its driver: see CONTRIBUTING.md. Leaves screenshots.
 */
final class BrowserTest {
    private static final Path SCREENSHOTS = Path.of(System.getProperty("browser.screenshots", "target/screenshots"));
    private static final String ADAS = "secret-of-ada-0123456789";
    private static final String GRACES = "secret-of-grace-0123456789";

    private static final Servers.Place PLACE = Servers.postgres();
    private static OperationsConsole console;

    @TempDir
    static Path directory;

    private final Shop shop = new Shop(PLACE.store());

    @BeforeAll
    static void startConsole() throws IOException {
        Path people = Files.writeString(directory.resolve("people"), "ada:" + ADAS + "\ngrace:" + GRACES + "\n");
        console = Consoles.builder(PLACE.store(), Duration.ofHours(24))
                .authenticator(Authenticator.tokenFile(people))
                .start();
    }

    @AfterAll
    static void closeConsole() {
        console.close();
    }

    private static String as(String name, String secret, String path) {
        return "http://" + name + ":" + secret + "@127.0.0.1:" + console.uri().getPort() + path;
    }

    private static void shot(Chromium browser, String name) {
        browser.screenshot(SCREENSHOTS.resolve(name + ".png"));
    }

    private static void assertFine(Chromium browser) {
        assertThat(browser.stops())
                .allSatisfy(stop -> assertThat(stop).as("the focus can be seen").matches("(BODY .*|.* solid [3-9]px)"));
        assertThat(browser.complaints().stream().filter(line -> !line.contains("status of 4")))
                .as("what the browser complains about")
                .isEmpty();
    }

    @Test
    void twoPeople_byKeyboardAlone_resolveAKeyAndOverrideAnother() throws Exception {
        IdempotencyKey doubt = shop.inDoubt("ORD-1001");
        shop.hostile(new IdempotencyKey("refund/acme", "<b>\u202Eevil\u202C \"key\"</b>"), "<script>alert(1)</script>");
        IdempotencyKey completed = shop.completed("ORD-1002");
        try (var ada = new Chromium(directory.resolve("ada"));
                var grace = new Chromium(directory.resolve("grace"))) {
            // Ada finds the key and resolves it; at first she forgets half of the form.
            ada.open(as("ada", ADAS, "/"));
            ada.look("light", 1200, 900);
            shot(ada, "unresolved");
            ada.tabTo("tbody th a[href$='ORD-1001']");
            ada.type(Chromium.ENTER);
            ada.await("document.querySelector('h1').innerText === 'ORD-1001'");
            shot(ada, "key-in-doubt");
            ada.tabTo("#decide-executed");
            ada.type(Chromium.SPACE);
            ada.type(Chromium.DOWN);
            assertThat(ada.ask("document.activeElement.id")).isEqualTo("decide-executed-result");
            ada.tabTo("#decide-result");
            ada.type("{\"charge\":\"ch-1\",\"amount\":1200}");
            ada.tabTo("#decide-codec");
            ada.type("json");
            ada.tabTo("form[action='/act'] button");
            ada.type(Chromium.ENTER);
            ada.await("document.activeElement.className === 'problems'");
            shot(ada, "form-with-problems");
            ada.tabTo("[role=alert] a[href='#decide-why']");
            ada.type(Chromium.ENTER);
            ada.type(Chromium.TAB);
            String after = ada.ask("document.activeElement.id");
            ada.tabTo("#decide-why");
            ada.type("customer waits");
            ada.tabTo("#decide-evidence");
            ada.type("ch-1 at the provider");
            ada.tabTo("#decide-confirmed");
            ada.type(Chromium.SPACE);
            ada.tabTo("form[action='/act'] button");
            ada.type(Chromium.ENTER);

            assertThat(after).as("a link leads to its field").isIn("decide-why", "decide-evidence");
            ada.awaitText("Done: the key is completed.");
            assertThat(shop.standing(doubt).state()).isEqualTo(State.COMPLETED);
            assertThat(ada.ask("document.activeElement.className"))
                    .as("Enter leads to the next key")
                    .isEqualTo("next");
            shot(ada, "key-completed");

            // Ada asks for an override of another key.
            ada.open(as("ada", ADAS, "/"));
            ada.tabTo("#find-scope");
            ada.type("charge-card");
            ada.tabTo("#find-key");
            ada.type("ORD-1002" + Chromium.ENTER);
            ada.await("document.querySelector('h1').innerText === 'ORD-1002'");
            ada.tabTo("#decide-request");
            ada.type(Chromium.SPACE);
            ada.tabTo("#decide-payload");
            ada.type("{\"id\":\"ORD-1002\",\"amount\":1250}");
            ada.tabTo("#decide-why");
            ada.type("wrong amount");
            ada.tabTo("#decide-evidence");
            ada.type("ch-2 is refunded");
            ada.tabTo("#decide-confirmed");
            ada.type(Chromium.SPACE + Chromium.TAB + Chromium.ENTER);
            ada.awaitText("a second person can approve");

            // She cannot approve it herself.
            ada.tabTo("#request-1-approve");
            ada.type(Chromium.SPACE);
            ada.tabTo("#request-1-why");
            ada.type("seen by myself");
            ada.tabTo("#request-1-evidence");
            ada.type("refund re-2");
            ada.tabTo("#request-1-confirmed");
            ada.type(Chromium.SPACE + Chromium.TAB + Chromium.ENTER);
            ada.awaitText("it takes a second person");
            shot(ada, "override-by-one-person");

            // Grace reviews and approves it.
            grace.open(as("grace", GRACES, "/key?scope=charge-card&key=ORD-1002"));
            grace.look("dark", 1200, 900);
            shot(grace, "override-request-dark");
            grace.tabTo("#request-1-approve");
            grace.type(Chromium.SPACE);
            grace.tabTo("#request-1-why");
            grace.type("seen with ada");
            grace.tabTo("#request-1-evidence");
            grace.type("refund re-2");
            grace.tabTo("#request-1-confirmed");
            grace.type(Chromium.SPACE + Chromium.TAB + Chromium.ENTER);
            grace.awaitText("Done: the key is open for the new request alone.");
            assertThat(shop.standing(completed).state()).isEqualTo(State.OPEN);
            assertThat(shop.standing(completed).generation()).isEqualTo(2);
            grace.open(as("grace", GRACES, "/audit"));
            shot(grace, "audit-dark");
            grace.look("light", 420, 900);
            grace.open(as("grace", GRACES, "/key?scope=charge-card&key=ORD-1002"));
            shot(grace, "key-narrow");

            assertThat(shop.charge().execute(new Shop.Order("ORD-1002", 1250)).amount())
                    .isEqualTo(1250);
            assertThat(PLACE.store().audit(completed, null, 1).get(0).who()).isEqualTo("grace");
            assertFine(ada);
            assertFine(grace);
        }
    }

    /** The pictures of the guide are those of this test. */
    @Test
    void keysOfAnIncident_byKeyboardAlone_areLookedUpAndDecidedTogether() throws Exception {
        var place = Servers.postgres();
        var incident = new Shop(place.store());
        List.of("ORD-4711", "ORD-4712", "ORD-4713").forEach(incident::inDoubt);
        incident.kept("ORD-4714", "{\"orderId\":\"ORD-4714\",\"amount\":1250,\"card\":\"4111111111111111\"}");
        incident.abandoned("ORD-4715");
        try (var queue = Consoles.builder(place.store(), Duration.ofHours(24))
                        .zone(ZoneId.of("Europe/Berlin"))
                        .providerUrl(Shop.SCOPE, "https://provider.example/payments?key={nativeKey}")
                        .show(Shop.SCOPE, List.of("orderId", "amount"))
                        .start();
                var ada = new Chromium(directory.resolve("incident"))) {
            ada.look("light", 1100, 760);
            ada.open(queue.uri().toString());
            shot(ada, "console-list");
            ada.tabTo("tbody th a[href*='ORD-4714']");
            ada.type(Chromium.ENTER);
            ada.await("document.querySelector('h1').innerText === 'ORD-4714'");
            ada.tabTo("#look-by");
            ada.type("ada");
            ada.tabTo("form[action='/look'] button");
            ada.type(Chromium.ENTER);
            ada.awaitText("1250");
            assertThat(ada.text()).doesNotContain("4111111111111111");
            ada.ask("window.scrollTo(0, 0)");
            shot(ada, "console-key");

            ada.open(queue.uri().toString());
            ada.tabTo("#choose-0");
            ada.type(Chromium.SPACE);
            ada.tabTo("#choose-1");
            ada.type(Chromium.SPACE);
            ada.tabTo("#choose-2");
            ada.type(Chromium.SPACE);
            ada.tabTo("form[action='/choose'] button");
            ada.type(Chromium.ENTER);
            ada.awaitText("Decide 3 keys together");
            ada.tabTo("#together-executed");
            ada.type(Chromium.SPACE);
            assertThat(ada.ask("document.getElementById('together-by').value"))
                    .as("the name that was typed to look")
                    .isEqualTo("ada");
            ada.tabTo("#together-why");
            ada.type("provider was down until 14:20");
            ada.tabTo("#together-evidence");
            ada.type("all three are in the provider's list");
            ada.tabTo("#together-confirmed");
            ada.type(Chromium.SPACE);
            shot(ada, "console-together");
            ada.tabTo("form[action='/decide'] button");
            ada.type(Chromium.ENTER);
            ada.awaitText("Done for 3 of 3 keys.");
            shot(ada, "console-outcomes");

            assertThat(incident.standing(new IdempotencyKey(Shop.SCOPE, "ORD-4713"))
                            .state())
                    .isEqualTo(State.COMPLETED);
            assertFine(ada);
        }
    }

    @Test
    void keys_thatSomebodyMadeToMislead_areText() throws Exception {
        IdempotencyKey key = shop.hostile(
                new IdempotencyKey("refund/acme", "<img src=x onerror=\"document.title='owned'\">\u202Etxt"),
                "<script>document.title='owned'</script>");
        try (var browser = new Chromium(directory.resolve("hostile"))) {
            browser.open(as("ada", ADAS, Target.key(key).with("result", "show").text()));
            browser.look("light", 1200, 900);
            shot(browser, "hostile-key");

            assertThat(browser.ask("document.title")).doesNotStartWith("owned").contains("\\u{202e}");
            assertThat(browser.ask("document.querySelectorAll('script, img, svg, iframe').length"))
                    .isEqualTo("0");
            assertThat(browser.ask("document.documentElement.scrollWidth <= innerWidth"))
                    .isEqualTo("true");
            assertFine(browser);
        }
    }

    @Test
    void formOfAnotherSite_isRefused() throws Exception {
        IdempotencyKey key = shop.inDoubt("ORD-1003");
        URI here = console.uri();
        Path evil = Files.writeString(
                directory.resolve("evil.html"),
                "<form id=f method=post action='http://127.0.0.1:" + here.getPort() + "/act'>"
                        + "<input name=scope value=charge-card><input name=key value=ORD-1003>"
                        + "<input name=version value=2><input name=act value=executed><input name=by value=mallory>"
                        + "<input name=why value=x><input name=evidence value=x><input name=confirmed value=yes></form>");
        try (var browser = new Chromium(directory.resolve("forgery"))) {
            browser.open(as("ada", ADAS, "/"));
            browser.open(evil.toUri().toString());
            browser.ask("document.getElementById('f').submit()");
            browser.awaitText("The form comes from elsewhere.");
            assertThat(shop.standing(key).state()).isEqualTo(State.IN_DOUBT);
        }
    }
}
