package dev.idempotency.testkit.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The clause of {@code docs/store-contract.md} or {@code docs/inbox-contract.md} that a test holds a store to. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Clause {
    /**
     * The number of the clause.
     *
     * @return such as {@code S7}, {@code A3} for the trail, {@code I2} for an inbox, or {@code G4} for a version guard
     */
    String value();
}
