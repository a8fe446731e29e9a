package com.example.labels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.idempotency.testkit.app.Mistake;
import dev.idempotency.testkit.app.MistakeError;
import dev.idempotency.testkit.app.Program;
import dev.idempotency.testkit.app.Program.Fate;
import dev.idempotency.testkit.app.Program.Step;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A program that a property has found, kept as a test: the faulty branch answers with the label of another parcel. */
class FaultyBranchTest {
    private final String before = System.getProperty("faulty", "false");

    @BeforeEach
    void takeTheFaultyBranch() {
        System.setProperty("faulty", "true");
    }

    @AfterEach
    void goBack() {
        System.setProperty("faulty", before);
    }

    // tag::program[]
    @Test
    void lookupByWeight_findsAnotherParcel() {
        var program = new Program<>(
                List.of(Requests.number(1), Requests.number(3)), // of one weight
                List.of(
                        new Step.Execute(0, 0, List.of(), 0, null),
                        new Step.Execute(0, 1, List.of(Fate.REQUEST_LOST), 0, null),
                        new Step.Elapse(Duration.ofMinutes(2)),
                        new Step.Execute(0, 1, List.of(), 0, null)));

        var found = assertThrows(MistakeError.class, () -> program.run(new LabelProperties()));

        assertEquals(Mistake.ANSWER_OF_ANOTHER, found.mistake());
    }
    // end::program[]
}
