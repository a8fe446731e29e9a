/**
 * Faults of the code and the machine around the library: executors that refuse, errors in codecs and listeners, threads that
 * cannot be made, interrupts, calls that never answer.
 */
@NullMarked
package dev.idempotency.testkit.chaos;

import org.jspecify.annotations.NullMarked;
