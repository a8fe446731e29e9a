package dev.idempotency.testkit.process;

/**
 * What a crash matrix pays.
 *
 * @param id the key, and the reference at the provider
 * @param amount the payload
 */
record MatrixOrder(String id, long amount) {
    /**
     * What the provider made of it.
     *
     * @param effect the name of the effect in the ledger
     */
    record Receipt(String effect, String order, long amount) {}
}
