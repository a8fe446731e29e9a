package dev.idempotency.examples.payments;

import java.math.BigDecimal;
import java.util.Currency;

/**
 * What is to be charged. All of it is the fingerprint; {@code id} is the key.
 *
 * @param amount in minor units of the currency: cents for EUR
 */
record Order(String id, String customer, long amount, String currency) {
    /** For people, in major units. */
    String text() {
        int digits = Math.max(0, Currency.getInstance(currency).getDefaultFractionDigits());
        return BigDecimal.valueOf(amount, digits) + " " + currency + " from " + customer;
    }
}
