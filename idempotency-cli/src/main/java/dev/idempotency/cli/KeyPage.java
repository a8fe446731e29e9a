package dev.idempotency.cli;

import dev.idempotency.Admin.Review;
import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.State;
import dev.idempotency.store.StoredResult;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One key: what is known, what may be decided, and what was. Not thread-safe. */
final class KeyPage {
    private static final String BEGINS_TO_WAIT =
            " Nobody has noted yet that the lease is over. Choosing this notes it, and is then"
                    + " refused until the waiting time, which begins there, is over.";

    private static final int LONGEST_TEXT = 4000;
    private static final int LONGEST_RESULT = 64 * 1024;

    private final ConsoleSettings settings;
    private final FormParts parts;
    private final Review review;
    private final IdempotencyRecord record;
    private final Fields fields;
    private final List<Problems.Problem> problems;
    private final boolean isNew;
    private final boolean looks;

    /**
     * With what was typed into a form that did not do what was wished, unless the page is new; and with the fields that may be
     * looked at, if somebody who has said who he is looks.
     */
    KeyPage(
            Visit visit,
            ConsoleSettings settings,
            Review review,
            Fields fields,
            List<Problems.Problem> problems,
            boolean isNew,
            boolean looks) {
        this.parts = new FormParts(visit, fields, problems, isNew);
        this.settings = settings;
        this.review = review;
        this.record = review.record();
        this.fields = fields;
        this.problems = problems;
        this.isNew = isNew;
        this.looks = looks;
    }

    Html main() {
        var main = Html.of("main");
        if (!problems.isEmpty()) {
            main.add(Pages.problems(problems, parts.sentForm()));
        }
        String done = isNew ? done(fields.text("done")) : null;
        if (done != null) {
            main.add(Html.of("p", done).attribute("class", "done").attribute("role", "status"));
        }
        main.add(nextKey(done != null));
        main.add(Html.of("h1").data(record.key().value()));
        main.add(facts());
        main.add(outlook());
        List<String> shown = settings.shown(record.key());
        if (shown != null) {
            main.add(look(shown));
        }
        for (int i = 0; i < review.pending().size(); i++) {
            main.add(pending(review.pending().get(i), i + 1));
        }
        main.add(decide());
        main.add(history());
        main.add(section("trail", "Audit trail", trail(review.audit(), false, settings.moments())));
        return main;
    }

    /** The keys that whoever looks works through, from where he has come to. */
    private Queue queue() {
        Queue queue = Queue.ofKey(fields);
        boolean isInTheList = queue.after().isEmpty() && record.state().isUnresolved();
        return isInTheList ? queue.after(Cursors.of(record)) : queue;
    }

    private Html nextKey(boolean isDone) {
        Queue queue = queue();
        var next = Html.of("a", "Next key").attribute("class", "next").to(queue.on(Target.path("/next")));
        if (isDone) {
            // Enter goes on.
            next.attribute("autofocus");
        }
        return Html.of("p")
                .attribute("class", "queue")
                .add(next)
                .text(" ")
                .add(Html.of("a", "Back to the list").to(queue.after(null).list()));
    }

    /** The record is gone, and what people did is not. */
    static Html forgotten(
            IdempotencyKey key, List<AuditEntry> trail, List<Problems.Problem> problems, Moments moments) {
        var main = Html.of("main");
        if (!problems.isEmpty()) {
            main.add(Pages.problems(problems, ""));
        }
        return main.add(Html.of("h1").data(key.value()))
                .add(Html.of("p", "No record stands for the key; its audit trail is kept."))
                .add(section("trail", "Audit trail", trail(trail, false, moments)));
    }

    private static @Nullable String done(String act) {
        return switch (act) {
            case "executed", "executed-result", "declined" -> "Done: the key is completed.";
            case "not-executed" -> "Done: the key is closed.";
            case "reexecute", "reopen" -> "Done: the key is open; the next execution makes the call.";
            case "request" -> "Done: a second person can approve the override now.";
            case "withdraw" -> "Done: a second person can approve the withdrawal now.";
            case "approve" -> "Done: the key is open for the new request alone.";
            case "approve-withdrawal" -> "Done: what the key had come to before counts again.";
            case "refuse" -> "Done: the request is refused.";
            default -> null;
        };
    }

