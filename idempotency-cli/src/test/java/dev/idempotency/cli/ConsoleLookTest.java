package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.idempotency.Admin;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.cli.Visitor.Page;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What people may look at of requests and results: the fields that somebody has named, on a click, and the log says who. */
final class ConsoleLookTest {
    private static final String REQUEST =
            "{\"id\":\"ORD-1\",\"amount\":1200,\"card\":{\"pan\":\"4111111111111111\",\"holder\":\"<b>Quentin</b>\"}}";

    private final Servers.Place place = Servers.postgres();
    private final Shop shop = new Shop(place.store());
    private final OperationsConsole console = Consoles.builder(place.store(), Duration.ZERO)
            .show(Shop.SCOPE, List.of("amount", "card.holder", "charge"))
            .start();
    private final Visitor ada = new Visitor(console.uri());
    private final Logger logger = (Logger) LoggerFactory.getLogger(OperationsConsole.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void listen() {
        log.start();
        logger.setLevel(Level.INFO);
        logger.addAppender(log);
    }

    @AfterEach
    void closeConsole() {
        logger.detachAppender(log);
        console.close();
    }

    private List<String> logged(String key) {
        return log.list.stream()
                .map(ILoggingEvent::getFormattedMessage)
                .filter(line -> line.endsWith(" " + key))
                .toList();
    }

    @Test
    void fieldsOfTheRequest_areShownToWhoeverSaysWhoHeIs_andTheLogNamesHim() {
        IdempotencyKey key = shop.kept("LOOK-1", REQUEST);
        Page before = ada.key(key.scope(), key.value());

        Page nobody = ada.submit("look", before.form("/look"), Map.of());
        List<String> untilThen = logged("LOOK-1");
        Page shown = ada.submit("look", before.form("/look"), Map.of("by", "ada"));

        assertThat(before.document().text()).doesNotContain("1200", "Quentin");
        assertThat(nobody.status()).isEqualTo(422);
        assertThat(nobody.document().text()).doesNotContain("1200", "Quentin").contains("Say who you are");
        assertThat(untilThen).isEmpty();
        assertThat(shown.document().select(".looked tbody tr").eachText())
                .containsExactly("amount 1200 none yet", "card.holder <b>Quentin</b> none yet", "charge – none yet");
        assertThat(shown.response().body()).doesNotContain("4111111111111111");
        assertThat(logged("LOOK-1")).containsExactly("ada looked at amount, card.holder, charge of charge-card LOOK-1");
        assertThat(shown.document().select("#decide-by").val()).isEqualTo("ada");
        PageRules.assertKept(shown.document());
        PageRules.assertKept(nobody.document());
        assertThat(ada.key(key.scope(), key.value())
                        .document()
                        .select("#look-by")
                        .val())
                .isEqualTo("ada");
    }

    @Test
    void results_ofThatOperation_haveNoOtherFieldsThanThese() {
        shop.completed("LOOK-2");

        Page whole = ada.open("key?scope=charge-card&key=LOOK-2&result=show");
        Page shown = ada.submit("look", ada.key(Shop.SCOPE, "LOOK-2").form("/look"), Map.of("by", "ada"));

        assertThat(whole.document().text()).doesNotContain("1200");
        assertThat(shown.document().select(".looked tbody tr").eachText())
                .containsExactly("amount not kept 1200", "card.holder not kept –", "charge not kept ch-1");
    }

    @Test
    void results_thatAreNotJson_areNotShown() {
        assertThat(ShownFields.of("enc-aes256gcm", new byte[] {1}, List.of("a")))
                .isNull();
        assertThat(ShownFields.of("json", new byte[] {1}, List.of("a"))).isNull();
        assertThat(ShownFields.of("json", "[1]".getBytes(StandardCharsets.UTF_8), List.of("a", "a.b")))
                .containsValue("–");
        assertThat(ShownFields.of("json", "{\"a\":1e99999999}".getBytes(StandardCharsets.UTF_8), List.of("a")))
                .containsEntry("a", "1E+99999999");
    }

    @Test
    void results_ofOtherOperations_areShownAsBefore_andTheLogSaysSo() {
        try (var other = Consoles.on(place.store())) {
            shop.completed("LOOK-3");
            var grace = new Visitor(other.uri());

            Page shown = grace.open("key?scope=charge-card&key=LOOK-3&result=show");

            assertThat(shown.document().select("pre").text()).contains("1200");
            assertThat(shown.document().select("form[action=/look]")).isEmpty();
            assertThat(logged("LOOK-3"))
                    .containsExactly("Somebody who has not said who looked at the results of charge-card LOOK-3");
        }
    }

    @Test
    void look_ofAnotherSite_orByAnAddress_isRefused() {
        IdempotencyKey key = shop.kept("LOOK-4", REQUEST);
        var form = ada.key(key.scope(), key.value()).form("/look");

        assertThat(ada.open("look?scope=charge-card&key=LOOK-4&by=ada").status())
                .isEqualTo(405);
        assertThat(new Visitor(console.uri())
                        .submit("look", form, Map.of("by", "ada"))
                        .status())
                .isEqualTo(403);
        assertThat(logged("LOOK-4")).isEmpty();
    }

    @Test
    void show_withoutFields_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> OperationsConsole.builder(Admin.on(place.store())).show("charge-card", List.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        OperationsConsole.builder(Admin.on(place.store())).show("charge-card", List.of("a", " ")));
    }
}
