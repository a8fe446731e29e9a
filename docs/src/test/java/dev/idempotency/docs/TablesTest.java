package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.FailureClass;
import dev.idempotency.Finding;
import dev.idempotency.Guarantee;
import dev.idempotency.HttpFailures;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyException;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.ProviderProfile.KeyFormat;
import dev.idempotency.Providers;
import dev.idempotency.Quiescence;
import dev.idempotency.Recovery;
import dev.idempotency.RefusedException;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.jdbc.JdbcIdempotencyStore;
import dev.idempotency.redis.RedisIdempotencyStore;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.TransactionalStore;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.app.Mistake;
import dev.idempotency.testkit.process.CrashPoint;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tables of names, numbers and times in the guides say what the code says. */
final class TablesTest {
    private static final Markdown RECORD = Markdown.of("docs/record.md");
    private static final Markdown RECOVERY = Markdown.of("docs/recovery.md");

    private static List<String> column(List<List<String>> rows, int column) {
        return rows.stream().map(row -> row.get(column)).toList();
    }

    private static List<String> components(Class<?> record) {
        return Arrays.stream(record.getRecordComponents())
                .map(RecordComponent::getName)
                .toList();
    }

    private static List<String> names(Enum<?>... constants) {
        return Arrays.stream(constants).map(Enum::name).toList();
    }

    @Test
    void record_fields_areThoseOfTheCode() {
        assertThat(column(RECORD.table("Field", "What it is", "Why it must be there"), 0))
                .isEqualTo(components(IdempotencyRecord.class));
        assertThat(column(RECORD.table("Field", "What it is"), 0)).isEqualTo(components(RecoveryTerms.class));
        assertThat(column(RECORD.table("Field", "Set when", "Used for"), 0))
                .isEqualTo(components(IdempotencyRecord.Times.class));
    }

    @Test
    void evidence_kinds_areThoseOfTheCode() {
        assertThat(column(RECORD.table("Kind", "What happened", "Alarm"), 0)).isEqualTo(names(Evidence.Kind.values()));
    }

    @Test
    void evidence_alarms_areThoseOfTheEvents() {
        Set<String> alarms = Arrays.stream(IdempotencyEvent.Type.values())
                .filter(IdempotencyEvent.Type::isAlarm)
                .map(Enum::name)
                .collect(Collectors.toSet());
        for (List<String> row : RECORD.table("Kind", "What happened", "Alarm")) {
            assertThat(row.get(2)).as(row.get(0)).isEqualTo(alarms.contains(row.get(0)) ? "yes" : "");
        }
    }

    @Test
    void events_typesAndAlarms_areThoseOfTheCode() {
        Markdown events = Markdown.of("docs/events.md");

        var table = events.table("Type", "What happened", "Alarm").stream()
                .map(row -> row.get(0) + " " + row.get(2).equals("yes"))
                .toList();

        assertThat(table)
                .isEqualTo(Arrays.stream(IdempotencyEvent.Type.values())
                        .map(type -> type + " " + type.isAlarm())
                        .toList());
        assertThat(column(events.table("Alarm", "What was probably broken", "Look at"), 0))
                .isEqualTo(Arrays.stream(IdempotencyEvent.Type.values())
                        .filter(IdempotencyEvent.Type::isAlarm)
                        .map(Enum::name)
                        .toList());
    }

    @Test
    void providers_facts_areThoseOfTheProfiles() throws IllegalAccessException {
        var expected = new ArrayList<List<String>>();
        for (var field : Providers.class.getFields()) {
            var profile = (ProviderProfile) field.get(null);
            expected.add(List.of(field.getName(), profile.name(), window(profile.window()), profile.source()));
            assertThat(profile.keyFormat()).as(profile.name()).isEqualTo(KeyFormat.uuid());
        }

        assertThat(Markdown.of("docs/providers.md").table("Profile", "Provider", "Window W", "Source"))
                .isEqualTo(expected);
    }

