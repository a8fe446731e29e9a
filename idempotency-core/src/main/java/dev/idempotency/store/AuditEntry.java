package dev.idempotency.store;

import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One line of the audit trail: a phase of something that a person decided about a key. Written ahead: an act is
 * {@link Phase#INTENDED} before the record changes, and {@link Phase#APPLIED} or {@link Phase#REFUSED} after it.
 *
 * @param id the act: 32 lower-case hexadecimal digits. All phases of one act have the same
 * @param at when, by the store's clock; null until a store has appended it
 * @param key which key
 * @param version the version of the record that the person had before him
 * @param token the latest attempt of that record
 * @param generation the generation of that record
 * @param act what was decided
 * @param phase how far it has come
 * @param who who decided
 * @param why for what reason
 * @param evidence on what evidence
 * @param fingerprint the payload that an override is for, or whose outcome counts again after a withdrawal; null for any other
 *     act
 * @param detail one line for people: what came of it; empty when the phase says all
 * @since 0.1.0
 */
public record AuditEntry(
        String id,
        @Nullable Instant at,
        IdempotencyKey key,
        long version,
        AttemptToken token,
        int generation,
        Act act,
        Phase phase,
        String who,
        String why,
        String evidence,
        @Nullable Fingerprint fingerprint,
        String detail) {

    /** What was decided. */
    public enum Act {
        /** The write of a key in doubt has happened. */
        EXECUTED,
        /** The write of a key in doubt has not happened. */
        NOT_EXECUTED,
        /** The write of a key in doubt has not happened, and is to be made again. */
        REEXECUTE,
        /** The write of a closed key is to be made after all. */
        REOPEN,
        /** Another payload takes over a completed or closed key. */
        OVERRIDE,
        /** What opened the key is taken back, and the outcome before it counts again. */
        WITHDRAW
    }

    /** How far an act has come. */
    public enum Phase {
        /** One person wishes an act that takes two; nothing has changed. */
        REQUESTED,
        /** The record is about to be changed. Without a later phase nobody saw whether it was: its history tells. */
        INTENDED,
        /** The record was changed. */
        APPLIED,
        /** The record was not changed by this act. */
        REFUSED
    }

    /**
     * Checks the entry.
     *
     * @param id as described above
     * @param at as described above
     * @param key as described above
     * @param version as described above
     * @param token as described above
     * @param generation as described above
     * @param act as described above
     * @param phase as described above
     * @param who as described above
     * @param why as described above
     * @param evidence as described above
     * @param fingerprint as described above
     * @param detail as described above
     * @throws NullPointerException if an argument other than {@code at} or {@code fingerprint} is null
     * @throws IllegalArgumentException if {@code id} is not 32 lower-case hexadecimal digits, or {@code version} or
     *     {@code generation} is below 1
     */
    public AuditEntry {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(token, "token");
        Objects.requireNonNull(act, "act");
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(who, "who");
        Objects.requireNonNull(why, "why");
        Objects.requireNonNull(evidence, "evidence");
        Objects.requireNonNull(detail, "detail");
        if (!id.matches("[0-9a-f]{32}")) {
            throw new IllegalArgumentException("id must be 32 lower-case hexadecimal digits");
        }
        if (generation < 1 || version < 1) {
            throw new IllegalArgumentException("generation and version must be at least 1");
        }
    }

    /**
     * The same entry at a time.
     *
     * @param time the store's time at which it was appended
     * @return a new entry
     */
    public AuditEntry at(Instant time) {
        Objects.requireNonNull(time, "time");
        return new AuditEntry(
                id, time, key, version, token, generation, act, phase, who, why, evidence, fingerprint, detail);
    }

    /**
     * Tells whether {@code other} is the same phase of the same act: what a store appends only once.
     *
     * @param other the entry to compare with; null is never the same
     * @return true when one of the two is a repetition of the other
     */
    public boolean isSamePhaseAs(@Nullable AuditEntry other) {
        return other != null && id.equals(other.id) && phase == other.phase;
    }
}
