package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.examples.payments.Callers.Answer;
import dev.idempotency.examples.payments.Callers.Outcome;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The figures of the last line, each from a ledger and answers that make it. */
final class ReportTest {
    private static final Charge CHARGE = new Charge("ch_1", "A", 100, "EUR");

    private final Orders orders = orders();
    private final Counts counts = new Counts(new PrintStream(OutputStream.nullOutputStream()));

    private static Orders orders() {
        try {
            return Orders.parse("here", "order_id,customer,amount,currency\nA,Zoë,1,EUR\n", 9);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void told(Outcome outcome, Charge charge) {
        counts.answered(new Answer(orders.first("A"), outcome, charge, charge == null ? "said so" : null));
    }

    private String lines(int kills, Charge... ledger) {
        var report = new Report(orders, counts, List.of(ledger), List.of(), true, kills);
        var bytes = new ByteArrayOutputStream();
        report.print(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(report.exitStatus()).isEqualTo(lines.get(lines.size() - 1).contains("duplicates=0 lost=0") ? 0 : 1);
        return String.join("\n", lines.subList(lines.size() - 2, lines.size()));
    }

    @Test
    void print_orderThatWasCharged_isOneEffect() {
        told(Outcome.CHARGED, CHARGE);

        assertThat(lines(-1, CHARGE)).isEqualTo("\neffects=1 duplicates=0 lost=0 in-doubt=0");
    }

    @Test
    void print_afterKills_saysHowMany() {
        told(Outcome.CHARGED, CHARGE);

        assertThat(lines(3, CHARGE)).isEqualTo("kills=3\neffects=1 duplicates=0 lost=0 in-doubt=0");
    }

    @Test
    void print_chargeThatNobodyWasToldOf_isNotLost() {
        assertThat(lines(1, CHARGE)).endsWith("effects=1 duplicates=0 lost=0 in-doubt=0");
    }

    @Test
    void print_secondChargeOfAnOrder_isDuplicate() {
        told(Outcome.CHARGED, CHARGE);

        assertThat(lines(1, CHARGE, new Charge("ch_2", "A", 100, "EUR")))
                .endsWith("effects=2 duplicates=1 lost=0 in-doubt=0");
    }

    @Test
    void print_chargeThatTheLedgerDoesNotHave_isLost() {
        told(Outcome.CHARGED, CHARGE);

        assertThat(lines(1)).endsWith("effects=0 duplicates=0 lost=1 in-doubt=0");
    }

    @Test
    void print_toldOfAnotherChargeThanTheOneOfTheLedger_isLost() {
        told(Outcome.CHARGED, new Charge("ch_2", "A", 100, "EUR"));

        assertThat(lines(1, CHARGE)).endsWith("effects=1 duplicates=0 lost=1 in-doubt=0");
    }

    @Test
    void print_orderThatNobodyHasAnAnswerFor_isLost() {
        assertThat(lines(1)).endsWith("effects=0 duplicates=0 lost=1 in-doubt=0");

        told(Outcome.GAVE_UP, null);
        assertThat(lines(1)).endsWith("effects=0 duplicates=0 lost=1 in-doubt=0");
    }

    @Test
    void print_orderThatWasDeclined_isNotLost() {
        told(Outcome.DECLINED, null);

        assertThat(lines(1)).endsWith("effects=0 duplicates=0 lost=0 in-doubt=0");
    }
}
