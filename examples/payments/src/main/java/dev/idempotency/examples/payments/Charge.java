package dev.idempotency.examples.payments;

/**
 * What the provider did.
 *
 * @param id the provider's own name for it
 * @param reference the order's id
 * @param amount in minor units
 */
record Charge(String id, String reference, long amount, String currency) {
    boolean isFor(Order order) {
        return reference.equals(order.id()) && amount == order.amount() && currency.equals(order.currency());
    }
}
