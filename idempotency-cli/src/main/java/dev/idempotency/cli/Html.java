package dev.idempotency.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A page as a tree. Text gets into it only as text and is escaped in one place, when the page is written; there is no way to
 * put markup in. Only elements and attributes of the lists are taken, none of which runs anything, and where a link goes is a
 * {@link Target}. Not thread-safe.
 */
final class Html {
    private static final Set<String> EMPTY = Set.of("meta", "link", "input", "br");
    private static final Set<String> ELEMENTS = Set.of(
            "html",
            "head",
            "title",
            "meta",
            "link",
            "body",
            "header",
            "nav",
            "main",
            "footer",
            "section",
            "h1",
            "h2",
            "h3",
            "p",
            "a",
            "ul",
            "ol",
            "li",
            "dl",
            "dt",
            "dd",
            "div",
            "table",
            "caption",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "form",
            "fieldset",
            "legend",
            "label",
            "input",
            "select",
            "option",
            "textarea",
            "button",
            "span",
            "strong",
            "code",
            "pre",
            "time",
            "bdi",
            "br");
    private static final Set<String> ATTRIBUTES = Set.of(
            "lang",
            "charset",
            "name",
            "content",
            "rel",
            "target",
            "class",
            "id",
            "for",
            "type",
            "value",
            "method",
            "scope",
            "role",
            "tabindex",
            "autofocus",
            "maxlength",
            "rows",
            "required",
            "checked",
            "selected",
            "disabled",
            "datetime",
            "autocomplete",
            "spellcheck",
            "aria-label",
            "aria-labelledby",
            "aria-describedby",
            "aria-invalid",
            "aria-current",
            "dir");

    private final String name;
    private final Map<String, String> attributes = new LinkedHashMap<>();
    /** Elements and texts. */
    private final List<Object> content = new ArrayList<>();

    private Html(String name) {
        this.name = name;
    }

    static Html of(String element) {
        if (!ELEMENTS.contains(element)) {
            throw new IllegalArgumentException("no page has an element " + element);
        }
        return new Html(element);
    }

    /** An element with this text. */
    static Html of(String element, String text) {
        return of(element).text(text);
    }

    Html attribute(String attribute, String value) {
        if (!ATTRIBUTES.contains(attribute)) {
            throw new IllegalArgumentException("no element has an attribute " + attribute);
        }
        attributes.put(attribute, value);
        return this;
    }

    Html attribute(String attribute) {
        return attribute(attribute, attribute);
    }

    /** The one attribute of this element that is an address. */
    Html to(Target target) {
        String attribute = switch (name) {
            case "a", "link" -> "href";
            case "form" -> "action";
            default -> throw new IllegalArgumentException(name + " leads nowhere");
        };
        attributes.put(attribute, target.text());
        return this;
    }

    Html add(Html element) {
        content.add(element);
        return this;
    }

    Html add(Iterable<Html> elements) {
        elements.forEach(this::add);
        return this;
    }

    Html text(String text) {
        content.add(text);
        return this;
    }

    /** Text of other people's: what is invisible is made visible, and its direction ends with it. */
    Html data(String text) {
        return add(Html.of("bdi").text(Plain.of(text)));
    }

    /** The whole document. */
    String write() {
        return write(Html::escape);
    }

    /** For a test that plants an escaping which escapes too little. */
    String write(UnaryOperator<String> escape) {
        var out = new StringBuilder("<!DOCTYPE html>\n");
        write(out, escape);
        return out.append('\n').toString();
    }

    private void write(StringBuilder out, UnaryOperator<String> escape) {
        out.append('<').append(name);
        attributes.forEach((attribute, value) -> out.append(' ')
                .append(attribute)
                .append("=\"")
                .append(escape.apply(value))
                .append('"'));
        out.append('>');
        if (EMPTY.contains(name)) {
            return;
        }
        if (name.equals("textarea") || name.equals("pre")) {
            // A reader drops the first line break, so that the text's own stays.
            out.append('\n');
        }
        for (Object part : content) {
            if (part instanceof Html element) {
                element.write(out, escape);
            } else {
                out.append(escape.apply((String) part));
            }
        }
        out.append("</").append(name).append('>');
    }

    static String escape(String text) {
        var escaped = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.appendCodePoint(isOfHtml(c) ? c : 0xFFFD);
            }
        });
        return escaped.toString();
    }

    private static boolean isOfHtml(int c) {
        boolean isControl = Character.isISOControl(c) && c != '\t' && c != '\n';
        boolean isSurrogate = c >= 0xD800 && c <= 0xDFFF;
        return !isControl && !isSurrogate && (c & 0xFFFE) != 0xFFFE;
    }
}
