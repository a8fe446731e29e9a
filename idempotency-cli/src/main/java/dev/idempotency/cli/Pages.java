package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Review;
import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The pages of the console. Thread-safe. */
final class Pages {
    /** By the name that people know, because they set its level. */
    private static final Logger LOG = LoggerFactory.getLogger(OperationsConsole.class);

    private static final int TRAIL = 50;
    static final int LONGEST_REASON = 160;
    /** As many keys as are counted: an incident may leave more, and a page is to be quick. */
    private static final int COUNTED = 1000;

    private final Admin admin;
    private final ConsoleSettings settings;

    Pages(Admin admin, ConsoleSettings settings) {
        this.admin = admin;
        this.settings = settings;
    }

    // ---- the frame

    private static Html frame(@Nullable String user, String title, boolean isWrong, Html main) {
        var head = Html.of("head")
                .add(Html.of("meta").attribute("charset", "utf-8"))
                .add(Html.of("meta")
                        .attribute("name", "viewport")
                        .attribute("content", "width=device-width, initial-scale=1"))
                .add(Html.of("title", (isWrong ? "Error: " : "") + title + " – Idempotency"))
                .add(Html.of("link").attribute("rel", "stylesheet").to(Target.path("/console.css")));
        var places = Html.of("ul")
                .add(Html.of("li").add(Html.of("a", "Unresolved keys").to(Target.path("/"))))
                .add(Html.of("li").add(Html.of("a", "Requests").to(Target.path("/overrides"))))
                .add(Html.of("li").add(Html.of("a", "Audit trail").to(Target.path("/audit"))));
        var header = Html.of("header")
                .add(Html.of("span", "Idempotency").attribute("class", "brand"))
                .add(Html.of("nav").attribute("aria-label", "Console").add(places));
        if (user != null) {
            header.add(Html.of("span", "You are ").attribute("class", "user").data(user));
        }
        return Html.of("html")
                .attribute("lang", "en")
                .add(head)
                .add(Html.of("body")
                        .add(Html.of("a", "Skip to the content")
                                .attribute("class", "skip")
                                .to(Target.here("main")))
                        .add(header)
                        .add(main.attribute("id", "main").attribute("tabindex", "-1")));
    }

    static Html message(@Nullable String user, int status, String text) {
        String title = switch (status) {
            case 401 -> "Who are you?";
            case 404 -> "Not found";
            case 503 -> "The store failed";
            case 500 -> "Something went wrong";
            default -> "Not taken";
        };
        return frame(
                user,
                title,
                true,
                Html.of("main").add(Html.of("h1", title)).add(Html.of("p").data(text)));
    }

    static int status(Failure failure) {
        return switch (failure.code()) {
            case REFUSED -> 409;
            case UNKNOWN_KEY -> 404;
            case STORE_FAILED, PERHAPS_WRITTEN -> 503;
            case NO_ANSWER -> 504;
            case USAGE, NOT_CONFIRMED -> 422;
            case DONE, FAULT -> 500;
        };
    }

    // ---- unresolved keys

    Html unresolved(Visit visit, Fields fields) {
        Queue queue = Queue.ofList(fields);
        String wrong = null;
        Listing listing = new Listing(List.of(), null, null);
        Listing counted = listing;
        try {
            listing = Listing.read(admin, queue.query(Integer.parseInt(queue.limit())), queue.held());
            counted = Listing.read(admin, queue.scope("").query(COUNTED), queue.held());
        } catch (IllegalArgumentException | ArithmeticException e) {
            wrong = "The filter does not say which keys: " + e.getMessage();
        }

        var main = Html.of("main");
        if (fields.text("end").equals("yes")) {
            main.add(Html.of("p", "That was the last key of this list. Those that are left stand below.")
                    .attribute("class", "done")
                    .attribute("role", "status"));
        }
        main.add(Html.of("h1", "Unresolved keys"));
        if (wrong != null) {
            main.add(problems(List.of(new Problems.Problem("older", wrong)), "filter-"));
        }
        main.add(filter(queue))
                .add(counts(counted, queue))
                .add(found(visit, fields.text("all").equals("yes"), listing, queue))
                .add(lookUp());
        return frame(visit.user(), "Unresolved keys", wrong != null, main);
    }

    /** The page of the next key, or the list when that is through. */
    Target next(Fields fields) {
        Queue queue = Queue.ofKey(fields);
        try {
            IdempotencyRecord next = queue.next(admin);
            return next == null
                    ? queue.after(null).list().with("end", "yes")
                    : queue.after(null).on(Target.key(next.key()));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new Refusal(400, "The address does not say which keys.");
        }
    }

