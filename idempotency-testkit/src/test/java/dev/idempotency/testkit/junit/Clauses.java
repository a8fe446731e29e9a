package dev.idempotency.testkit.junit;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/** The numbered clauses of a contract: in its tests, in its document, and those that a candidate fails. */
record Clauses(Class<?> contract) {
    static final Comparator<String> BY_NUMBER =
            Comparator.comparingInt(clause -> Integer.parseInt(clause.substring(1)));

    static SortedSet<String> sorted(Collection<String> clauses) {
        var sorted = new TreeSet<>(BY_NUMBER);
        sorted.addAll(clauses);
        return sorted;
    }

    /** Numbers and sentences, as the tests have them. */
    SortedMap<String, String> all() {
        var clauses = new TreeMap<String, String>(BY_NUMBER);
        for (var method : contract.getDeclaredMethods()) {
            var clause = method.getAnnotation(Clause.class);
            var isTest = method.isAnnotationPresent(Test.class) || method.isAnnotationPresent(ParameterizedTest.class);
            assertThat(clause != null).as(method + " has a clause").isEqualTo(isTest);
            if (clause != null) {
                var name = method.getAnnotation(DisplayName.class).value();
                assertThat(name).startsWith(clause.value() + ". ").endsWith(".");
                assertThat(clauses.put(
                                clause.value(), name.substring(clause.value().length() + 2)))
                        .as(clause.value() + " has one test")
                        .isNull();
            }
        }
        return clauses;
    }

    void assertDocumented(String document, String letter) throws IOException {
        var documented = new LinkedHashMap<String, String>();
        var clause = Pattern.compile("(?m)^\\*\\*(" + letter + "\\d+)\\.\\*\\* (.+)$")
                .matcher(Files.readString(Path.of("..", "docs", document)));
        while (clause.find()) {
            assertThat(documented.put(clause.group(1), clause.group(2)))
                    .as(clause.group(1) + " stands there once")
                    .isNull();
        }
        assertThat(documented).containsExactlyEntriesOf(new LinkedHashMap<>(all()));
        assertThat(documented.keySet())
                .containsExactlyElementsOf(IntStream.rangeClosed(1, documented.size())
                        .mapToObj(number -> letter + number)
                        .toList());
    }

    /** Runs a candidate, which extends the contract. */
    SortedSet<String> failedBy(Class<?> candidate) {
        var results = EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(candidate))
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "false")
                .execute();
        assertThat(results.testEvents().finished().count()).isGreaterThanOrEqualTo(all().size());
        assertThat(results.testEvents().skipped().count()).isZero();
        return results.testEvents()
                .finished()
                .filter(event ->
                        event.getRequiredPayload(TestExecutionResult.class).getStatus()
                                != TestExecutionResult.Status.SUCCESSFUL)
                .map(this::clause)
                .collect(toCollection(() -> new TreeSet<>(BY_NUMBER)));
    }

    private String clause(Event event) {
        var source = (MethodSource) event.getTestDescriptor().getSource().orElseThrow();
        return Arrays.stream(contract.getDeclaredMethods())
                .filter(method -> method.getName().equals(source.getMethodName()))
                .map(method -> method.getAnnotation(Clause.class))
                .filter(clause -> clause != null)
                .map(Clause::value)
                .findFirst()
                .orElseThrow();
    }
}
