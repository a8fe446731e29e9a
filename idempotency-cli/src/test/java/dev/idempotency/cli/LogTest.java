package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The log of the jar: whatever is in a message, it is one line, and no terminal takes it for a command. */
final class LogTest {
    @Test
    void messages_ofAnyText_areOneHarmlessLine() throws Exception {
        var context = new LoggerContext();
        var settings = new JoranConfigurator();
        settings.setContext(context);
        settings.doConfigure(LogTest.class.getResource("logback.xml"));
        var logger = context.getLogger("test");
        @SuppressWarnings("unchecked")
        var appender =
                (ConsoleAppender<ILoggingEvent>) context.getLogger("ROOT").getAppender("stderr");
        String hostile = HostileTexts.TEXTS.get(0) + HostileTexts.TEXTS.get(1) + "\u202E\u2028";

        var event = new LoggingEvent("test", logger, Level.ERROR, hostile, new IllegalStateException(hostile), null);
        String logged = new String(appender.getEncoder().encode(event), StandardCharsets.UTF_8);
        var plain = new LoggingEvent("test", logger, Level.ERROR, hostile, null, null);
        String line = new String(appender.getEncoder().encode(plain), StandardCharsets.UTF_8);

        assertThat(line.lines()).hasSize(1);
        assertThat(line).contains("red").endsWith("\n");
        assertThat(logged).contains("\tat " + LogTest.class.getName());
        assertThat(logged.codePoints()
                        .filter(c -> c != '\n' && c != '\t')
                        .filter(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT)
                        .count())
                .isZero();
    }
}