    /** How many there are of each operation: what an incident is about. */
    private static Html counts(Listing counted, Queue queue) {
        var operations = new TreeMap<String, Integer>();
        counted.records().forEach(record -> operations.merge(record.key().operation(), 1, Integer::sum));
        var list = Html.of("ul").attribute("class", "counts");
        operations.forEach((operation, number) -> list.add(Html.of("li")
                .add(Html.of("a").to(queue.scope(operation).list()).data(operation))
                .text(": " + number)));
        if (counted.next() != null) {
            list.add(Html.of("li", "counted: the first " + COUNTED));
        }
        return operations.isEmpty() ? Html.of("div") : list;
    }

    private static Html filter(Queue queue) {
        var states = Html.of("select").attribute("name", "state").attribute("id", "filter-state");
        states.add(option("", "In flight or in doubt", queue.state()));
        states.add(option(State.IN_DOUBT.name(), "In doubt", queue.state()));
        states.add(option(State.IN_FLIGHT.name(), "In flight", queue.state()));
        var limits = Html.of("select").attribute("name", "limit").attribute("id", "filter-limit");
        Queue.LIMITS.forEach(value -> limits.add(option(value, value, queue.limit())));
        var heldBox = Html.of("input")
                .attribute("type", "checkbox")
                .attribute("name", "held")
                .attribute("value", "yes")
                .attribute("id", "filter-held");
        if (queue.held()) {
            heldBox.attribute("checked");
        }
        return Html.of("form")
                .attribute("method", "get")
                .attribute("class", "filter")
                .attribute("role", "search")
                .attribute("aria-label", "Which keys")
                .to(Target.path("/"))
                .add(labelled("filter-state", "State", states))
                .add(labelled("filter-scope", "Operation", input("filter-scope", "scope", queue.scope())))
                .add(labelled(
                        "filter-older",
                        "In their state for at least (such as 10m, 24h)",
                        input("filter-older", "older", queue.older())))
                .add(labelled("filter-limit", "On a page", limits))
                .add(Html.of("div")
                        .attribute("class", "check")
                        .add(heldBox)
                        .add(Html.of("label", "Only those that wait for a person")
                                .attribute("for", "filter-held")))
                .add(Html.of("button", "Show").attribute("type", "submit"));
    }

    private static Html option(String value, String text, String chosen) {
        var option = Html.of("option", text).attribute("value", value);
        return value.equals(chosen) ? option.attribute("selected") : option;
    }

    private static Html labelled(String id, String label, Html field) {
        return Html.of("div")
                .attribute("class", "field")
                .add(Html.of("label", label).attribute("for", id))
                .add(field);
    }

    private static Html input(String id, String name, String value) {
        return Html.of("input")
                .attribute("type", "text")
                .attribute("id", id)
                .attribute("name", name)
                .attribute("value", value)
                .attribute("maxlength", "255")
                .attribute("autocomplete", "off")
                .attribute("spellcheck", "false");
    }

    private Html found(Visit visit, boolean all, Listing listing, Queue queue) {
        if (listing.records().isEmpty()) {
            return Html.of("p", "No such keys.").attribute("class", "none");
        }
        var rows = Html.of("tbody");
        int number = 0;
        for (IdempotencyRecord record : listing.records()) {
            Duration age = listing.age(record);
            rows.add(Html.of("tr")
                    .add(
                            Listing.isInDoubt(record, listing.now())
                                    ? box(record, number++, all && number <= Together.MOST)
                                    : Html.of("td"))
                    .add(Html.of("th")
                            .attribute("scope", "row")
                            .add(Html.of("a")
                                    .to(queue.after(null).on(Target.key(record.key())))
                                    .data(record.key().value())))
                    .add(Html.of("td").data(record.key().scope()))
                    .add(Html.of("td")
                            .add(KeyPage.badge(record, listing.now()))
                            .add(
                                    Listing.isHeld(record, listing.now())
                                            ? Html.of("div", "a person decides").attribute("class", "held")
                                            : Html.of("div", "the program tries")))
                    .add(Html.of("td", age == null ? "–" : Spans.text(age)))
                    .add(Html.of("td")
                            .add(settings.moments().time(record.times().stateSince())))
                    .add(Html.of("td").data(KeyPage.cut(Wording.reason(record, listing.now()), LONGEST_REASON))));
        }
        var table = Html.of("table")
                .add(Html.of("caption", listing.records().size() + " keys, longest in their state first"))
                .add(Html.of("thead")
                        .add(KeyPage.columns("Choose", "Key", "Operation", "State", "For", "Since", "Why")))
                .add(rows);
        Html together = new FormParts(visit, Fields.none(), List.of(), true)
                .form("choose-", "/choose")
                .add(queue.after(null).hidden())
                .add(Html.of("div").attribute("class", "wide").add(table));
        if (number > 0) {
            together.add(Html.of("p")
                    .attribute("class", "queue")
                    .add(Html.of("button", "Decide the chosen keys together…").attribute("type", "submit"))
                    .add(Html.of("a", "Choose all of this page").to(queue.list().with("all", "yes"))));
        }
        var section = Html.of("div").add(together);
        if (listing.next() != null) {
            Target next = queue.after(listing.next()).list();
            section.add(Html.of("p")
                    .add(Html.of("a", "Next page").attribute("rel", "next").to(next)));
        }
        return section;
    }

