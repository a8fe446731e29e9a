package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;

/** What is published says what it is, belongs to the BOM, and since when it is there. */
final class PublishedModulesTest {
    private static final Pattern SINCE = Pattern.compile("(?m)^ \\* @since \\d+\\.\\d+\\.\\d+$");

    @Test
    void bom_managesEveryPublishedModule_andNothingElse() {
        Element managed = PublishedModules.children(
                        PublishedModules.children(
                                        PublishedModules.pom("idempotency-bom").getDocumentElement(),
                                        "dependencyManagement")
                                .findFirst()
                                .orElseThrow(),
                        "dependencies")
                .findFirst()
                .orElseThrow();

        assertThat(PublishedModules.children(managed, "dependency")
                        .map(one -> PublishedModules.text(one, "groupId") + ":"
                                + PublishedModules.text(one, "artifactId") + ":"
                                + PublishedModules.text(one, "version")))
                .containsExactlyInAnyOrderElementsOf(PublishedModules.all().stream()
                        .map(module ->
                                "dev.idempotency:" + PublishedModules.text(PublishedModules.pom(module), "artifactId")
                                        + ":${project.version}")
                        .toList());
    }

    @Test
    void bom_hasNoParent_andSaysTheSameAsTheRoot() {
        var root = PublishedModules.pom("");
        var bom = PublishedModules.pom("idempotency-bom");

        assertThat(PublishedModules.text(bom, "parent")).isEmpty();
        for (String element : List.of("groupId", "version", "url", "inceptionYear", "licenses", "developers", "scm")) {
            assertThat(PublishedModules.text(bom, element))
                    .as(element)
                    .isNotEmpty()
                    .isEqualTo(PublishedModules.text(root, element));
        }
    }

    @Test
    void poms_ofPublishedModules_haveNameAndDescription() {
        assertThat(PublishedModules.all()).hasSizeGreaterThan(5).allSatisfy(module -> {
            assertThat(PublishedModules.text(PublishedModules.pom(module), "name"))
                    .startsWith("Idempotency ");
            assertThat(PublishedModules.text(PublishedModules.pom(module), "description"))
                    .hasSizeGreaterThan(20)
                    .endsWith(".");
            assertThat(PublishedModules.text(PublishedModules.pom(module), "properties", "doclint"))
                    .isEqualTo("-Xdoclint:all/protected");
        });
    }

    @Test
    void publicTypes_eachSaySinceWhen() {
        assertThat(PublishedModules.publicTypes())
                .hasSizeGreaterThan(100)
                .filteredOn(type -> !SINCE.matcher(type.javadoc()).find())
                .extracting(PublishedModules.Source::name)
                .isEmpty();
    }
}
