package dev.idempotency.testkit.process;

import java.util.ArrayList;
import java.util.List;

/**
 * One cell of a crash matrix.
 *
 * @param policy how the orders are recovered
 * @param point where the process comes to its end
 * @param kind how
 * @param afterCrash whether it is the recovery from an earlier crash that does
 */
record CrashCell(MatrixPolicy policy, CrashPoint point, Kind kind, boolean afterCrash) {
    /** How a process comes to its end. */
    enum Kind {
        /** It stands still at the point, and is killed from outside with kill -9. */
        KILL,
        /** It halts at the point. */
        HALT,
        /** It halts at most 3 ms after the point, wherever it is by then. */
        SHORTLY_AFTER,
        /** It is frozen at the point for longer than its lease, while another process takes over; then it goes on. */
        FREEZE
    }

    /** Held by the provider, because the process itself does not know when it is there. */
    boolean isAtGate() {
        return switch (point) {
            case CP06_BEFORE_EFFECT, CP07_BEFORE_RESPONSE, CP08_PART_OF_RESPONSE ->
                policy != MatrixPolicy.SAME_TRANSACTION;
            default -> false;
        };
    }

    /** A person's decision about a completed order. */
    boolean isOverride() {
        return point == CrashPoint.CP20_DECISION_READ || point == CrashPoint.CP21_OVERRIDE_REVIEWED;
    }

    /** All cells of the engine. */
    static List<CrashCell> all(boolean sameTransaction) {
        var cells = new ArrayList<CrashCell>();
        for (MatrixPolicy policy : MatrixPolicy.values()) {
            for (CrashPoint point : policy.points()) {
                for (Kind kind : Kind.values()) {
                    for (boolean afterCrash : new boolean[] {false, true}) {
                        var cell = new CrashCell(policy, point, kind, afterCrash);
                        if (cell.exists() && (sameTransaction || policy != MatrixPolicy.SAME_TRANSACTION)) {
                            cells.add(cell);
                        }
                    }
                }
            }
        }
        return cells;
    }

    private boolean exists() {
        if (isAtGate() && (kind == Kind.HALT || kind == Kind.SHORTLY_AFTER)) {
            return false;
        }
        return switch (point) {
            case CP14_LAPSED -> afterCrash;
            // While its native key may be sent again, this policy asks nobody.
            case CP15_FOUND, CP16_MISSING, CP17_REEXECUTED ->
                afterCrash || (policy != MatrixPolicy.NATIVE_THEN_LOOKUP && policy != MatrixPolicy.SAME_TRANSACTION);
            // After a crash the window is over.
            case CP18_RESENT -> !(afterCrash && policy == MatrixPolicy.NATIVE_THEN_LOOKUP);
            case CP19_SEALED -> true;
            case CP22_PURGE -> !afterCrash && kind == Kind.SHORTLY_AFTER;
            default -> !afterCrash;
        };
    }

    @Override
    public String toString() {
        return policy + " " + point + " " + kind + (afterCrash ? " after a crash" : "");
    }
}