    private static Html box(IdempotencyRecord record, int number, boolean isChosen) {
        String id = "choose-" + number;
        var box = Html.of("input")
                .attribute("type", "checkbox")
                .attribute("name", Together.field(number))
                .attribute("value", new Together.Chosen(record.key(), 0).text())
                .attribute("id", id);
        if (isChosen) {
            box.attribute("checked");
        }
        return Html.of("td")
                .add(box)
                .add(Html.of("label", "Choose ")
                        .attribute("for", id)
                        .attribute("class", "unseen")
                        .data(record.key().value()));
    }

    // ---- several keys

    /** What was chosen, before anything is decided, or after a form that did not do what was wished. */
    Html together(Visit visit, Fields fields, List<Problems.Problem> problems) {
        return frame(
                visit.user(),
                "Several keys",
                !problems.isEmpty(),
                Together.page(admin, settings, visit, fields, problems));
    }

    Html outcomes(Visit visit, Fields fields, List<Together.Outcome> outcomes) {
        return frame(visit.user(), "Several keys", false, Together.outcomes(outcomes, Queue.ofKey(fields)));
    }

    // ---- override requests that wait

    Html overrides(Visit visit) {
        Pending pending = Pending.read(admin);
        var main = Html.of("main").add(Html.of("h1", "Requests"));
        if (pending.requests().isEmpty()) {
            main.add(Html.of("p", "No request waits for a second person.").attribute("class", "none"));
        } else {
            var rows = Html.of("tbody");
            pending.requests().forEach(request -> rows.add(row(request)));
            main.add(Html.of("div")
                    .attribute("class", "wide")
                    .add(Html.of("table")
                            .add(Html.of("caption", "Each waits for a second person, newest first"))
                            .add(Html.of("thead")
                                    .add(KeyPage.columns(
                                            "Key",
                                            "Operation",
                                            "Asked",
                                            "By",
                                            "Why",
                                            "The key's request, and the new one")))
                            .add(rows)));
        }
        if (!pending.isWhole()) {
            main.add(Html.of(
                    "p", "The audit trail is long: only its latest entries were read, and an older request may wait."));
        }
        return frame(visit.user(), "Requests", false, main);
    }

    private Html row(Pending.Request request) {
        AuditEntry entry = request.entry();
        Instant at = entry.at();
        return Html.of("tr")
                .add(Html.of("th")
                        .attribute("scope", "row")
                        .add(Html.of("a")
                                .to(Target.key(entry.key()))
                                .data(entry.key().value())))
                .add(Html.of("td").data(entry.key().scope()))
                .add(Html.of("td")
                        .add(
                                at == null
                                        ? Html.of("span", "–")
                                        : settings.moments().time(at)))
                .add(Html.of("td").data(entry.who()))
                .add(Html.of("td")
                        .add(Html.of("div").data(KeyPage.cut(entry.why(), LONGEST_REASON)))
                        .add(Html.of("div", "Evidence: ").data(KeyPage.cut(entry.evidence(), LONGEST_REASON))))
                .add(Html.of("td")
                        .add(fingerprint("Now: ", request.record().fingerprint()))
                        .add(fingerprint(
                                entry.act() == AuditEntry.Act.WITHDRAW ? "Taken back to: " : "New: ",
                                entry.fingerprint())));
    }

    private static Html fingerprint(String what, @Nullable Fingerprint fingerprint) {
        return Html.of("div", what).add(Html.of("code").data(fingerprint == null ? "–" : Payloads.text(fingerprint)));
    }

