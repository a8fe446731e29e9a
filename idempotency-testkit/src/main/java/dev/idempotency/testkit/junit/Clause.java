package dev.idempotency.testkit.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The clause of a contract that a test is: of {@code docs/store-contract.md}, {@code docs/inbox-contract.md} and others.
 *
 * @since 0.1.0
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Clause {
    /**
     * The number of the clause.
     *
     * @return such as {@code S7}, {@code A3} for the trail, {@code I2} for an inbox, {@code G4} for a version guard, {@code P8} for an adapter, or
     *     {@code F2} for a classifier
     */
    String value();
}
