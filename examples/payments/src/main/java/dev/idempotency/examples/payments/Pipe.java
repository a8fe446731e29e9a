package dev.idempotency.examples.payments;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.idempotency.examples.payments.Callers.Answer;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * From the paying process to the one that started it: a line of JSON for each thing that happens, on standard output. A line
 * goes out in one write, and what was written stays readable when its writer is killed: an answer was told if, and only if,
 * its line came through.
 */
final class Pipe implements Witness {
    private static final JsonMapper JSON = new JsonMapper();

    /**
     * One line: a sight, or an answer.
     *
     * @param line the row's line in the file of orders
     */
    private record Message(
            @Nullable Sight sight,
            @Nullable String text,
            int line,
            Callers.@Nullable Outcome outcome,
            @Nullable Charge charge) {}

    private final PrintStream out;

    /**
     * The writing end.
     *
     * @param out standard output
     */
    Pipe(PrintStream out) {
        this.out = out;
    }

    @Override
    public void saw(Sight sight, String what) {
        send(new Message(sight, what, 0, null, null));
    }

    @Override
    public void answered(Answer answer) {
        send(new Message(null, answer.failure(), answer.row().line(), answer.outcome(), answer.charge()));
    }

    private synchronized void send(Message message) {
        try {
            byte[] line = (JSON.writeValueAsString(message) + "\n").getBytes(StandardCharsets.UTF_8);
            out.write(line, 0, line.length);
            out.flush();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The reading end. */
    static final class Reader {
        private final Map<Integer, Orders.Row> rows;
        private final Witness witness;

        /**
         * Reads for somebody.
         *
         * @param orders what the paying process was given
         * @param witness is told what the paying process tells
         */
        Reader(Orders orders, Witness witness) {
            rows = orders.rows().stream().collect(Collectors.toMap(Orders.Row::line, row -> row));
            this.witness = witness;
        }

        void read(String line) {
            Message message;
            try {
                message = JSON.readValue(line, Message.class);
            } catch (JsonProcessingException e) {
                // A line that is cut off told nobody anything.
                return;
            }
            Orders.Row row = rows.get(message.line());
            if (message.sight() != null && message.text() != null) {
                witness.saw(message.sight(), message.text());
            } else if (message.outcome() != null && row != null) {
                witness.answered(new Answer(row, message.outcome(), message.charge(), message.text()));
            }
        }
    }
}