    // ---- what is known

    private Html facts() {
        var times = record.times();
        Fingerprint fingerprint = record.fingerprint();
        var request = record.request();
        var facts = Html.of("dl").attribute("class", "facts");
        fact(facts, "Operation", Html.of("dd").data(record.key().scope()));
        fact(
                facts,
                "State",
                Html.of("dd")
                        .add(badge(record, review.now()))
                        .text(" for " + Spans.text(Duration.between(times.stateSince(), review.now())) + ", since ")
                        .add(time(times.stateSince())));
        fact(
                facts,
                "Version",
                Html.of(
                        "dd",
                        record.version() + "; the call was begun "
                                + (record.attempt() == 1 ? "once" : record.attempt() + " times")
                                + (record.generation() == 1
                                        ? ""
                                        : ", and people opened the key again "
                                                + (record.generation() == 2
                                                        ? "once"
                                                        : record.generation() - 1 + " times"))));
        fact(facts, "What happens by itself", Html.of("dd", Wording.byItself(record.terms())));
        fact(facts, "Reference at the provider", reference());
        fact(
                facts,
                "Fingerprint of the request",
                fingerprint == null
                        ? Html.of("dd", "any request may have this key")
                        : Html.of("dd").add(Html.of("code").data(Payloads.text(fingerprint))));
        fact(facts, "Result", outcome(Html.of("dd"), record.result()));
        fact(
                facts,
                "Request",
                Html.of(
                        "dd",
                        request == null ? "not kept" : "kept, " + request.bytes().length + " bytes, and not shown"));
        fact(
                facts,
                "Times",
                Html.of("dd", "created ")
                        .add(time(times.createdAt()))
                        .text(", first sent ")
                        .add(time(times.firstSentAt()))
                        .text(record.state().isUnresolved() ? ", kept until it is decided" : ", kept until ")
                        .add(record.state().isUnresolved() ? Html.of("span") : time(times.expiresAt())));
        if (times.leaseUntil() != null) {
            fact(
                    facts,
                    "Lease",
                    Html.of("dd", "until ")
                            .add(time(times.leaseUntil()))
                            .text(record.isLapsed(review.now()) ? ", which is over" : ""));
        }
        return facts;
    }

    private Html reference() {
        var reference = Html.of("dd").add(Html.of("code").data(record.nativeKey()));
        Html link = atProvider(settings, record);
        return link == null ? reference : reference.text(" ").add(link);
    }

    /** Leads to the write at the provider; null when nobody has said where that is. */
    static @Nullable Html atProvider(ConsoleSettings settings, IdempotencyRecord record) {
        ProviderUrl provider = settings.provider(record.key());
        Target target = provider == null ? null : provider.of(record);
        return provider == null || target == null
                ? null
                : Html.of("a", "Look at " + provider.host() + " (new tab)")
                        .attribute("rel", "noopener noreferrer external")
                        .attribute("target", "_blank")
                        .to(target);
    }

    private static void fact(Html facts, String name, Html value) {
        facts.add(Html.of("div").add(Html.of("dt", name)).add(value));
    }

    private Html outcome(Html into, @Nullable StoredResult result) {
        if (result == null) {
            return into.text("none");
        }
        into.text(result.kind().name().toLowerCase(Locale.ROOT) + ", " + result.size() + " bytes, codec ")
                .data(result.codec())
                .text(" ");
        if (settings.shown(record.key()) != null) {
            return into.text("; what may be looked at stands under “Request and result”");
        }
        if (!(isNew && fields.text("result").equals("show"))) {
            return into.add(
                    Html.of("a", "Show results").to(Target.key(record.key()).with("result", "show")));
        }
        String text = Json.utf8(result.bytes());
        return into.add(Html.of("pre")
                .attribute("tabindex", "0")
                .data(cut(text == null ? HexFormat.of().formatHex(result.bytes()) : text, LONGEST_RESULT)));
    }

