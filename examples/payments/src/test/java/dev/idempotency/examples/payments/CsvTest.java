package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CsvTest {
    @Test
    void parse_quotesCommasAndLineEndsInQuotes_areText() throws Exception {
        var rows = Csv.parse("a,\"b, \"\"c\"\"\",\"d\r\ne\"\r\nf,g,h");

        assertThat(rows)
                .containsExactly(
                        new Csv.Row(1, List.of("a", "b, \"c\"", "d\r\ne")), new Csv.Row(3, List.of("f", "g", "h")));
    }

    @Test
    void parse_blankLinesAndBlanksAroundFields_meanNothing() throws Exception {
        var rows = Csv.parse("\r\n  \n a , \" b \"\t,c \n\n\"\",\n");

        assertThat(rows).containsExactly(new Csv.Row(3, List.of("a", "b", "c")), new Csv.Row(5, List.of("", "")));
    }

    @Test
    void parse_emptyText_hasNoRows() throws Exception {
        assertThat(Csv.parse("")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a~\"b                | line 2: a quote that is never closed",
                "a~~b\"c\"            | line 3: a quote in a field that does not begin with one",
                "\"a~b\"c             | line 2: a field goes on after its closing quote, or a line ends with CR alone",
                "a^b                  | line 1: a field goes on after its closing quote, or a line ends with CR alone"
            })
    void parse_whatIsNotCsv_isRefusedWithItsLine(String text, String message) {
        assertThatThrownBy(() -> Csv.parse(text.replace('~', '\n').replace('^', '\r')))
                .isInstanceOf(Csv.MalformedException.class)
                .hasMessage(message);
    }
}
