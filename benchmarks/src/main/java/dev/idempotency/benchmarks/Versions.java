package dev.idempotency.benchmarks;

import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;
import java.util.stream.Collectors;

/** What is measured, by the names of its jars. */
final class Versions {
    private static final List<Class<?>> PEERS = List.of(
            software.amazon.lambda.powertools.idempotency.Idempotency.class,
            org.redisson.Redisson.class,
            org.springframework.integration.redis.metadata.RedisMetadataStore.class,
            org.springframework.integration.jdbc.metadata.JdbcMetadataStore.class,
            org.apache.camel.processor.idempotent.jdbc.JdbcMessageIdRepository.class,
            net.javacrumbs.shedlock.provider.jdbc.JdbcLockProvider.class);

    private Versions() {}

    static String of(Class<?> type) {
        CodeSource source = type.getProtectionDomain().getCodeSource();
        if (source == null || source.getLocation() == null) {
            return type.getName();
        }
        Path file = Path.of(source.getLocation().getPath()).getFileName();
        return file == null ? type.getName() : file.toString().replaceFirst("\\.jar$", "");
    }

    static String peers() {
        return PEERS.stream().map(Versions::of).collect(Collectors.joining(", "));
    }
}
