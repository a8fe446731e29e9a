package dev.idempotency.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What forms are made of, with what was typed into the one that did not do what was wished. Every form of a page has a prefix
 * of its own, with which the ids of its fields begin. Not thread-safe.
 */
final class FormParts {
    private final Visit visit;
    private final Fields fields;
    private final List<Problems.Problem> problems;
    private final boolean isNew;

    FormParts(Visit visit, Fields fields, List<Problems.Problem> problems, boolean isNew) {
        this.visit = visit;
        this.fields = fields;
        this.problems = problems;
        this.isNew = isNew;
    }

    /** An empty form for this page, in which nothing is typed yet. */
    Html form(String prefix, String path) {
        return Html.of("form")
                .attribute("method", "post")
                .attribute("autocomplete", "off")
                .to(Target.path(path))
                .add(hidden("token", visit.token()))
                .add(hidden("form", prefix));
    }

    static Html hidden(String name, String value) {
        return Html.of("input")
                .attribute("type", "hidden")
                .attribute("name", name)
                .attribute("value", value);
    }

    /** Who, why, on what evidence, a confirmation in these words, and the button. */
    Html ruling(String prefix, String confirmation) {
        var ruling = Html.of("div").add(who(prefix)).add(text(prefix, "why", "Why", "1000"));
        ruling.add(text(
                prefix, "evidence", "Evidence, such as a reference at the provider. No secret, no payload", "1000"));
        var box = Html.of("input")
                .attribute("type", "checkbox")
                .attribute("name", "confirmed")
                .attribute("value", "yes")
                .attribute("id", prefix + "confirmed");
        String problem = problem(prefix, "confirmed");
        if (problem != null) {
            box.attribute("aria-invalid", "true").attribute("aria-describedby", prefix + "confirmed-problem");
        }
        ruling.add(Html.of("div")
                .attribute("class", "check")
                .add(box)
                .add(Html.of("label", confirmation).attribute("for", prefix + "confirmed")));
        if (problem != null) {
            ruling.add(problemText(prefix, "confirmed", problem));
        }
        return ruling.add(Html.of("button", "Record it").attribute("type", "submit"));
    }

    /** The name of whoever is signed in, or a field for it. */
    Html who(String prefix) {
        String user = visit.user();
        return user != null
                ? Html.of("p", "This is recorded under your name, ").data(user).text(".")
                : field(
                        prefix,
                        "by",
                        "Your name",
                        Html.of("input")
                                .attribute("type", "text")
                                .attribute("value", isSent(prefix) ? typed(prefix, "by") : visit.typed())
                                .attribute("maxlength", "200"));
    }

    Html radio(String prefix, String act, String label, String hint, boolean isTooEarly) {
        String id = prefix + act;
        var button = Html.of("input")
                .attribute("type", "radio")
                .attribute("name", "act")
                .attribute("value", act)
                .attribute("id", id)
                .attribute("aria-describedby", id + "-hint");
        if (isTooEarly) {
            button.attribute("disabled");
        } else if (typed(prefix, "act").equals(act)) {
            button.attribute("checked");
        }
        return Html.of("div")
                .attribute("class", "choice")
                .add(button)
                .add(Html.of("label", label + (isTooEarly ? " (not yet)" : "")).attribute("for", id))
                .add(Html.of("div", hint).attribute("class", "hint").attribute("id", id + "-hint"));
    }

    Html text(String prefix, String name, String label, String longest) {
        return field(
                prefix,
                name,
                label,
                Html.of("input")
                        .attribute("type", "text")
                        .attribute("value", typed(prefix, name))
                        .attribute("maxlength", longest));
    }

    Html area(String prefix, String name, String label) {
        return field(
                prefix,
                name,
                label,
                Html.of("textarea")
                        .attribute("rows", "3")
                        .attribute("spellcheck", "false")
                        .text(typed(prefix, name)));
    }

    private Html field(String prefix, String name, String label, Html input) {
        String id = prefix + name;
        input.attribute("id", id).attribute("name", name);
        String problem = problem(prefix, name);
        var field = Html.of("div")
                .attribute("class", "field")
                .add(Html.of("label", label).attribute("for", id));
        if (problem != null) {
            input.attribute("aria-invalid", "true").attribute("aria-describedby", id + "-problem");
            field.add(problemText(prefix, name, problem));
        }
        return field.add(input);
    }

    private static Html problemText(String prefix, String name, String problem) {
        return Html.of("div")
                .attribute("class", "problem")
                .attribute("id", prefix + name + "-problem")
                .data(problem);
    }

    /** The prefix of the form that was sent. */
    String sentForm() {
        String form = fields.text("form");
        return form.matches("decide-|look-|together-|request-\\d{1,3}-") ? form : "decide-";
    }

    private String typed(String prefix, String name) {
        return isSent(prefix) ? fields.text(name) : "";
    }

    private boolean isSent(String prefix) {
        return !isNew && sentForm().equals(prefix);
    }

    private @Nullable String problem(String prefix, String name) {
        if (!sentForm().equals(prefix)) {
            return null;
        }
        return problems.stream()
                .filter(problem -> name.equals(problem.field()))
                .map(Problems.Problem::text)
                .findFirst()
                .orElse(null);
    }
}
