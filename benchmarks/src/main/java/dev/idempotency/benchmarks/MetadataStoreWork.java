package dev.idempotency.benchmarks;

import org.springframework.integration.metadata.ConcurrentMetadataStore;

/** What can be made of a metadata store of Spring Integration: a mark that is replaced by the result. */
final class MetadataStoreWork {
    private static final String RESERVED = "?";

    private MetadataStoreWork() {}

    static Subject.Work on(ConcurrentMetadataStore store, Downstream downstream) {
        return order -> {
            String standing = store.putIfAbsent(order.orderId(), RESERVED);
            if (standing != null) {
                return standing;
            }
            String result = downstream.call();
            store.replace(order.orderId(), RESERVED, result);
            return result;
        };
    }
}