    static String cut(String text, int longest) {
        return text.length() <= longest
                ? text
                : text.substring(0, longest) + " … (cut; it has " + text.length() + " characters)";
    }

    private Html outlook() {
        var outlook = Html.of("p").attribute("class", "outlook").data(review.recovery());
        Instant quiescentAt = review.quiescentAt();
        var section = Html.of("div").add(outlook);
        if (quiescentAt != null) {
            section.add(
                    review.isQuiescent()
                            ? Html.of("p", "“Not executed” may be decided since ")
                                    .add(time(quiescentAt))
                                    .text(".")
                            : Html.of("p", "“Not executed” may not be decided before ")
                                    .add(time(quiescentAt))
                                    .text(": what is in flight may take effect until then."));
        }
        return section;
    }

    // ---- what may be looked at

    private Html look(List<String> shown) {
        var content = Html.of("div");
        if (looks) {
            content.add(looked(shown));
        }
        content.add(about(parts.form("look-", "/look"))
                .add(parts.who("look-"))
                .add(Html.of("p", "The console's log says who looked."))
                .add(Html.of("button", "Show ").attribute("type", "submit").data(String.join(", ", shown))));
        return section("look", "Request and result", content);
    }

    private Html looked(List<String> shown) {
        var request = record.request();
        var result = record.result();
        Map<String, String> asked =
                request == null ? Map.of() : ShownFields.of(request.codec(), request.bytes(), shown);
        Map<String, String> answered =
                result == null ? Map.of() : ShownFields.of(result.codec(), result.bytes(), shown);
        var rows = Html.of("tbody");
        for (String field : shown) {
            rows.add(Html.of("tr")
                    .add(Html.of("th").attribute("scope", "row").data(field))
                    .add(value(asked, field, "not kept"))
                    .add(value(answered, field, "none yet")));
        }
        return Html.of("div")
                .attribute("class", "wide")
                .add(Html.of("table")
                        .attribute("class", "looked")
                        .add(Html.of("caption", "Fields that may be looked at"))
                        .add(Html.of("thead").add(columns("Field", "Request", "Result")))
                        .add(rows));
    }

    private static Html value(@Nullable Map<String, String> values, String field, String otherwise) {
        return values == null
                ? Html.of("td", "not JSON that the console can read")
                : Html.of("td").data(values.getOrDefault(field, otherwise));
    }

    private Html history() {
        var list = Html.of("ol").attribute("class", "timeline");
        list.add(event(record.times().createdAt(), "Reserved", "the key was used for the first time", false, null));
        for (Evidence line : record.evidence()) {
            list.add(event(
                    line.at(),
                    Wording.happened(line.kind()) + ", call " + line.attempt(),
                    line.detail(),
                    isAlarm(line.kind()),
                    line.result()));
        }
        list.add(event(record.times().stateSince(), words(record.state().name()), "as it stands now", false, null));
        return section("history", "History", list);
    }

    private static boolean isAlarm(Evidence.Kind kind) {
        return kind == Evidence.Kind.CONFLICT || kind == Evidence.Kind.CONTRADICTION || kind == Evidence.Kind.DUPLICATE;
    }

    private Html event(Instant at, String what, String detail, boolean isAlarm, @Nullable StoredResult result) {
        var item = Html.of("li")
                .attribute("class", isAlarm ? "alarm" : "event")
                .add(time(at))
                .text(" ")
                .add(Html.of("strong", what + (isAlarm ? " (alarm)" : "")));
        if (!detail.isEmpty()) {
            item.add(Html.of("div").data(cut(detail, LONGEST_TEXT)));
        }
        if (result != null) {
            item.add(outcome(Html.of("div", "Outcome: "), result));
        }
        return item;
    }

    // ---- what may be decided

