package dev.idempotency.examples.payments;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** Makes the bundled {@code orders.csv}: an export with the repeats and near-repeats that real ones have. */
final class OrdersGenerator {
    private static final List<String> NAMES = List.of(
            "Zoë Müller",
            "Nguyễn Văn An",
            "O'Brien & Sons, Ltd.",
            "Łukasz Żółć",
            "株式会社さくら",
            "José Ángel Núñez",
            "Åsa \"Ace\" Öberg",
            "Иван Петров",
            "Smith, John",
            "Café Ω",
            "Ana Souza",
            "محمد علي",
            "Jean-Luc d'Arc",
            "Ivy 🌿 Garden",
            "Müller GmbH, Köln");

    private record Line(String id, String customer, int cents) {}

    private final Random random;
    private int second;

    private OrdersGenerator(long seed) {
        random = new Random(seed);
    }

    /** Writes the file that is given, or the bundled one when run from the root of the repository. */
    public static void main(String[] args) throws Exception {
        var file = Path.of(args.length > 0 ? args[0] : "examples/payments/src/main/resources/orders.csv");
        Files.writeString(file, generate(20261121, 1000), StandardCharsets.UTF_8);
    }

    /**
     * Makes a file.
     *
     * @param orders how many order ids; the rows are about a quarter more
     */
    static String generate(long seed, int orders) {
        return new OrdersGenerator(seed).file(orders);
    }

    private String file(int orders) {
        var rows = new ArrayList<String>();
        var lines = new ArrayList<Line>();
        for (int i = 0; i < orders; i++) {
            boolean isTwin = i > 20 && i % 25 == 0;
            Line line = isTwin
                    // The same customer buys for the same amount again: another order, to be charged.
                    ? new Line(id(i), lines.get(i - 1 - random.nextInt(20)).customer(), 0)
                    : new Line(id(i), NAMES.get(random.nextInt(NAMES.size())), 100 + random.nextInt(50_000));
            if (isTwin) {
                String customer = line.customer();
                Line twin = lines.stream()
                        .filter(other -> other.customer().equals(customer))
                        .reduce((earlier, later) -> later)
                        .orElseThrow();
                line = new Line(line.id(), twin.customer(), twin.cents());
            }
            lines.add(line);
            String row = row(line);
            rows.add(row);
            if (i % 16 == 3) {
                // The exporter wrote the row twice.
                rows.add(row);
            }
            if (i % 8 == 5) {
                // Hours later the order comes again, written by another program.
                rows.add(oddRow(lines.get(random.nextInt(lines.size()))));
            }
            if (i % 50 == 30) {
                // The same order id with another amount: somebody corrected the order after the fact.
                Line wrong = lines.get(random.nextInt(lines.size()));
                rows.add(row(new Line(wrong.id(), wrong.customer(), wrong.cents() + 1 + random.nextInt(500))));
            }
            if (i % 70 == 60) {
                rows.add("");
            }
        }
        return "order_id,customer,amount,currency,exported_at\r\n" + String.join("\r\n", rows) + "\r\n";
    }

    private static String id(int i) {
        return "ORD-" + (10_001 + i);
    }

    private String row(Line line) {
        return String.join(",", line.id(), quoted(line.customer()), euros(line.cents()), "EUR", time());
    }

    private String oddRow(Line line) {
        return switch (random.nextInt(4)) {
            case 0 ->
                String.join(
                        ",",
                        "\"" + line.id() + "\"",
                        always(line.customer()),
                        "\"" + euros(line.cents()) + "\"",
                        "\"EUR\"",
                        "\"" + time() + "\"");
            case 1 ->
                String.join(", ", line.id() + " ", always(line.customer()) + " ", euros(line.cents()), "EUR ", time());
            case 2 ->
                String.join(
                        ",",
                        "  " + line.id(),
                        always(" " + line.customer().replace(" ", "  ") + " "),
                        "0" + euros(line.cents()),
                        "EUR",
                        "");
            default ->
                String.join(
                        ",",
                        line.id(),
                        quoted(java.text.Normalizer.normalize(line.customer(), java.text.Normalizer.Form.NFD)),
                        euros(line.cents()).replaceAll("0$", ""),
                        "EUR",
                        time());
        };
    }

    private String time() {
        second += random.nextInt(60);
        return String.format(
                Locale.ROOT,
                "2026-11-%02dT%02d:%02d:%02dZ",
                1 + second / 86_400,
                second / 3600 % 24,
                second / 60 % 60,
                second % 60);
    }

    private static String euros(int cents) {
        return String.format(Locale.ROOT, "%d.%02d", cents / 100, cents % 100);
    }

    private static String quoted(String value) {
        return value.contains(",") || value.contains("\"") ? always(value) : value;
    }

    private static String always(String value) {
        return "\"" + value.replace("\"", "\"\"") + "\"";
    }
}
