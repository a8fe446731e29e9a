package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Review;
import dev.idempotency.IdempotencyKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Several keys in doubt that one incident has left, decided with one form on the same evidence: each is held to the version
 * that was reviewed, and each has an outcome of its own. Overrides are never among it.
 */
final class Together {
    /** As many as a person can have looked at. */
    static final int MOST = 100;

    private static final String FIELD = "k";
    private static final String PREFIX = "together-";

    private Together() {}

    /**
     * What became of one key.
     *
     * @param key which one
     * @param isDone whether it is decided now
     * @param text what happened, for people
     */
    record Outcome(IdempotencyKey key, boolean isDone, String text) {}

    /**
     * A key as somebody chose or reviewed it.
     *
     * @param key which one
     * @param version the one that was reviewed; 0 where it was only chosen
     */
    record Chosen(IdempotencyKey key, long version) {
        /** A scope and a key have no line break in them. */
        String text() {
            String text = key.scope() + "\n" + key.value() + "\n" + version;
            return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
        }

        static Chosen of(String encoded) {
            String[] texts = new String(Base64.getUrlDecoder().decode(encoded), StandardCharsets.UTF_8).split("\n", -1);
            if (texts.length != 3) {
                throw new IllegalArgumentException("it is not one");
            }
            return new Chosen(new IdempotencyKey(texts[0], texts[1]), Long.parseLong(texts[2]));
        }
    }

    static String field(int number) {
        return FIELD + number;
    }

    static List<Chosen> chosen(Fields fields) {
        List<Chosen> chosen = new ArrayList<>();
        for (String text : fields.numbered(FIELD)) {
            try {
                chosen.add(Chosen.of(text));
            } catch (IllegalArgumentException e) {
                throw new Refusal(400, "The form does not say which keys.");
            }
        }
        if (chosen.isEmpty()) {
            throw new Refusal(422, "No key is chosen: go back, and choose those that you want to decide together.");
        }
        if (chosen.size() > MOST) {
            throw new Refusal(422, "At most " + MOST + " keys are decided together: go back, and choose fewer.");
        }
        return chosen;
    }

    /** The keys as they stand, and the one form for all that are in doubt. */
    static Html page(
            Admin admin, ConsoleSettings settings, Visit visit, Fields fields, List<Problems.Problem> problems) {
        var parts = new FormParts(visit, fields, problems, problems.isEmpty());
        Html form = parts.form(PREFIX, "/decide").add(Queue.ofKey(fields).hidden());
        var rows = Html.of("tbody");
        int number = 0;
        boolean isTooEarly = false;
        for (Chosen chosen : chosen(fields)) {
            Review review = admin.review(chosen.key());
            boolean isInDoubt = false;
            if (review != null && Listing.isInDoubt(review.record(), review.now())) {
                isInDoubt = true;
                // What was reviewed stays what was reviewed: a form that comes back does not take over a newer version.
                long version = chosen.version() > 0
                        ? chosen.version()
                        : review.record().version();
                form.add(FormParts.hidden(field(number++), new Chosen(chosen.key(), version).text()));
                isTooEarly |= review.quiescentAt() != null && !review.isQuiescent();
            }
            rows.add(row(settings, chosen.key(), review, isInDoubt));
        }
        var main = Html.of("main");
        if (!problems.isEmpty()) {
            main.add(Pages.problems(problems, PREFIX));
        }
        main.add(Html.of("h1", "Decide " + number + " keys together"))
                .add(Html.of(
                        "p",
                        "Only for keys of one incident, which you have all looked up at the provider: the same reason and"
                                + " the same evidence are recorded with each."))
                .add(Html.of("div")
                        .attribute("class", "wide")
                        .add(Html.of("table")
                                .add(Html.of("caption", "What you have chosen"))
                                .add(Html.of("thead")
                                        .add(KeyPage.columns(
                                                "Key", "Operation", "State", "Why", "Reference at the provider")))
                                .add(rows)));
        if (number == 0) {
            return main.add(Html.of("p", "None of them is in doubt any more: there is nothing to decide."));
        }
        form.add(acts(parts, isTooEarly))
                .add(parts.ruling(PREFIX, "I reviewed these " + number + " keys, and want this recorded for each"));
        return main.add(KeyPage.section("together", "Decide", form));
    }

