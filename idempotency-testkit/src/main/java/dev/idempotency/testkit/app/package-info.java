/**
 * Your application under a simulated world: its own operation, key, adapter, classifier and store settings, run through
 * {@linkplain dev.idempotency.testkit.app.Program programs} of callers, retries, deaths, pauses, lost replies and failing stores,
 * and judged by the provider's ledger. A broken promise is reported as the {@linkplain dev.idempotency.testkit.app.Mistake
 * mistake} behind it.
 *
 * <p>Nothing here depends on a test framework; {@code dev.idempotency.testkit.jqwik.EffectAtMostOnceProperties} makes the programs.
 */
@NullMarked
package dev.idempotency.testkit.app;

import org.jspecify.annotations.NullMarked;
