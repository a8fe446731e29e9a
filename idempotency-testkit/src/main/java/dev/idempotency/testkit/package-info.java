/**
 * A foreign system to test against: a simulated provider that keeps its own {@linkplain dev.idempotency.testkit.EffectLedger
 * ledger} of what it really did, and a {@linkplain dev.idempotency.testkit.FaultPlan plan} of what goes wrong on the way to
 * it.
 *
 * <p>Count effects in the provider's ledger, never in the records of the code under test. Two forms of the same provider:
 *
 * <ul>
 *   <li>{@link dev.idempotency.testkit.SimulatedProvider} in process: no threads, no sleeping, time from a
 *       {@link dev.idempotency.testkit.ManualClock};
 *   <li>{@link dev.idempotency.testkit.HttpProviderSimulator} over HTTP, in process or in a process of its own.
 * </ul>
 *
 * <p>For stores: {@link dev.idempotency.testkit.ReferenceStore} to compare with, {@link
 * dev.idempotency.testkit.FaultInjectingStore} for lost replies and dying processes, {@link
 * dev.idempotency.testkit.LossyStore} for failovers, {@link dev.idempotency.testkit.ForwardingStore} to change single steps, and {@link dev.idempotency.testkit.BrokenStores} to prove that a test
 * can fail. For the protocol: {@link dev.idempotency.testkit.ReferenceKeyModel}.
 *
 * <p>Nothing here depends on a test framework.
 */
@NullMarked
package dev.idempotency.testkit;

import org.jspecify.annotations.NullMarked;