    @Test
    void providers_eachHaveALinkToTheirOwnPage() throws IllegalAccessException {
        var names = new ArrayList<String>();
        for (var field : Providers.class.getFields()) {
            names.add(((ProviderProfile) field.get(null)).name());
        }

        List<List<String>> rows = Markdown.of("docs/providers.md")
                .table(
                        "Provider",
                        "The key goes into",
                        "A repeated key gets",
                        "Kept after an error",
                        "Another payload under the key",
                        "After a lost reply, ask",
                        "Read it");
        assertThat(column(rows, 0)).containsExactlyInAnyOrderElementsOf(names);
        assertThat(column(rows, 6)).allMatch(cell -> cell.matches("\\[[^]]+]\\(https://\\S+\\).*"));
    }

    @Test
    void stores_ofTheReadme_areThoseThatAreShipped() {
        var transactional = Stream.of(
                        JdbcIdempotencyStore.class, RedisIdempotencyStore.class, CaffeineIdempotencyStore.class)
                .map(type -> "`" + type.getSimpleName() + "` "
                        + (TransactionalStore.class.isAssignableFrom(type) ? "yes" : "no"))
                .toList();

        List<List<String>> rows = Markdown.of("README.md")
                .table("Store", "Class", "Survives", "Clock", "Effect in the same transaction", "For");
        assertThat(rows)
                .extracting(row -> text(row.get(0)) + " " + text(row.get(4)))
                .isEqualTo(transactional);
        assertThat(rows).extracting(row -> row.get(1).replaceFirst(",.*", "")).isEqualTo(names(StoreClass.values()));
        assertThat(CaffeineIdempotencyStore.create().storeClass()).isEqualTo(StoreClass.PROCESS);
    }

    /** Of a link, what it says. */
    private static String text(String cell) {
        return cell.replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1");
    }

    private static String window(Duration window) {
        if (window == null) {
            return "to be given";
        }
        return window.compareTo(Duration.ofDays(1)) > 0 ? window.toDays() + " days" : span(window);
    }

    private static String span(Duration span) {
        if (span.toHours() > 0 && span.equals(Duration.ofHours(span.toHours()))) {
            return span.toHours() + " hours";
        }
        boolean minutes = span.toMinutes() > 0 && span.equals(Duration.ofMinutes(span.toMinutes()));
        return minutes ? span.toMinutes() + " minutes" : span.toSeconds() + " seconds";
    }

