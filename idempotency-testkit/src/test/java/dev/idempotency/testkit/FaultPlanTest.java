package dev.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class FaultPlanTest {

    private static List<Fault> tries(FaultPlan plan, String reference, int count) {
        return IntStream.range(0, count).mapToObj(i -> plan.next(reference)).toList();
    }

    private static Map<String, List<Fault>> run(long seed, List<String> order) {
        var plan = FaultPlan.parse("default", seed);
        var met = new HashMap<String, List<Fault>>();
        for (var reference : order) {
            met.computeIfAbsent(reference, r -> new ArrayList<>()).add(plan.next(reference));
        }
        return met;
    }

    @Test
    void next_requestsInAnotherOrder_meetsTheSameFaults() {
        var order = new ArrayList<String>();
        IntStream.range(0, 200).forEach(i -> order.addAll(Collections.nCopies(4, "order-" + i)));
        var shuffled = new ArrayList<>(order);
        Collections.shuffle(shuffled, new Random(7));

        assertThat(run(42, shuffled)).isEqualTo(run(42, order)).isNotEqualTo(run(43, order));
    }

    @Test
    void next_knownSeed_staysTheSameForEver() {
        var plan = FaultPlan.parse("reply-lost=0.3,refused=0.3,max=9", 42);

        assertThat(tries(plan, "order-2", 8))
                .extracting(Fault::label)
                .containsExactly("refused", "none", "reply-lost", "none", "none", "reply-lost", "none", "reply-lost");
    }

    @Test
    void next_manyReferences_followsTheProbabilities() {
        var plan = FaultPlan.parse("reply-lost=0.2,delayed=0.05", 1);
        var met = new EnumMap<Fault, Integer>(Fault.class);
        IntStream.range(0, 20_000).forEach(i -> met.merge(plan.next("order-" + i), 1, Integer::sum));

        assertThat(met.keySet())
                .containsExactlyInAnyOrder(Fault.NONE, Fault.REPLY_LOST_AFTER_EFFECT, Fault.DELAYED_EFFECT);
        assertThat(met.get(Fault.REPLY_LOST_AFTER_EFFECT) / 20_000.0).isCloseTo(0.2, within(0.015));
        assertThat(met.get(Fault.DELAYED_EFFECT) / 20_000.0).isCloseTo(0.05, within(0.01));
    }

    @Test
    void next_certainFault_isBoundedPerReference() {
        var plan = FaultPlan.parse("error-after=1,max=2", 1);

        assertThat(tries(plan, "a", 4))
                .containsExactly(Fault.ERROR_500_AFTER_EFFECT, Fault.ERROR_500_AFTER_EFFECT, Fault.NONE, Fault.NONE);
        assertThat(plan.next("b")).isEqualTo(Fault.ERROR_500_AFTER_EFFECT);
        assertThat(plan.chosen()).isEqualTo(Map.of(Fault.ERROR_500_AFTER_EFFECT, 3L, Fault.NONE, 2L));
    }

    @Test
    void parse_withoutMax_allowsThreeFaultsPerReference() {
        var plan = FaultPlan.parse("refused=1", 1);

        assertThat(tries(plan, "a", 5)).filteredOn(fault -> fault != Fault.NONE).hasSize(3);
    }

    @Test
    void nextLookupFails_certainError_isBoundedAndLeavesRequestsAlone() {
        var plan = FaultPlan.parse("lookup-error=1,max=2", 1);

        assertThat(List.of(plan.nextLookupFails("a"), plan.nextLookupFails("a"), plan.nextLookupFails("a")))
                .containsExactly(true, true, false);
        assertThat(plan.next("a")).isEqualTo(Fault.NONE);
        assertThat(FaultPlan.parse("default", 1).nextLookupFails("a")).isFalse();
    }

    @Test
    void nextLookupFails_manyLookups_followsTheProbabilityAndTheSeed() {
        var plan = FaultPlan.parse("lookup-error=0.2,max=999999", 1);
        var other = FaultPlan.parse("lookup-error=0.2,max=999999", 2);
        var fails = IntStream.range(0, 20_000)
                .mapToObj(i -> plan.nextLookupFails("a"))
                .toList();
        var otherFails = IntStream.range(0, 20_000)
                .mapToObj(i -> other.nextLookupFails("a"))
                .toList();

        assertThat(Collections.frequency(fails, true) / 20_000.0).isCloseTo(0.2, within(0.015));
        assertThat(fails).isNotEqualTo(otherFails);
    }

    @Test
    void parse_probabilitiesOfExactlyOne_areAllowed() {
        assertThat(FaultPlan.parse("slow=0.5,delayed=0.5", 1).next("a")).isNotEqualTo(Fault.NONE);
        assertThat(FaultPlan.parse("slow=0,lookup-error=1,max=0", 1).nextLookupFails("a"))
                .isFalse();
    }

    @Test
    void scripted_faults_comeInOrderForEachReference() {
        var plan = FaultPlan.scripted(Fault.REFUSED_429, Fault.NONE, Fault.DELAYED_EFFECT);

        assertThat(tries(plan, "a", 4))
                .containsExactly(Fault.REFUSED_429, Fault.NONE, Fault.DELAYED_EFFECT, Fault.NONE);
        assertThat(plan.next("b")).isEqualTo(Fault.REFUSED_429);
    }

    @Test
    void none_manyRequests_meetNothing() {
        assertThat(tries(FaultPlan.parse("none", 1), "a", 100)).containsOnly(Fault.NONE);
    }

    @Test
    void parse_default_hasEveryFault() {
        var plan = FaultPlan.parse(" default ", 1);
        IntStream.range(0, 10_000).forEach(i -> plan.next("order-" + i));

        assertThat(plan.chosen()).containsOnlyKeys(Fault.values());
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void parse_labelOfAFault_meansThatFault(Fault fault) {
        assertThat(FaultPlan.parse(fault.label() + " = 1", 1).next("a")).isEqualTo(fault);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''|is not name=number",
                "reply-lost|'reply-lost' in 'reply-lost' is not name=number",
                "reply-lost=0.1,|is not name=number",
                "lost=0.1|no fault is called 'lost'",
                "none=0.1|no fault is called 'none'",
                "slow=often|slow needs a number between 0 and 1, not 'often'",
                "slow=1.1|slow needs a number between 0 and 1, not '1.1'",
                "slow=-0.1|between 0 and 1",
                "slow=NaN|between 0 and 1",
                "lookup-error=2|lookup-error needs a number between 0 and 1",
                "slow=0.1,slow=0.2|'slow' comes twice",
                "slow=0.6,delayed=0.6|add up to 1.2, more than 1",
                "max=-1|max needs a whole number from 0, not '-1'",
                "max=x|max needs a whole number",
            })
    void parse_wrongText_saysWhatIsWrong(String spec, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FaultPlan.parse(spec, 1))
                .withMessageContaining(message);
    }
}
