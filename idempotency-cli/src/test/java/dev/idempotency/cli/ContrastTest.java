package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** All text of the console can be read by people who see little contrast, in the light and in the dark: WCAG 2 AA. */
final class ContrastTest {
    private static final Pattern COLOR = Pattern.compile("--([a-z-]+): #([0-9a-f]{6})");
    /** Text, and what it stands on. */
    private static final List<List<String>> PAIRS = List.of(
            List.of("ink", "paper"),
            List.of("ink", "raised"),
            List.of("ink", "tint-bad"),
            List.of("ink", "tint-good"),
            List.of("soft", "paper"),
            List.of("soft", "raised"),
            List.of("link", "paper"),
            List.of("link", "raised"),
            List.of("link", "tint-bad"),
            List.of("paper", "link"),
            List.of("good", "paper"),
            List.of("wait", "paper"),
            List.of("bad", "paper"),
            List.of("bad", "tint-bad"));

    private static List<Map<String, Double>> schemes() throws IOException {
        String css;
        try (var in = ContrastTest.class.getResourceAsStream("console.css")) {
            css = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        var schemes = new ArrayList<Map<String, Double>>();
        for (String part : css.substring(0, css.indexOf("* {")).split("@media")) {
            var luminances = new HashMap<String, Double>();
            COLOR.matcher(part)
                    .results()
                    .forEach(color -> luminances.put(color.group(1), luminance(Integer.parseInt(color.group(2), 16))));
            schemes.add(luminances);
        }
        return schemes;
    }

    private static double luminance(int color) {
        return 0.2126 * linear(color >> 16) + 0.7152 * linear((color >> 8) & 0xFF) + 0.0722 * linear(color & 0xFF);
    }

    private static double linear(int channel) {
        double c = channel / 255.0;
        return c <= 0.03928 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
    }

    private static double contrast(double one, double other) {
        return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    }

    @Test
    void text_onWhatItStandsOn_hasContrastEnough() throws IOException {
        var schemes = schemes();

        assertThat(schemes).hasSize(2);
        for (Map<String, Double> scheme : schemes) {
            for (List<String> pair : PAIRS) {
                assertThat(contrast(scheme.get(pair.get(0)), scheme.get(pair.get(1))))
                        .as(pair.toString())
                        .isGreaterThanOrEqualTo(4.5);
            }
            assertThat(contrast(scheme.get("focus"), scheme.get("paper")))
                    .as("focus")
                    .isGreaterThanOrEqualTo(3);
        }
    }
}
