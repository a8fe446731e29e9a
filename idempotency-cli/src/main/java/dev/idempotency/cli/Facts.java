package dev.idempotency.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** Names and what they stand for, below each other. Not thread-safe. */
final class Facts {
    private final Output output;
    private final Map<String, String> facts = new LinkedHashMap<>();

    Facts(Output output) {
        this.output = output;
    }

    void fact(String name, String text) {
        facts.put(name, text);
    }

    void print() {
        int width = facts.keySet().stream().mapToInt(String::length).max().orElse(0);
        facts.forEach((name, text) -> output.line(name + " ".repeat(width - name.length() + 2) + text));
    }
}
