package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.examples.payments.Callers.Answer;
import dev.idempotency.examples.payments.Callers.Outcome;
import dev.idempotency.examples.payments.Witness.Sight;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class PipeTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Pipe pipe = new Pipe(new PrintStream(bytes, false, StandardCharsets.UTF_8));
    private final Counts counts = new Counts(new PrintStream(OutputStream.nullOutputStream()));
    private final Orders orders = orders();

    private static Orders orders() {
        try {
            return Orders.parse("here", "order_id,customer,amount,currency\nA,Zoë,1,EUR\nB,Zoë,2,EUR\n", 9);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void readAll(String text) {
        var reader = new Pipe.Reader(orders, counts);
        text.lines().forEach(reader::read);
    }

    @Test
    void read_whatWasWritten_isTheSame() {
        var charged = new Answer(orders.first("A"), Outcome.CHARGED, new Charge("ch_1", "A", 100, "EUR"), null);
        var failed = new Answer(orders.first("B"), Outcome.GAVE_UP, null, "java.io.IOException: two\nlines");
        pipe.saw(Sight.CALL, "201");
        pipe.saw(Sight.CALL, "201");
        pipe.answered(charged);
        pipe.answered(failed);

        String text = bytes.toString(StandardCharsets.UTF_8);
        assertThat(text.lines()).hasSize(4);
        readAll(text);

        assertThat(counts.of(Sight.CALL).of("201")).isEqualTo(2);
        assertThat(counts.answers()).containsExactly(charged, failed);
        assertThat(counts.answeredOrders()).isEqualTo(2);
    }

    @Test
    void read_lineThatIsCutOff_isNoAnswer() {
        pipe.answered(new Answer(orders.first("A"), Outcome.CHARGED, new Charge("ch_1", "A", 100, "EUR"), null));
        String text = bytes.toString(StandardCharsets.UTF_8).strip();

        for (int length = 0; length < text.length(); length++) {
            readAll(text.substring(0, length));
        }

        assertThat(counts.answers()).isEmpty();
    }
}