    private static Html row(ConsoleSettings settings, IdempotencyKey key, @Nullable Review review, boolean isInDoubt) {
        var row = Html.of("tr")
                .add(Html.of("th")
                        .attribute("scope", "row")
                        .add(Html.of("a").to(Target.key(key)).data(key.value())))
                .add(Html.of("td").data(key.scope()));
        if (review == null) {
            return row.add(Html.of("td", "no record stands; left out"))
                    .add(Html.of("td", "–"))
                    .add(Html.of("td", "–"));
        }
        var reference = Html.of("td").add(Html.of("code").data(review.record().nativeKey()));
        Html link = KeyPage.atProvider(settings, review.record());
        return row.add(Html.of("td")
                        .add(KeyPage.badge(review.record(), review.now()))
                        .text(isInDoubt ? "" : " left out"))
                .add(Html.of("td")
                        .data(KeyPage.cut(Wording.reason(review.record(), review.now()), Pages.LONGEST_REASON)))
                .add(link == null ? reference : reference.text(" ").add(link));
    }

    private static Html acts(FormParts parts, boolean isTooEarly) {
        return Html.of("fieldset")
                .attribute("id", PREFIX + "act")
                .attribute("tabindex", "-1")
                .add(Html.of("legend", "What became of all these writes?"))
                .add(parts.radio(
                        PREFIX,
                        "executed",
                        "They have happened; their results are not known",
                        Consequences.executed(null),
                        false))
                .add(parts.radio(
                        PREFIX,
                        "declined",
                        "The provider has declined them",
                        "Every caller is told that the provider has declined, and why. No call is made again.",
                        false))
                .add(Html.of("div")
                        .attribute("class", "nested")
                        .add(parts.text(PREFIX, "reason", "The reason, in the provider's terms", "2000")))
                .add(parts.radio(
                        PREFIX,
                        "not-executed",
                        "They have not happened, and will not",
                        Consequences.notExecuted() + early(isTooEarly),
                        false))
                .add(parts.radio(
                        PREFIX,
                        "reexecute",
                        "They have not happened, and are to be made",
                        Consequences.reExecute() + early(isTooEarly),
                        false));
    }

    private static String early(boolean isTooEarly) {
        return isTooEarly ? " For some of them it is too early; those are refused, and stay as they are." : "";
    }

    static Html outcomes(List<Outcome> outcomes, Queue queue) {
        var rows = Html.of("tbody");
        for (Outcome outcome : outcomes) {
            rows.add(Html.of("tr")
                    .add(Html.of("th")
                            .attribute("scope", "row")
                            .add(Html.of("a")
                                    .to(Target.key(outcome.key()))
                                    .data(outcome.key().value())))
                    .add(Html.of("td").data(outcome.key().scope()))
                    .add(Html.of("td", outcome.isDone() ? "done" : "not done")
                            .attribute("class", outcome.isDone() ? "event" : "held"))
                    .add(Html.of("td").data(outcome.text())));
        }
        long done = outcomes.stream().filter(Outcome::isDone).count();
        return Html.of("main")
                .add(Html.of("p", "Done for " + done + " of " + outcomes.size() + " keys.")
                        .attribute("class", "done")
                        .attribute("role", "status"))
                .add(Html.of("p")
                        .attribute("class", "queue")
                        .add(Html.of("a", "Back to the list")
                                .attribute("class", "next")
                                .attribute("autofocus")
                                .to(queue.after(null).list())))
                .add(Html.of("h1", "What became of each key"))
                .add(Html.of("div")
                        .attribute("class", "wide")
                        .add(Html.of("table")
                                .add(Html.of("caption", "In the order in which they were tried"))
                                .add(Html.of("thead")
                                        .add(KeyPage.columns("Key", "Operation", "Recorded", "What happened")))
                                .add(rows)));
    }
}
