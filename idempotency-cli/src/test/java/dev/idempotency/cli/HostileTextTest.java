package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.cli.Operator.Run;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whatever was stored, a terminal shows it as text, a shell takes it for one word, and JSON has it as it is. */
final class HostileTextTest {
    private static final Servers.Place PLACE = Servers.postgres();

    private final Shop shop = new Shop(PLACE.store());
    private final Operator operator = new Operator(PLACE);

    /** Nothing but lines of visible characters. */
    private static void assertHarmless(String printed) {
        assertThat(printed.codePoints()
                        .filter(c -> c != '\n')
                        .filter(c -> Character.isISOControl(c)
                                || Character.getType(c) == Character.FORMAT
                                || Character.getType(c) == Character.SURROGATE
                                || Character.getType(c) == Character.LINE_SEPARATOR
                                || Character.getType(c) == Character.PARAGRAPH_SEPARATOR)
                        .mapToObj(Integer::toHexString)
                        .toList())
                .isEmpty();
    }

    private static List<String> unescaped(List<String> words) {
        return words.stream().map(Plain::read).toList();
    }

    @Test
    void keys_ofAnyText_areListedShownAndFoundAgain() {
        for (String text : HostileTexts.KEYS) {
            shop.hostile(new IdempotencyKey(text, text), text);
        }

        Run list = operator.run("list", "--limit", "1000");
        JsonNode documents = operator.run("list", "--limit", "1000", "--json").json();

        assertHarmless(list.out());
        assertThat(list.out().lines()).hasSizeGreaterThanOrEqualTo(HostileTexts.KEYS.size() + 1);
        assertThat(documents.get("records").findValuesAsText("key")).containsAll(HostileTexts.KEYS);
        for (String text : HostileTexts.KEYS) {
            String typed = new Plain(StandardCharsets.UTF_8).text(text);
            Run show = operator.run("show", "--", typed, typed);
            Run json = operator.run("show", "--json", "--show-result", "--", typed, typed);

            assertThat(show.code()).as(show.err()).isZero();
            assertHarmless(show.out());
            assertThat(json.out()).matches("(?s)[\\n\\x20-\\x7E]*");
            assertThat(json.json().at("/record/scope").textValue()).isEqualTo(text);
            assertThat(json.json().at("/record/history/0/detail").textValue()).isEqualTo(text);
        }
    }

    @Test
    void texts_ofRecords_areShownAsText() {
        int number = 0;
        for (String text : HostileTexts.TEXTS) {
            // PostgreSQL takes no NUL, whoever writes it.
            String stored = text.replace("\u0000", "");
            String id = "text-" + number++;
            shop.hostile(new IdempotencyKey(Shop.SCOPE, id), stored);

            Run show = operator.run("show", Shop.SCOPE, id, "--show-result");
            Run json = operator.run("show", Shop.SCOPE, id, "--show-result", "--json");

            assertThat(show.code()).as(show.err()).isZero();
            assertHarmless(show.out());
            assertThat(show.out().lines().filter(line -> line.startsWith("Done: ")))
                    .isEmpty();
            assertThat(json.out()).matches(out -> out.chars().allMatch(c -> c == '\n' || (c >= 0x20 && c < 0x7F)));
            assertThat(json.json().at("/record/history/0/result/text").textValue())
                    .isEqualTo(stored);
        }
    }

    @Test
    void words_ofAnyText_areOneWordOfAShell() throws Exception {
        var plain = new Plain(StandardCharsets.US_ASCII);
        for (String text : Stream.concat(
                        HostileTexts.KEYS.stream(), HostileTexts.TEXTS.stream().limit(3))
                .toList()) {
            Process shell = new ProcessBuilder("sh", "-c", "printf %s " + plain.word(text)).start();
            String word = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertThat(shell.waitFor()).isZero();
            assertThat(unescaped(List.of(word))).containsExactly(text);
        }
    }

    @Test
    void rulings_thatMislead_areRefusedBeforeAnythingIsAsked() {
        Run run = operator.run(
                "reopen", "x", "y", "--version", "1", "--by", "a\u202Eb", "--why", "b", "--evidence", "c", "--yes");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE.code());
        assertHarmless(run.err());
    }

    @Test
    void messages_thatRepeatWhatWasTyped_areHarmless() {
        assertHarmless(operator.run("list", "--\u001B[31mx").err());
        assertHarmless(operator.run("list", "--state", "\u001B[31mx").err());
        assertHarmless(operator.run("show", "\u001B[31mx", "y").err());
        assertThat(operator.run("list", "--json", "--state", "\u001B[31m\u202Ex")
                        .out())
                .matches("(?s)[\\n\\x20-\\x7E]*");
    }
}