    private static Html lookUp() {
        return Html.of("section")
                .attribute("aria-labelledby", "look-up")
                .add(Html.of("h2", "Any key").attribute("id", "look-up"))
                .add(Html.of("form")
                        .attribute("method", "get")
                        .attribute("class", "filter")
                        .to(Target.path("/key"))
                        .add(labelled("find-scope", "Operation, or operation/tenant", input("find-scope", "scope", "")))
                        .add(labelled("find-key", "Key", input("find-key", "key", "")))
                        .add(Html.of("button", "Open").attribute("type", "submit")));
    }

    /** What is wrong, on top of the page, with links to the fields. */
    static Html problems(List<Problems.Problem> problems, String prefix) {
        var list = Html.of("ul");
        for (Problems.Problem problem : problems) {
            String field = problem.field();
            list.add(
                    field == null
                            ? Html.of("li").data(problem.text())
                            : Html.of("li")
                                    .add(Html.of("a")
                                            .to(Target.here(prefix + field))
                                            .data(problem.text())));
        }
        return Html.of("div")
                .attribute("class", "problems")
                .attribute("role", "alert")
                .attribute("tabindex", "-1")
                .attribute("autofocus")
                .attribute("aria-labelledby", "problems")
                .add(Html.of("h2", "This was not done").attribute("id", "problems"))
                .add(list);
    }

    // ---- one key

    Html key(Visit visit, Fields fields) {
        IdempotencyKey key = Deeds.key(fields);
        if (fields.text("result").equals("show") && settings.shown(key) == null) {
            String user = visit.user() == null ? visit.typed() : visit.user();
            log(user.isEmpty() ? "Somebody who has not said who" : user, "the results", key);
        }
        return keyPage(visit, key, fields, List.of(), true, false);
    }

    /** With the fields of request and result that may be looked at; the log says by whom they are. */
    Html look(Visit visit, String who, Fields fields) {
        IdempotencyKey key = Deeds.key(fields);
        List<String> shown = settings.shown(key);
        if (shown == null) {
            throw new Refusal(404, "Nobody has said which fields of this operation may be looked at.");
        }
        log(who, String.join(", ", shown), key);
        return keyPage(visit, key, fields, List.of(), true, true);
    }

    private static void log(String who, String what, IdempotencyKey key) {
        LOG.info(
                "{} looked at {} of {} {}",
                Plain.of(who),
                Plain.of(what),
                Plain.of(key.scope()),
                Plain.of(key.value()));
    }

    /** After a form that did not do what was wished. */
    Html keyAgain(Visit visit, Fields fields, List<Problems.Problem> problems) {
        return keyPage(visit, Deeds.key(fields), fields, problems, false, false);
    }

    private Html keyPage(
            Visit visit,
            IdempotencyKey key,
            Fields fields,
            List<Problems.Problem> problems,
            boolean isNew,
            boolean looks) {
        Review review = admin.review(key);
        if (review == null) {
            List<AuditEntry> trail = admin.audit(key, null, TRAIL);
            if (trail.isEmpty()) {
                throw new Failure(
                        ExitCode.UNKNOWN_KEY, "No record stands for the key: it was never used, or is forgotten");
            }
            return frame(
                    visit.user(),
                    Plain.of(key.value()),
                    !problems.isEmpty(),
                    KeyPage.forgotten(key, trail, problems, settings.moments()));
        }
        return frame(
                visit.user(),
                Plain.of(key.value()),
                !problems.isEmpty(),
                new KeyPage(visit, settings, review, fields, problems, isNew, looks).main());
    }

    // ---- the audit trail

    Html audit(Visit visit, Fields fields) {
        AuditEntry before = null;
        String cursor = fields.given("before");
        if (cursor != null) {
            try {
                before = Cursors.entry(cursor);
            } catch (RuntimeException e) {
                throw new Refusal(400, "The address has no page of the trail.");
            }
        }
        List<AuditEntry> page = admin.audit(null, before, TRAIL);
        var main = Html.of("main").add(Html.of("h1", "Audit trail")).add(KeyPage.trail(page, true, settings.moments()));
        if (page.size() == TRAIL) {
            Target next = Target.path("/audit").with("before", Cursors.of(page.get(TRAIL - 1)));
            main.add(Html.of("p")
                    .add(Html.of("a", "Next page").attribute("rel", "next").to(next)));
        }
        return frame(visit.user(), "Audit trail", false, main);
    }
}
