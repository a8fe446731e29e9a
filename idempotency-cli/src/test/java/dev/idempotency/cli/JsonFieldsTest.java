package dev.idempotency.cli;

import static dev.idempotency.cli.Operator.RULING;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.idempotency.IdempotencyKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The fields of all documents are those of the page for operators. */
final class JsonFieldsTest {
    private final Servers.Place place = Servers.postgres();
    private final Shop shop = new Shop(place.store());
    private final Operator operator = new Operator(place);

    @TempDir
    private Path directory;

    private static List<String> documented(String document) {
        return Guide.table(document, "What it is").stream()
                .map(row -> row.get(0))
                .toList();
    }

    private static List<String> fields(JsonNode document) {
        var names = new ArrayList<String>();
        document.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static List<String> both(List<String> some, List<String> others) {
        var all = new ArrayList<>(some);
        all.addAll(others);
        return all;
    }

    @Test
    void documents_haveTheFieldsOfThePage() throws IOException {
        IdempotencyKey hostile = shop.hostile(new IdempotencyKey(Shop.SCOPE, "ORD-1"), "text");
        shop.completed("ORD-2");
        Path file = Files.writeString(directory.resolve("payload.json"), "{}");

        JsonNode list = operator.run("list", "--json").json();
        JsonNode shown =
                operator.run("show", hostile.scope(), hostile.value(), "--json").json();
        JsonNode completed = operator.run("show", Shop.SCOPE, "ORD-2", "--json").json();
        JsonNode request = operator.run(
                        RULING,
                        "override",
                        "request",
                        Shop.SCOPE,
                        "ORD-2",
                        "--version",
                        "2",
                        "--payload",
                        file.toString(),
                        "--yes",
                        "--json")
                .json();
        JsonNode pending = operator.run("override", "list", "--json").json();
        JsonNode act = operator.run(
                        RULING,
                        "resolve",
                        "executed",
                        Shop.SCOPE,
                        "ORD-1",
                        "--version",
                        "2",
                        "--result-unknown",
                        "--yes",
                        "--json")
                .json();
        JsonNode audit = operator.run("audit", "--json").json();
        JsonNode fingerprint = new Operator(List.of())
                .run("fingerprint", file.toString(), "--json")
                .json();
        JsonNode failure = operator.run("show", Shop.SCOPE, "ORD-3", "--json").json();

        assertThat(fields(list)).isEqualTo(documented("list"));
        assertThat(fields(list.at("/records/0"))).isEqualTo(both(documented("Key"), List.of("ageSeconds")));
        assertThat(fields(shown)).isEqualTo(documented("show"));
        assertThat(fields(shown.get("record"))).isEqualTo(both(documented("Key"), documented("Record")));
        assertThat(fields(shown.at("/record/history/0"))).containsExactly("kind", "at", "attempt", "detail", "result");
        assertThat(fields(completed.at("/record/result"))).isEqualTo(documented("Result"));
        assertThat(fields(request)).containsExactly("outcome", "entry");
        assertThat(fields(request.get("entry"))).isEqualTo(documented("Entry"));
        assertThat(fields(pending)).isEqualTo(documented("override list"));
        assertThat(fields(pending.at("/pending/0"))).isEqualTo(documented("Entry"));
        assertThat(fields(act)).isEqualTo(documented("Act"));
        assertThat(fields(act.get("record"))).isEqualTo(documented("Key"));
        assertThat(fields(audit)).isEqualTo(documented("audit"));
        assertThat(fields(audit.at("/entries/0"))).isEqualTo(documented("Entry"));
        assertThat(fields(fingerprint)).isEqualTo(documented("fingerprint"));
        assertThat(fields(failure)).isEqualTo(documented("Failure"));
    }
}