    @Test
    void policies_levels_areThoseOfTheCalculator() {
        var quiescence = Quiescence.of(Duration.ofMinutes(1), Duration.ofSeconds(5));
        Recovery.Lookup<String, String> lookup = (request, attempt) -> Finding.missing();
        Recovery.Seal<String, String> seal = (request, attempt) -> Finding.missing();
        Map<String, Recovery<String, String>> policies = Map.of(
                "hold", Recovery.hold(),
                "lookup", Recovery.lookup(lookup),
                "lookupThenReexecute", Recovery.lookupThenReexecute(lookup, quiescence),
                "lookupThenClose", Recovery.lookupThenClose(lookup, quiescence),
                "nativeKey", Recovery.nativeKey(Providers.STRIPE_V1),
                "nativeKeyThenLookup", Recovery.nativeKeyThenLookup(Providers.STRIPE_V1, lookup, quiescence),
                "seal", Recovery.seal(seal),
                "sealThenClose", Recovery.sealThenClose(seal));

        List<List<String>> table = RECOVERY.table(
                "Policy", "Level", "What it needs from the provider", "Time bound", "When the provider has nothing");

        assertThat(column(table, 0))
                .containsExactlyInAnyOrderElementsOf(policies.keySet())
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(Recovery.class.getDeclaredMethods())
                        .filter(method -> Modifier.isPublic(method.getModifiers()))
                        .filter(method -> Modifier.isStatic(method.getModifiers()))
                        .map(method -> method.getName())
                        .toList());
        try (var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            for (List<String> row : table) {
                Guarantee guarantee = idempotency
                        .operation("charge", String.class, String.class)
                        .recovery(policies.get(row.get(0)))
                        .explain();
                assertThat(row.get(1))
                        .as(row.get(0))
                        .isEqualTo(guarantee.level().name());
                String conditions = String.join("\n", guarantee.conditions());
                assertThat(row.get(3).contains("Q >")
                                || row.get(3).equals("both")
                                || row.get(3).contains("the same"))
                        .as("quiescence of " + row.get(0))
                        .isEqualTo(conditions.contains("P7:"));
                assertThat(row.get(3).contains("<= W") || row.get(3).equals("both"))
                        .as("window of " + row.get(0))
                        .isEqualTo(conditions.contains("P8:"));
            }
        }
    }

    @Test
    void failures_classesAndStatuses_areThoseOfTheCode() {
        assertThat(column(RECOVERY.table("Class", "It says", "The key", "Examples"), 0))
                .isEqualTo(names(FailureClass.values()));
        var notExecuted = IntStream.rangeClosed(100, 599)
                .filter(status -> HttpFailures.classifier().classify(new HttpFailures.StatusException(status))
                        == FailureClass.NOT_EXECUTED)
                .mapToObj(Integer::toString)
                .toList();
        String sentence = String.join(", ", notExecuted).replaceFirst(", (\\d+)$", " and $1");
        assertThat(String.join(" ", RECOVERY.lines())).contains("the statuses " + sentence);
    }

    @Test
    void settings_defaults_areThoseOfTheBuilder() throws ReflectiveOperationException {
        try (var idempotency = Idempotency.on(CaffeineIdempotencyStore.create())) {
            Operation.Builder<String, String> builder = idempotency.operation("charge", String.class, String.class);
            for (List<String> row : Markdown.of("docs/concurrency.md").table("Setting", "Default", "What it bounds")) {
                var field = Operation.Builder.class.getDeclaredField(row.get(0));
                field.setAccessible(true);
                assertThat(row.get(1)).as(row.get(0)).isEqualTo(window((Duration) field.get(builder)));
                assertThat(Operation.Builder.class.getMethod(row.get(0), Duration.class))
                        .isNotNull();
            }
        }
    }

    @Test
    void keys_limitsAndFormats_areThoseOfTheCode() {
        Markdown keys = Markdown.of("docs/keys-and-fingerprints.md");
        Map<String, String> limits =
                keys.table("Limit", "Value").stream().collect(Collectors.toMap(row -> row.get(0), row -> row.get(1)));
        assertThat(limits.get("scope")).isEqualTo("at most " + IdempotencyKey.MAX_SCOPE + " characters");
        assertThat(limits.get("value")).isEqualTo("at most " + IdempotencyKey.MAX_VALUE + " characters");

        var formats = keys.table("Alphabet", "Characters", "Length without prefix");
        assertThat(column(formats, 0)).isEqualTo(names(KeyFormat.Alphabet.values()));
        for (List<String> row : formats) {
            assertThat(row.get(2)).as(row.get(0)).isEqualTo(lengths(KeyFormat.Alphabet.valueOf(row.get(0))));
        }
    }

    private static String lengths(KeyFormat.Alphabet alphabet) {
        var possible = IntStream.rangeClosed(1, 300)
                .filter(length -> isPossible(alphabet, length))
                .summaryStatistics();
        return possible.getMin() == possible.getMax()
                ? String.valueOf(possible.getMin())
                : possible.getMin() + " to " + possible.getMax();
    }

    private static boolean isPossible(KeyFormat.Alphabet alphabet, int length) {
        try {
            return new KeyFormat(alphabet, length, "").length() == length;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    @Test
    void exceptions_ofTheQuickstart_areAllOfTheLibrary() throws Exception {
        Set<String> told =
                Markdown.of("docs/quickstart.md").table("Exception", "Was the write made?", "What to do").stream()
                        .map(row -> row.get(0).replaceAll("`(\\w+)`.*", "$1"))
                        .collect(Collectors.toSet());

        var thrown = Compiled.beside(Idempotency.class)
                .filter(type ->
                        IdempotencyException.class.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers()))
                // Thrown at people who decide, and not at callers.
                .filter(type -> type != RefusedException.class)
                .map(Class::getSimpleName)
                .collect(Collectors.toSet());
        assertThat(told).isEqualTo(thrown);
    }

    @Test
    void kit_typesOfTheTable_areThePublicOnesWorthKnowing() throws Exception {
        var types = Compiled.beside(SimulatedProvider.class)
                .filter(type -> Modifier.isPublic(type.getModifiers()))
                .map(Class::getSimpleName)
                .collect(Collectors.toSet());

        assertThat(types).containsAll(column(Markdown.of("docs/testing.md").table("Type", "What it is for"), 0));
    }

    @Test
    void mistakes_ofTheTable_areThoseOfTheCode() throws IOException {
        assertThat(column(Markdown.of("docs/property-testing.md").table("Mistake", "How it comes about"), 0))
                .isEqualTo(Arrays.stream(Mistake.values()).map(Mistake::name).toList());
    }

    @Test
    void crashPoints_ofTheTable_areThoseOfTheCode() throws IOException {
        assertThat(column(Markdown.of("docs/crash-matrix.md").table("Point", "The process dies"), 0))
                .isEqualTo(
                        Arrays.stream(CrashPoint.values()).map(CrashPoint::id).toList());
        assertThat(String.join("\n", Markdown.of("docs/testing.md").lines()))
                .contains("the " + CrashPoint.values().length + " points")
                .contains("at " + CrashPoint.values().length + " points");
    }

    /** What the guides on the stores call, such as {@code waitForReplicas(n, atMost)}. */
    @Test
    void methods_namedInTheStoresGuides_exist() throws Exception {
        var methods = new TreeSet<String>();
        for (Class<?> one : List.of(Idempotency.class, JdbcIdempotencyStore.class, RedisIdempotencyStore.class)) {
            Compiled.beside(one)
                    .filter(type -> Modifier.isPublic(type.getModifiers()))
                    .forEach(type -> Arrays.stream(type.getMethods()).forEach(method -> methods.add(method.getName())));
        }
        Pattern call = Pattern.compile("`(?:store\\.)?([a-z]\\w+)\\([^`]*\\)`");
        var named = Stream.of("docs/postgresql.md", "docs/redis.md")
                .flatMap(path -> Markdown.of(path).prose().stream())
                .flatMap(line -> call.matcher(line.text()).results().map(match -> match.group(1)))
                // A function of the server's.
                .filter(name -> !name.equals("clock_timestamp"))
                .collect(Collectors.toSet());

        assertThat(named).hasSizeGreaterThan(8).isSubsetOf(methods);
    }

    @Test
    void members_namedInTheGuides_exist() throws Exception {
        Map<String, Class<?>> types = Stream.concat(
                        Compiled.beside(Idempotency.class), Compiled.beside(SimulatedProvider.class))
                .filter(type -> Modifier.isPublic(type.getModifiers()))
                .collect(Collectors.toMap(TablesTest::name, Function.identity(), (one, other) -> one));
        Pattern named = Pattern.compile("`((?:[A-Z]\\w*\\.)*[A-Z][A-Za-z]*[a-z]\\w*)[.#](\\w+)(?:\\([^`]*\\))?`");
        var unknown = new TreeSet<String>();
        int known = 0;
        for (Markdown file : Markdown.all()) {
            for (Markdown.Line line : file.prose()) {
                var names = named.matcher(line.text());
                while (names.find()) {
                    Class<?> type = types.get(names.group(1));
                    if (type != null && !members(type).contains(names.group(2))) {
                        unknown.add(line.where() + ": " + names.group());
                    } else if (type != null) {
                        known++;
                    }
                }
            }
        }

        assertThat(unknown).isEmpty();
        assertThat(known).as("members that were found").isGreaterThan(20);
    }

    private static String name(Class<?> type) {
        Class<?> outer = type.getEnclosingClass();
        return outer == null ? type.getSimpleName() : name(outer) + "." + type.getSimpleName();
    }

    private static Set<String> members(Class<?> type) {
        var members = new TreeSet<String>();
        Arrays.stream(type.getMethods()).forEach(method -> members.add(method.getName()));
        Arrays.stream(type.getFields()).forEach(field -> members.add(field.getName()));
        Arrays.stream(type.getClasses()).forEach(inner -> members.add(inner.getSimpleName()));
        return members;
    }
}
