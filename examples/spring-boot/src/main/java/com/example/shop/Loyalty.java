package com.example.shop;

import dev.idempotency.Operation;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Gives points for orders, in the caller's transaction: they are committed with it and their record, or not at all. */
@Service
class Loyalty {
    private final Operation<Order, Points> award;
    private final JdbcIdempotencyStore store;
    private final DataSource shop;

    Loyalty(Operation<Order, Points> award, JdbcIdempotencyStore store, DataSource shop) {
        this.award = award;
        this.store = store;
        this.shop = shop;
    }

    // tag::joining[]
    @Transactional(propagation = Propagation.MANDATORY)
    Points award(Order order) {
        // within a transaction this is its connection, which is not to be closed here
        return store.joining(DataSourceUtils.getConnection(shop), () -> award.execute(order));
    }
    // end::joining[]
}
