package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a run of the program printed, and its exit status. */
record Run(int status, String out, String err) {
    static Run of(String... args) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        int status = Payments.run(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                args);
        return new Run(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    String lastLine() {
        List<String> lines = out.lines().toList();
        return lines.get(lines.size() - 1);
    }

    long figure(String name) {
        Matcher matcher = Pattern.compile("\\b" + name + "=(\\d+)").matcher(lastLine());
        assertThat(matcher.find()).as(out + err).isTrue();
        return Long.parseLong(matcher.group(1));
    }

    /** The first number after a text of the table. */
    long row(String text) {
        Matcher matcher = Pattern.compile(Pattern.quote(text) + " +(\\d+)").matcher(out);
        assertThat(matcher.find()).as(text + " in " + out + err).isTrue();
        return Long.parseLong(matcher.group(1));
    }
}