    private Html decide() {
        boolean isDoubt = record.state() == State.IN_DOUBT || record.isLapsed(review.now());
        boolean isClosed = record.state() == State.CLOSED;
        boolean isOpened = record.state() == State.OPEN && record.generation() > 1;
        if (!isDoubt && !isOpened && !record.state().isTerminal()) {
            return section("decide", "Decide", Html.of("p", "There is nothing to decide now."));
        }
        String prefix = "decide-";
        var choice = Html.of("fieldset").attribute("id", prefix + "act").attribute("tabindex", "-1");
        choice.add(Html.of("legend", isDoubt ? "What became of the write?" : "What is to be done?"));
        if (isDoubt) {
            choice.add(
                    radio(prefix, "executed", "It has happened; its result is not known", Consequences.executed(null)));
            choice.add(radio(
                    prefix,
                    "executed-result",
                    "It has happened, with this result",
                    "Every caller gets this result, if the operation's codec is json, and no call is made again. It stands in"
                            + " the store as it is, for whoever reads it."));
            choice.add(Html.of("div")
                    .attribute("class", "nested")
                    .add(parts.area(prefix, "result", "The result as JSON, as the operation's codec writes it"))
                    .add(parts.text(
                            prefix,
                            "codec",
                            "The operation's codec: json, unless the operation sets one, such as one that encrypts",
                            "60")));
            choice.add(radio(
                    prefix,
                    "declined",
                    "The provider has declined it",
                    "Every caller is told that the provider has declined, and why. No call is made again."));
            choice.add(Html.of("div")
                    .attribute("class", "nested")
                    .add(parts.text(prefix, "reason", "The reason, in the provider's terms", "2000")));
            choice.add(radio(prefix, "not-executed", "It has not happened, and will not", Consequences.notExecuted()));
            choice.add(radio(prefix, "reexecute", "It has not happened, and is to be made", Consequences.reExecute()));
        }
        if (isClosed) {
            choice.add(radio(prefix, "reopen", "Open it again for the same request", Consequences.reopen()));
        }
        if (isOpened) {
            choice.add(radio(prefix, "withdraw", "Ask to take back what has opened the key", Consequences.withdraw()));
        }
        if (record.state().isTerminal()) {
            choice.add(radio(
                    prefix,
                    "request",
                    "Ask for another request in its place, such as one with the right amount",
                    "Only the audit trail is written: a second person has to approve it."));
            choice.add(Html.of("div")
                    .attribute("class", "nested")
                    .add(parts.area(prefix, "payload", "The new request as JSON, or its fingerprint (jcs-sha256:..)")));
        }
        return section("decide", "Decide", form(prefix, null).add(choice).add(ruling(prefix)));
    }

    private Html pending(AuditEntry request, int number) {
        String prefix = "request-" + number + "-";
        Fingerprint wished = request.fingerprint();
        var facts = Html.of("dl").attribute("class", "facts");
        fact(facts, "Asked by", Html.of("dd").data(request.who()));
        fact(facts, "Why", Html.of("dd").data(request.why()));
        fact(facts, "Evidence", Html.of("dd").data(request.evidence()));
        boolean isWithdrawal = request.act() == AuditEntry.Act.WITHDRAW;
        fact(
                facts,
                isWithdrawal ? "Counts again for" : "New request",
                Html.of("dd").add(Html.of("code").data(wished == null ? "–" : Payloads.text(wished))));
        fact(facts, "Request", Html.of("dd").add(Html.of("code", request.id())));
        var choice = Html.of("fieldset")
                .attribute("id", prefix + "act")
                .attribute("tabindex", "-1")
                .add(Html.of("legend", "Your answer"))
                .add(radio(prefix, "approve", "Approve", Consequences.approve(request)))
                .add(radio(prefix, "refuse", "Refuse, or take back", Consequences.refuse()));
        return section(
                "request-" + number,
                (isWithdrawal ? "Withdrawal request " : "Override request ") + number,
                Html.of("div")
                        .add(facts)
                        .add(form(prefix, request.id()).add(choice).add(ruling(prefix))));
    }

