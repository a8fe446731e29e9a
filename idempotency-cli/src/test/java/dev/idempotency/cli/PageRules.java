package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jsoup.nodes.Attribute;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;

/** What every page keeps to: for people who cannot see it or use no mouse, and against whoever stored a text. */
final class PageRules {
    /** Everything that pages are made of; nothing of it runs. */
    private static final Set<String> ELEMENTS = Set.of(
            "#root",
            "html",
            "head",
            "title",
            "meta",
            "link",
            "body",
            "header",
            "nav",
            "main",
            "section",
            "h1",
            "h2",
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
            "bdi");

    private PageRules() {}

    /** All that is in a page and is not ours. */
    static List<String> strangers(Document page) {
        var strangers = new ArrayList<String>();
        for (Element element : page.getAllElements()) {
            if (!ELEMENTS.contains(element.tagName())) {
                strangers.add("<" + element.tagName() + ">");
            }
            for (Attribute attribute : element.attributes()) {
                String name = attribute.getKey();
                boolean isLink = name.equals("href") || name.equals("action") || name.equals("src");
                if (name.startsWith("on") || name.equals("style") || name.equals("src") || name.contains("<")) {
                    strangers.add(element.tagName() + " " + name);
                }
                boolean isProviders = name.equals("href")
                        && attribute.getValue().matches("https://provider\\.example/[A-Za-z0-9%?=&._~/-]*")
                        && element.attr("rel").contains("noopener");
                if (isLink && !isProviders && !attribute.getValue().matches("(/[a-z.]*(\\?.*)?|#[a-z0-9-]+)")) {
                    strangers.add(name + "=" + attribute.getValue());
                }
            }
        }
        if (page.select("h1").size() != 1 || !page.select("#planted").isEmpty()) {
            strangers.add("another heading");
        }
        return strangers;
    }

    static void assertKept(Document page) {
        assertThat(strangers(page)).isEmpty();
        assertThat(page.selectFirst("html").attr("lang")).isEqualTo("en");
        assertThat(page.title()).endsWith(" – Idempotency");
        assertThat(page.select("main")).hasSize(1);
        assertThat(page.select("body > a.skip").attr("href")).isEqualTo("#main");
        assertThat(page.documentType()).isNotNull();

        var ids = new HashSet<String>();
        page.select("[id]")
                .forEach(element -> assertThat(ids.add(element.id()))
                        .as("id %s comes once", element.id())
                        .isTrue());
        for (Element field : page.select("input:not([type=hidden]), select, textarea")) {
            assertThat(page.select("label[for=" + field.id() + "]"))
                    .as("labels of %s", field)
                    .hasSize(1);
        }
        for (Element element : page.select("[aria-labelledby], [aria-describedby]")) {
            String target = element.attr("aria-labelledby") + element.attr("aria-describedby");
            assertThat(ids).as("what %s refers to", element.cssSelector()).contains(target);
        }
        page.select("th").forEach(cell -> assertThat(cell.attr("scope")).isIn("col", "row"));
        page.select("table")
                .forEach(table -> assertThat(table.select("caption")).hasSize(1));
        page.select("fieldset")
                .forEach(fieldset -> assertThat(fieldset.child(0).tagName()).isEqualTo("legend"));
        page.select("[tabindex]")
                .forEach(element -> assertThat(element.attr("tabindex"))
                        .as("the order of the page is the order of the keyboard")
                        .isIn("0", "-1"));
    }
}
