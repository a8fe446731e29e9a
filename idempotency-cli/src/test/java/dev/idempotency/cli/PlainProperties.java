package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Text that is shown can be read again, whatever it is, and shows nothing that is not visible. */
final class PlainProperties {
    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.oneOf(
                Arbitraries.strings().ofMaxLength(40),
                Arbitraries.strings().withChars("\\u{}0a2e\u202E'\"<& \u001B\n").ofMaxLength(20));
    }

    @Provide
    Arbitrary<Charset> charsets() {
        return Arbitraries.of(StandardCharsets.UTF_8, StandardCharsets.US_ASCII, StandardCharsets.ISO_8859_1);
    }

    @Property(tries = 500)
    void text_shownAndRead_isTheSame(@ForAll("texts") String text, @ForAll("charsets") Charset charset) {
        String shown = new Plain(charset).text(text);

        assertThat(Plain.read(shown)).isEqualTo(text);
        assertThat(shown.codePoints().noneMatch(Character::isISOControl)).isTrue();
        assertThat(charset.newEncoder().canEncode(shown)).isTrue();
    }

    @Property(tries = 500)
    void html_ofAnyText_hasNoMarkupOfIt(@ForAll("texts") String text) {
        assertThat(Html.escape(text)).doesNotContain("<", ">", "\"", "'");
        assertThat(org.jsoup.parser.Parser.unescapeEntities(Html.escape(text), true))
                .isEqualTo(text.codePoints()
                        .map(c -> (Character.isISOControl(c) && c != '\t' && c != '\n')
                                        || (c >= 0xD800 && c <= 0xDFFF)
                                        || (c & 0xFFFE) == 0xFFFE
                                ? 0xFFFD
                                : c)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString());
    }
}
