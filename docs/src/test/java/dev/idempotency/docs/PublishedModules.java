package dev.idempotency.docs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** The modules that are published, as the poms say: all with a jar that does not say {@code maven.deploy.skip}. */
final class PublishedModules {
    private static final Pattern TYPE = Pattern.compile(
            "^public (?:(?:abstract|final|sealed|non-sealed) )*(?:class|interface|record|enum|@interface) (\\w+)",
            Pattern.MULTILINE);

    /** A public top-level type: its full name, the path of its source from the root, and the source. */
    record Source(String name, Path path, String text) {
        /** The last Javadoc comment before the type; empty when there is none. */
        String javadoc() {
            var type = TYPE.matcher(text);
            String before = type.find() ? text.substring(0, type.start()) : "";
            int start = before.lastIndexOf("/**");
            return start < 0 ? "" : before.substring(start);
        }
    }

    private PublishedModules() {}

    static Document pom(String module) {
        try {
            return DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(Markdown.ROOT.resolve(module).resolve("pom.xml").toFile());
        } catch (Exception e) {
            throw new AssertionError(module, e);
        }
    }

    /** The text of the element at the end of a path of direct children; empty when there is none. */
    static String text(Node from, String... path) {
        Node node = from instanceof Document document ? document.getDocumentElement() : from;
        for (String name : path) {
            node = children(node, name).findFirst().orElse(null);
            if (node == null) {
                return "";
            }
        }
        return node.getTextContent().strip();
    }

    static Stream<Element> children(Node node, String name) {
        var children = new ArrayList<Element>();
        for (Node child = node.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element element && element.getTagName().equals(name)) {
                children.add(element);
            }
        }
        return children.stream();
    }

    /** The folders of all modules with a jar that is published. */
    static List<String> all() {
        Element modules =
                children(pom("").getDocumentElement(), "modules").findFirst().orElseThrow();
        return children(modules, "module")
                .map(Element::getTextContent)
                .filter(module -> !text(pom(module), "packaging").equals("pom"))
                .filter(module ->
                        !text(pom(module), "properties", "maven.deploy.skip").equals("true"))
                .filter(module -> !text(pom(module), "parent", "artifactId").isEmpty())
                .toList();
    }

    /** Every public top-level type that is published. */
    static List<Source> publicTypes() {
        var found = new ArrayList<Source>();
        for (String module : all()) {
            Path java = Markdown.ROOT.resolve(module).resolve("src/main/java");
            try (Stream<Path> files = Files.walk(java)) {
                for (Path file :
                        files.filter(one -> one.toString().endsWith(".java")).toList()) {
                    String text = Files.readString(file);
                    var type = TYPE.matcher(text);
                    if (type.find()) {
                        String name = java.relativize(file)
                                .toString()
                                .replaceAll("\\.java$", "")
                                .replace('/', '.')
                                .replace('\\', '.');
                        found.add(new Source(name, Markdown.ROOT.relativize(file), text));
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return found;
    }
}
