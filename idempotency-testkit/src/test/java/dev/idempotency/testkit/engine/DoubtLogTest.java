package dev.idempotency.testkit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import dev.idempotency.Admin.Ruling;
import dev.idempotency.Finding;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What stands in the log of an application whose key comes into doubt. */
final class DoubtLogTest {
    private static final Logger DOUBTS = (Logger) LoggerFactory.getLogger("dev.idempotency.Doubts");
    private static final Logger LIBRARY = (Logger) LoggerFactory.getLogger("dev.idempotency.Idempotency");

    private final Shop shop = Shop.open();
    private final String name = "charge-" + UUID.randomUUID();
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void listen() {
        log.start();
        for (Logger logger : List.of(DOUBTS, LIBRARY)) {
            logger.setLevel(Level.INFO);
            logger.setAdditive(false);
            logger.addAppender(log);
        }
    }

    @AfterEach
    void close() {
        for (Logger logger : List.of(DOUBTS, LIBRARY)) {
            logger.detachAppender(log);
            logger.setAdditive(true);
        }
        DOUBTS.setLevel(Level.OFF);
        LIBRARY.setLevel(null);
        shop.close();
    }

    private List<ILoggingEvent> lines(Level level) {
        return List.copyOf(log.list).stream()
                .filter(line ->
                        line.getLevel() == level && line.getFormattedMessage().contains(name))
                .toList();
    }

    private Operation<Order, Receipt> failing(Recovery<Order, Receipt> recovery) {
        return shop.idempotency
                .operation(name, Order.class, Receipt.class)
                .key(Order::id)
                .recovery(recovery)
                .calling((order, attempt) -> {
                    throw new IllegalStateException("card 4711 was refused", new IOException("secret host"));
                });
    }

    @Test
    void keyThatComesIntoDoubt_isWarnedOfWithItsCauseAndWithoutMessages() {
        Failures.inDoubt(() -> failing(Recovery.hold()).execute(Shop.ORDER));

        assertThat(lines(Level.WARN)).singleElement().satisfies(line -> {
            assertThat(line.getFormattedMessage())
                    .contains(
                            name + ":o-1", "attempt 1", "IllegalStateException, caused by java.io.IOException; trace ");
            assertThat(ThrowableProxyUtil.asString(line.getThrowableProxy()))
                    .contains("DoubtLogTest", "java.io.IOException")
                    .doesNotContain("4711", "secret");
        });
    }

    @Test
    void historyOfTheKey_saysWhatTheLogSays() {
        Failures.inDoubt(() -> failing(Recovery.hold()).execute(Shop.ORDER));

        var history = shop.record(new IdempotencyKey(name, "o-1")).evidence();
        String reason = history.get(history.size() - 1).detail();
        assertThat(reason).contains("trace ").doesNotContain("4711");
        assertThat(lines(Level.WARN).get(0).getFormattedMessage()).contains(reason);
    }

    @Test
    void doubtThatEnds_isToldOfAndHow() {
        var known = new AtomicBoolean();
        var charge = failing(Recovery.lookup(
                (order, attempt) -> known.get() ? Finding.found(new Receipt("e", 100)) : Finding.unknown("not now")));
        Failures.inDoubt(() -> charge.execute(Shop.ORDER));
        known.set(true);

        charge.execute(Shop.ORDER);

        assertThat(lines(Level.INFO))
                .last()
                .satisfies(line -> assertThat(line.getFormattedMessage()).contains("not in doubt any more: FOUND"));
    }

    @Test
    void doubtThatAPersonEnds_isToldOf() {
        Failures.inDoubt(() -> failing(Recovery.hold()).execute(Shop.ORDER));
        var key = new IdempotencyKey(name, "o-1");

        shop.admin().resolveExecuted(key, shop.record(key).version(), null, new Ruling("ada", "seen it", "none"));

        assertThat(lines(Level.INFO))
                .last()
                .satisfies(line -> assertThat(line.getFormattedMessage()).contains("not in doubt any more: FOUND"));
    }

    @Test
    void operationThatIsBuilt_isToldOfWithItsLevel() {
        failing(Recovery.hold());

        assertThat(lines(Level.INFO))
                .singleElement()
                .satisfies(line -> assertThat(line.getFormattedMessage())
                        .contains("level F (held)", "PROCESS store", "recovery HOLD"));
    }
}