    private Html form(String prefix, @Nullable String request) {
        Html form = about(parts.form(prefix, "/act")).add(FormParts.hidden("version", Long.toString(record.version())));
        return request == null ? form : form.add(FormParts.hidden("request", request));
    }

    private Html about(Html form) {
        return form.add(FormParts.hidden("scope", record.key().scope()))
                .add(FormParts.hidden("key", record.key().value()))
                .add(queue().hidden());
    }

    private Html radio(String prefix, String act, String label, String consequence) {
        boolean denies = act.equals("not-executed") || act.equals("reexecute");
        boolean isTooEarly = denies && review.quiescentAt() != null && !review.isQuiescent();
        boolean beginsToWait = denies && review.quiescentAt() == null && record.isLapsed(review.now());
        return parts.radio(prefix, act, label, consequence + (beginsToWait ? BEGINS_TO_WAIT : ""), isTooEarly);
    }

    private Html ruling(String prefix) {
        return parts.ruling(prefix, "I reviewed version " + record.version() + " of this key, and want this recorded");
    }

    // ---- parts

    static Html section(String id, String title, Html content) {
        return Html.of("section")
                .attribute("aria-labelledby", id)
                .add(Html.of("h2", title).attribute("id", id))
                .add(content);
    }

    static Html columns(String... names) {
        var row = Html.of("tr");
        for (String name : names) {
            row.add(Html.of("th", name).attribute("scope", "col"));
        }
        return row;
    }

    static Html badge(IdempotencyRecord record, @Nullable Instant now) {
        return Listing.isLeaseOver(record, now)
                ? Html.of("span", "In doubt: lease over").attribute("class", "badge in-doubt")
                : badge(record.state());
    }

    private static Html badge(State state) {
        return Html.of("span", words(state.name()))
                .attribute(
                        "class",
                        "badge " + state.name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }

    private Html time(Instant at) {
        return settings.moments().time(at);
    }

    private static String words(String constant) {
        String words = constant.toLowerCase(Locale.ROOT).replace('_', ' ');
        return words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1);
    }

    static Html trail(List<AuditEntry> entries, boolean ofAll, Moments moments) {
        if (entries.isEmpty()) {
            return Html.of("p", "Nobody has decided anything yet.").attribute("class", "none");
        }
        var rows = Html.of("tbody");
        for (AuditEntry entry : entries) {
            Instant at = entry.at();
            var row = Html.of("tr")
                    .add(Html.of("td").add(at == null ? Html.of("span", "–") : moments.time(at)))
                    .add(Html.of(
                            "td",
                            words(entry.act().name()) + ", "
                                    + words(entry.phase().name())));
            if (ofAll) {
                row.add(Html.of("td")
                        .add(Html.of("a")
                                .to(Target.key(entry.key()))
                                .data(entry.key().value()))
                        .text(" ")
                        .data(entry.key().scope()));
            }
            row.add(Html.of("td").data(entry.who()))
                    .add(Html.of("td")
                            .add(Html.of("div").data(cut(entry.why(), LONGEST_TEXT)))
                            .add(Html.of("div", "Evidence: ").data(cut(entry.evidence(), LONGEST_TEXT))))
                    .add(Html.of("td", "Version " + entry.version())
                            .add(wished(entry))
                            .add(Html.of("div").data(cut(entry.detail(), LONGEST_TEXT))));
            rows.add(row);
        }
        var table = Html.of("table")
                .add(Html.of("caption", "Newest first"))
                .add(Html.of("thead")
                        .add(
                                ofAll
                                        ? columns("At", "Act", "Key", "Who", "Why", "About")
                                        : columns("At", "Act", "Who", "Why", "About")))
                .add(rows);
        return Html.of("div").attribute("class", "wide").add(table);
    }

    private static Html wished(AuditEntry entry) {
        Fingerprint fingerprint = entry.fingerprint();
        return fingerprint == null
                ? Html.of("div")
                : Html.of("div", "for ").add(Html.of("code").data(Payloads.text(fingerprint)));
    }
}
