package dev.idempotency.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What a command says: lines for people, or one document. */
final class Output {
    private final Environment environment;
    private final Plain plain;
    private final boolean json;
    private volatile boolean isOver;

    Output(Environment environment, boolean json) {
        this.environment = environment;
        this.plain = new Plain(environment.charset());
        this.json = json;
    }

    boolean isJson() {
        return json;
    }

    /** Says nothing any more: whoever still runs is late. */
    void end() {
        isOver = true;
    }

    void document(ObjectNode document) {
        if (!isOver) {
            environment.out().println(Json.write(document));
        }
    }

    /** A line with nothing of anybody else's in it. */
    void line(String text) {
        if (!isOver) {
            environment.out().println(text);
        }
    }

    void lines(Iterable<String> lines) {
        lines.forEach(this::line);
    }

    String shown(String text) {
        return plain.text(text);
    }

    String word(String text) {
        return plain.word(text);
    }

    void failed(Failure failure) {
        if (json) {
            document(Json.failure(failure));
            return;
        }
        Instant until = failure.until();
        note((failure.reason() == null ? "" : failure.reason() + ": ")
                + failure.text()
                + (until == null ? "" : " (from " + until + " on)"));
    }

    /** For people only, wherever the documents go. */
    void note(String text) {
        if (!isOver) {
            environment.err().println(shown(text));
        }
    }

    void trace(Throwable fault) {
        if (!isOver) {
            fault.printStackTrace(environment.err());
        }
    }

    @Nullable
    String ask(String question) {
        return environment.terminal().ask(question);
    }
}
