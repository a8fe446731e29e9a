package dev.idempotency.testkit.app;

import java.util.Objects;

/**
 * A test has found a mistake of the application. The message names it, and says what happened.
 *
 * @since 0.1.0
 */
public final class MistakeError extends AssertionError {
    private static final long serialVersionUID = 1L;

    private final Mistake mistake;

    /**
     * Names a mistake.
     *
     * @param mistake which
     * @param details what happened, for people
     * @throws NullPointerException if an argument is null
     */
    public MistakeError(Mistake mistake, String details) {
        super(Objects.requireNonNull(mistake, "mistake") + ": " + mistake.sentence() + ".\n"
                + Objects.requireNonNull(details, "details"));
        this.mistake = mistake;
    }

    /**
     * Which mistake.
     *
     * @return the one that the message names
     */
    public Mistake mistake() {
        return mistake;
    }
}
