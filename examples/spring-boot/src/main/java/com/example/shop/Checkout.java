package com.example.shop;

import dev.idempotency.DeclinedException;
import dev.idempotency.Operation;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;

/** Takes an order, has it charged, and notes that: each in a transaction of its own, none of them open during the call. */
@Service
class Checkout {
    private final Operation<Order, Charge> charge;
    private final JdbcTemplate jdbc;
    private final TransactionTemplate transaction;

    Checkout(Operation<Order, Charge> charge, JdbcTemplate jdbc, TransactionTemplate transaction) {
        this.charge = charge;
        this.jdbc = jdbc;
        this.transaction = transaction;
    }

    // tag::pay[]
    /** Every step may run again: after a crash between two of them the client sends the same order, and all is made good. */
    @Transactional(propagation = Propagation.NEVER)
    Charge pay(Order order) {
        transaction.executeWithoutResult(status -> jdbc.update(
                "INSERT INTO shop_order (order_id, amount, state) VALUES (?, ?, 'PLACED') ON CONFLICT DO NOTHING",
                order.orderId(),
                order.amount()));
        try {
            Charge charged = charge.execute(order);
            note(order, "PAID", charged.id());
            return charged;
        } catch (DeclinedException e) {
            note(order, "DECLINED", null);
            throw e;
        }
    }

    private void note(Order order, String state, String chargeId) {
        transaction.executeWithoutResult(status -> jdbc.update(
                "UPDATE shop_order SET state = ?, charge_id = ? WHERE order_id = ?", state, chargeId, order.orderId()));
    }
    // end::pay[]
}
