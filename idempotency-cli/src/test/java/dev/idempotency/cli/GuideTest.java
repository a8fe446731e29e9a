package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.cli.Operator.Run;
import dev.idempotency.store.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page for operators: its commands run, in its order, and its codes are those of the code. */
final class GuideTest {
    private static final String ANY_REQUEST = "3f2a90c1d4e5f60718293a4b5c6d7e8f";

    private final Servers.Place place = Servers.postgres();
    private final Shop shop = new Shop(place.store());

    @TempDir
    private Path directory;

    @Test
    void commands_inTheirOrder_doWhatThePageSays() throws IOException {
        List.of("ORD-1", "ORD-2", "ORD-3", "ORD-4", "ORD-7").forEach(shop::inDoubt);
        List.of("ORD-5", "ORD-6").forEach(shop::completed);
        Map<String, Path> files = Map.of(
                "result.json",
                Files.writeString(directory.resolve("result.json"), "{\"charge\":\"ch-1\",\"amount\":1200}"),
                "corrected.json",
                Files.writeString(directory.resolve("corrected.json"), "{\"id\":\"ORD-5\",\"amount\":1250}"));
        var soon = new ArrayList<>(place.options());
        soon.addAll(List.of("--quiescence", "0s"));

        int ran = 0;
        for (List<String> command : Guide.commands()) {
            if (command.get(0).equals("serve")) {
                continue;
            }
            List<String> real = command.stream()
                    .map(word -> files.containsKey(word) ? files.get(word).toString() : word)
                    .map(word -> word.equals(ANY_REQUEST) ? pending(command.get(3)) : word)
                    .toList();
            Run run = new Operator(command.get(0).equals("fingerprint") ? List.of() : soon).run(real);
            assertThat(run.code()).as(command + ": " + run.err()).isZero();
            ran++;
        }

        assertThat(ran).isGreaterThan(12);
        assertThat(states("ORD-1", "ORD-2", "ORD-3", "ORD-4", "ORD-5", "ORD-6", "ORD-7"))
                .containsExactly(
                        State.COMPLETED,
                        State.COMPLETED,
                        State.OPEN,
                        State.OPEN,
                        State.COMPLETED,
                        State.COMPLETED,
                        State.COMPLETED);
    }

    private String pending(String key) {
        return new Operator(place)
                .run("show", "charge-card", key, "--json")
                .json()
                .at("/pending/0/id")
                .textValue();
    }

    private List<State> states(String... keys) {
        return Arrays.stream(keys)
                .map(key -> shop.standing(new IdempotencyKey(Shop.SCOPE, key)).state())
                .toList();
    }

    @Test
    void exitCodes_ofThePage_areThoseOfTheCode() {
        assertThat(Guide.table("Code", "Name", "What happened", "A script then").stream()
                        .map(row -> row.get(0) + " " + row.get(1)))
                .isEqualTo(Arrays.stream(ExitCode.values())
                        .map(code -> code.code() + " " + code)
                        .toList());
    }
}
