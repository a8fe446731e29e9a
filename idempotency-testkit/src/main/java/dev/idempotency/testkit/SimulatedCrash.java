package dev.idempotency.testkit;

/**
 * The simulated death of a process: thrown out of a {@link FaultInjectingStore} in the middle of a run. An {@link Error},
 * so that nothing that handles failures takes it for one; only the test that planned it catches it.
 *
 * @since 0.1.0
 */
public final class SimulatedCrash extends Error {
    private static final long serialVersionUID = 1L;

    /**
     * Creates a crash.
     *
     * @param message where the process died
     */
    public SimulatedCrash(String message) {
        super(message);
    }
}
