package dev.idempotency.examples.payments;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Currency;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The orders of a CSV file. Everything is read and checked before anything is charged: a file with one bad row is refused,
 * because half a batch is harder to repair than none.
 *
 * @param source where they came from, for people
 * @param rows the rows in the order of the file
 * @param first the first row of each order id, which is the one that counts
 */
record Orders(String source, List<Row> rows, Map<String, Row> first) {
    private static final String BUNDLED = "orders.csv";
    private static final List<String> COLUMNS = List.of("order_id", "customer", "amount", "currency");
    private static final Set<String> CURRENCIES = Currency.getAvailableCurrencies().stream()
            .map(Currency::getCurrencyCode)
            .collect(Collectors.toSet());
    private static final int MAX_TEXT = 200;

    /** One row, and the number of its line. */
    record Row(int line, Order order) {}

    /** A file that cannot be used; the message has a line for each problem. */
    static final class UnusableException extends Exception {
        private static final long serialVersionUID = 1L;

        UnusableException(String source, List<String> problems) {
            super(source + " cannot be used, and nothing was charged:\n  "
                    + String.join("\n  ", problems.subList(0, Math.min(20, problems.size())))
                    + (problems.size() > 20 ? "\n  and " + (problems.size() - 20) + " more" : ""));
        }
    }

    /** The orders that the command line asks for. */
    static Orders read(Options options) throws UnusableException {
        Orders all = read(options.orders(), options.limit());
        return options.isEachOrderOnce() ? all.eachOnce() : all;
    }

    private Orders eachOnce() {
        return new Orders(source, rows.stream().filter(first::containsValue).toList(), first);
    }

    /**
     * Reads a file.
     *
     * @param file the file; null for the one that comes with this example
     * @param limit how many rows, from the top
     */
    static Orders read(@Nullable Path file, int limit) throws UnusableException {
        String source = file == null ? "the bundled " + BUNDLED : file.toString();
        try {
            return parse(source, text(file), limit);
        } catch (CharacterCodingException e) {
            throw new UnusableException(source, List.of("it is not UTF-8"));
        } catch (IOException e) {
            throw new UnusableException(source, List.of("it cannot be read: " + e));
        } catch (Csv.MalformedException e) {
            throw new UnusableException(source, List.of(Objects.requireNonNull(e.getMessage())));
        }
    }

    private static String text(@Nullable Path file) throws IOException {
        byte[] bytes;
        if (file == null) {
            try (InputStream in = Objects.requireNonNull(Orders.class.getResourceAsStream("/" + BUNDLED), BUNDLED)) {
                bytes = in.readAllBytes();
            }
        } else {
            bytes = Files.readAllBytes(file);
        }
        String text = StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    static Orders parse(String source, String text, int limit) throws Csv.MalformedException, UnusableException {
        List<Csv.Row> lines = Csv.parse(text);
        if (lines.isEmpty()) {
            throw new UnusableException(source, List.of("it is empty; its first row must name the columns " + COLUMNS));
        }
        List<String> header = lines.get(0).fields().stream()
                .map(name -> name.toLowerCase(Locale.ROOT))
                .toList();
        for (String column : COLUMNS) {
            if (header.indexOf(column) < 0 || header.indexOf(column) != header.lastIndexOf(column)) {
                throw new UnusableException(
                        source, List.of("line " + lines.get(0).line() + ": the header must name " + column + " once"));
            }
        }
        var problems = new ArrayList<String>();
        var rows = new ArrayList<Row>();
        var first = new HashMap<String, Row>();
        for (Csv.Row line : lines.stream().skip(1).limit(limit).toList()) {
            try {
                var row = new Row(line.line(), order(header, line.fields()));
                rows.add(row);
                first.putIfAbsent(row.order().id(), row);
            } catch (IllegalArgumentException | ArithmeticException e) {
                problems.add("line " + line.line() + ": " + e.getMessage());
            }
        }
        if (!problems.isEmpty()) {
            throw new UnusableException(source, problems);
        }
        return new Orders(source, List.copyOf(rows), Map.copyOf(first));
    }

    private static Order order(List<String> header, List<String> fields) {
        if (fields.size() != header.size()) {
            throw new IllegalArgumentException(fields.size() + " fields, where the header has " + header.size());
        }
        String code = fields.get(header.indexOf("currency"));
        if (!CURRENCIES.contains(code)) {
            throw new IllegalArgumentException("'" + code + "' is no currency, such as EUR");
        }
        String amount = fields.get(header.indexOf("amount"));
        if (!amount.matches("\\d{1,12}(\\.\\d{1,4})?") || new BigDecimal(amount).signum() == 0) {
            throw new IllegalArgumentException("'" + amount + "' is no amount, such as 12.50");
        }
        return new Order(
                text("order_id", fields.get(header.indexOf("order_id"))),
                text("customer", fields.get(header.indexOf("customer"))),
                minorUnits(new BigDecimal(amount), Currency.getInstance(code)),
                code);
    }

    private static long minorUnits(BigDecimal amount, Currency currency) {
        int digits = Math.max(0, currency.getDefaultFractionDigits());
        if (amount.stripTrailingZeros().scale() > digits) {
            throw new IllegalArgumentException(
                    "'" + amount + "' has more than the " + digits + " decimals of " + currency.getCurrencyCode());
        }
        return amount.movePointRight(digits).longValueExact();
    }

    /** One spelling for what looks the same: composed characters, single blanks. */
    private static String text(String column, String value) {
        String text = Normalizer.normalize(value, Normalizer.Form.NFC)
                .replaceAll("(?U)\\s+", " ")
                .strip();
        if (text.isEmpty() || text.length() > MAX_TEXT) {
            throw new IllegalArgumentException(column + " must have 1 to " + MAX_TEXT + " characters");
        }
        return text;
    }

    /** The rows that say what the first row of their order says. */
    List<Row> agreeing() {
        return rows.stream()
                .filter(row -> row.order().equals(first(row.order().id()).order()))
                .toList();
    }

    /** The rows that say something else. They run after the others: the first row of an order is the one that counts. */
    List<Row> contradicting() {
        return rows.stream()
                .filter(row -> !row.order().equals(first(row.order().id()).order()))
                .toList();
    }

    /** The first row of an order. */
    Row first(String id) {
        return Objects.requireNonNull(first.get(id), id);
    }

    Set<String> ids() {
        return first.keySet();
    }
}
