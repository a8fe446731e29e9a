package dev.idempotency.docs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** The metrics and labels that an expression of Prometheus names. Knows as much of the language as our alerts use. */
final class Promql {
    private static final Pattern TOKEN = Pattern.compile(
            "\\s*(?:(?<name>[A-Za-z_][A-Za-z0-9_:]*)|(?<text>\"[^\"]*\"|'[^']*')|(?<number>[0-9.]+[a-z]*)"
                    + "|(?<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){}\\[\\],]))");
    private static final Set<String> CALLS =
            Set.of("sum", "max", "min", "avg", "count", "rate", "increase", "delta", "clamp_min", "absent");
    private static final Set<String> GROUPING = Set.of("by", "without", "on", "ignoring", "group_left", "group_right");
    private static final Set<String> WORDS = Set.of("and", "or", "unless", "offset", "bool");

    /** A metric with its matchers, as label to operator and value. */
    record Selector(String metric, Map<String, String> matchers) {}

    private final List<String> tokens = new ArrayList<>();
    private final List<Selector> selectors = new ArrayList<>();
    private final Set<String> grouping = new TreeSet<>();
    private int at;

    private Promql(String expression) {
        // What Grafana puts in for itself.
        String plain = expression.replace("$__rate_interval", "5m").strip();
        var token = TOKEN.matcher(plain);
        int end = 0;
        while (end < plain.length()) {
            if (!token.find(end) || token.start() != end) {
                throw new IllegalArgumentException("cannot read '" + plain.substring(end) + "' in: " + plain);
            }
            tokens.add(token.group().strip());
            end = token.end();
        }
        read();
    }

    static Promql of(String expression) {
        return new Promql(expression);
    }

    List<Selector> selectors() {
        return selectors;
    }

    /** The labels that results are grouped or joined by. */
    Set<String> grouping() {
        return grouping;
    }

    private String peek(int ahead) {
        return at + ahead < tokens.size() ? tokens.get(at + ahead) : "";
    }

    private void read() {
        while (at < tokens.size()) {
            String token = peek(0);
            if (!token.matches("[A-Za-z_].*") || WORDS.contains(token)) {
                at++;
            } else if (GROUPING.contains(token)) {
                at += 2;
                while (!peek(0).equals(")")) {
                    if (!peek(0).equals(",")) {
                        grouping.add(peek(0));
                    }
                    at++;
                }
            } else if (peek(1).equals("(") || GROUPING.contains(peek(1))) {
                if (!CALLS.contains(token)) {
                    throw new IllegalArgumentException("unknown function " + token);
                }
                at++;
            } else {
                selector(token);
            }
        }
    }

    private void selector(String metric) {
        var matchers = new LinkedHashMap<String, String>();
        at++;
        if (peek(0).equals("{")) {
            at++;
            while (!peek(0).equals("}")) {
                if (!peek(0).equals(",")) {
                    String value = peek(2);
                    matchers.put(peek(0), peek(1) + value.substring(1, value.length() - 1));
                    at += 2;
                }
                at++;
            }
            at++;
        }
        selectors.add(new Selector(metric, matchers));
    }
}
