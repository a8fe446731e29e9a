package dev.idempotency.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.idempotency.benchmarks.Subject.Kind;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.concurrent.ConcurrentMap;
import org.aspectj.lang.ProceedingJoinPoint;
import org.aspectj.lang.Signature;
import org.aspectj.lang.reflect.MethodSignature;
import software.amazon.lambda.powertools.idempotency.Idempotency;
import software.amazon.lambda.powertools.idempotency.IdempotencyConfig;
import software.amazon.lambda.powertools.idempotency.exceptions.IdempotencyItemAlreadyExistsException;
import software.amazon.lambda.powertools.idempotency.exceptions.IdempotencyItemNotFoundException;
import software.amazon.lambda.powertools.idempotency.internal.IdempotencyHandler;
import software.amazon.lambda.powertools.idempotency.persistence.BasePersistenceStore;
import software.amazon.lambda.powertools.idempotency.persistence.DataRecord;

/**
 * AWS Powertools idempotency 1, on a bounded store in this process: what its aspect does around a method, without weaving.
 * It keeps its store in a static field, so there is one of these at a time.
 */
final class PowertoolsSubject {
    private PowertoolsSubject() {}

    /** Conditional, as its own store on DynamoDB is. */
    private static final class InMemory extends BasePersistenceStore {
        private final ConcurrentMap<String, DataRecord> records = Caffeine.newBuilder()
                .maximumSize(CaffeineSubjects.MAXIMUM)
                .<String, DataRecord>build()
                .asMap();

        @Override
        public DataRecord getRecord(String key) throws IdempotencyItemNotFoundException {
            DataRecord standing = records.get(key);
            if (standing == null) {
                throw new IdempotencyItemNotFoundException(key);
            }
            return standing;
        }

        @Override
        public void putRecord(DataRecord record, Instant now) throws IdempotencyItemAlreadyExistsException {
            DataRecord standing = records.putIfAbsent(record.getIdempotencyKey(), record);
            if (standing != null && !standing.isExpired(now)) {
                throw new IdempotencyItemAlreadyExistsException();
            }
        }

        @Override
        public void updateRecord(DataRecord record) {
            records.put(record.getIdempotencyKey(), record);
        }

        @Override
        public void deleteRecord(String key) {
            records.remove(key);
        }
    }

    /** What is called. */
    static final class Charges {
        private Charges() {}

        static String charge(Order order, Downstream downstream) {
            return downstream.call();
        }
    }

    static Subject of(Downstream downstream) {
        Idempotency.config()
                .withPersistenceStore(new InMemory())
                .withConfig(IdempotencyConfig.builder().withUseLocalCache(false).build())
                .configure();
        var mapper = new ObjectMapper();
        Signature signature;
        try {
            var method = Charges.class.getDeclaredMethod("charge", Order.class, Downstream.class);
            signature = (Signature) Proxy.newProxyInstance(
                    PowertoolsSubject.class.getClassLoader(),
                    new Class<?>[] {MethodSignature.class},
                    (self, asked, arguments) -> switch (asked.getName()) {
                        case "getMethod" -> method;
                        case "getReturnType" -> String.class;
                        default -> method.getName();
                    });
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException(e);
        }
        Subject.Work work = order -> {
            var joinPoint = (ProceedingJoinPoint) Proxy.newProxyInstance(
                    PowertoolsSubject.class.getClassLoader(),
                    new Class<?>[] {ProceedingJoinPoint.class},
                    (self, asked, arguments) -> switch (asked.getName()) {
                        case "proceed" -> Charges.charge(order, downstream);
                        case "getSignature" -> signature;
                        default -> null;
                    });
            try {
                return (String) new IdempotencyHandler(joinPoint, "charge", mapper.valueToTree(order), null).handle();
            } catch (Exception e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        };
        return new Subject("AWS Powertools idempotency 1", Kind.PEER, work, work, () -> {});
    }
}
