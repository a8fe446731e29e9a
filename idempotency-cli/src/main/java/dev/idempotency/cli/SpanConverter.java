package dev.idempotency.cli;

import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** For options that take a duration. */
final class SpanConverter implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String value) {
        try {
            return Spans.parse(value);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }
}
