package dev.idempotency.examples.payments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OrdersTest {
    private static final String HEADER = "order_id,customer,amount,currency\n";

    @TempDir
    private Path directory;

    @Test
    void read_withoutFile_readsTheBundledOnesAsGenerated() throws Exception {
        var orders = Orders.read(null, Integer.MAX_VALUE);

        assertThat(orders.rows()).hasSizeGreaterThanOrEqualTo(1200);
        assertThat(orders.ids()).hasSize(1000);
        assertThat(orders.contradicting()).hasSize(20);
        assertThat(orders.agreeing()).hasSize(orders.rows().size() - 20);
        try (var in = Orders.class.getResourceAsStream("/orders.csv")) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                    .isEqualTo(OrdersGenerator.generate(20261121, 1000));
        }
    }

    @Test
    void read_theBundledOrders_haveTwinsThatAreOrdersOfTheirOwn() throws Exception {
        var orders = Orders.read(null, Integer.MAX_VALUE);

        var payloads = new HashSet<String>();
        orders.first()
                .values()
                .forEach(
                        row -> payloads.add(row.order().customer() + row.order().amount()));
        assertThat(payloads).hasSizeLessThan(orders.ids().size() - 30);
    }

    @Test
    void parse_spellingsOfOneOrder_areEqual() throws Exception {
        var orders = Orders.parse(
                "test",
                "Amount,note,ORDER_ID,customer,currency\r\n"
                        + "12.50,x,A-1,\"Núñez, José\",EUR\r\n"
                        + " \"012.5\" ,, A-1 ,\" Nu\u0301n\u0303ez,  Jose\u0301\", EUR\r\n",
                10);

        assertThat(orders.rows())
                .extracting(Orders.Row::order)
                .containsOnly(new Order("A-1", "Núñez, José", 1250, "EUR"))
                .hasSize(2);
        assertThat(orders.contradicting()).isEmpty();
    }

    @Test
    void parse_anotherAmountOrCustomerUnderOneId_contradicts() throws Exception {
        var orders = Orders.parse("test", HEADER + "A,x,1,EUR\nB,x,1,EUR\nA,x,2,EUR\nA,y,1,EUR\nA,x,1.00,EUR\n", 10);

        assertThat(orders.contradicting()).extracting(Orders.Row::line).containsExactly(4, 5);
        assertThat(orders.ids()).containsExactlyInAnyOrder("A", "B");
    }

    @Test
    void parse_currenciesWithOtherDecimals_areInTheirMinorUnits() throws Exception {
        var orders = Orders.parse("test", HEADER + "A,x,100,JPY\nB,x,1.234,KWD\n", 10);

        assertThat(orders.rows()).extracting(row -> row.order().amount()).containsExactly(100L, 1234L);
    }

    @Test
    void parse_withLimit_takesTheFirstRows() throws Exception {
        var orders = Orders.parse("test", HEADER + "A,x,1,EUR\nB,x,1,EUR\nC,x,nonsense,EUR\n", 2);

        assertThat(orders.ids()).containsExactlyInAnyOrder("A", "B");
    }

    @Test
    void parse_badRows_areAllListedWithTheirLines() {
        assertThatThrownBy(() -> Orders.parse(
                        "test",
                        HEADER + "A,x,1,EUR\n\nB,x,-1,EUR\n,x,1,EUR\nC,x,1\nD,x,1.234,EUR\nE,x,1,euro\nF,x,0.00,EUR\n",
                        10))
                .isInstanceOf(Orders.UnusableException.class)
                .hasMessageContainingAll(
                        "nothing was charged",
                        "line 4: '-1' is no amount",
                        "line 5: order_id must have",
                        "line 6: 3 fields, where the header has 4",
                        "line 7: '1.234' has more than the 2 decimals of EUR",
                        "line 8: 'euro' is no currency",
                        "line 9: '0.00' is no amount");
    }

    @Test
    void parse_withoutAColumn_saysWhich() {
        assertThatThrownBy(() -> Orders.parse("test", "order_id,customer,amount\nA,x,1\n", 10))
                .hasMessageContaining("line 1: the header must name currency once");
    }

    @Test
    void read_whatIsNoUtf8OrNotThere_isRefused() throws IOException {
        Path file = Files.write(
                directory.resolve("latin1.csv"), (HEADER + "A,\u00e9,1,EUR\n").getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> Orders.read(file, 10)).hasMessageContaining("it is not UTF-8");
        assertThatThrownBy(() -> Orders.read(directory.resolve("none.csv"), 10)).hasMessageContaining("cannot be read");
    }

    @Test
    void read_withByteOrderMark_ignoresIt() throws Exception {
        Path file = Files.writeString(directory.resolve("bom.csv"), "\uFEFF" + HEADER + "A,x,1,EUR\n");

        assertThat(Orders.read(file, 10).ids()).containsExactly("A");
    }
}
