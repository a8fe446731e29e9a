package dev.idempotency.benchmarks;

import java.awt.Color;
import java.awt.Font;
import java.awt.geom.Rectangle2D;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGraphics2D;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.CategoryAxis;
import org.jfree.chart.axis.CategoryLabelPositions;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.ValueMarker;
import org.jfree.chart.renderer.category.StatisticalLineAndShapeRenderer;
import org.jfree.data.statistics.DefaultStatisticalCategoryDataset;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Draws how fast everybody was beside the limit of each group. */
final class Plot {
    private static final int WIDTH = 1200;
    private static final int HEIGHT = 640;

    private Plot() {}

    private static Document document() throws IOException {
        try {
            return DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .getDOMImplementation()
                    .createDocument(SVGGraphics2D.SVG_NAMESPACE_URI, "svg", null);
        } catch (ParserConfigurationException e) {
            throw new IOException(e);
        }
    }

    static void write(Results results, Path file) throws IOException {
        Document document = document();
        var dataset = new DefaultStatisticalCategoryDataset();
        for (Map.Entry<String, Map<String, Spread>> series : series(results).entrySet()) {
            series.getValue()
                    .forEach((group, ratio) ->
                            dataset.add(ratio.median(), (ratio.p75() - ratio.p25()) / 2, series.getKey(), group));
        }
        var graphics = new SVGGraphics2D(document);
        chart(dataset).draw(graphics, new Rectangle2D.Double(0, 0, WIDTH, HEIGHT));
        try (Writer writer = Files.newBufferedWriter(file)) {
            Element root = graphics.getRoot(document.getDocumentElement());
            root.setAttribute("viewBox", "0 0 " + WIDTH + " " + HEIGHT);
            graphics.stream(root, writer, false, false);
        }
    }

    /** By subject, then by group. */
    private static Map<String, Map<String, Spread>> series(Results results) {
        var series = new LinkedHashMap<String, Map<String, Spread>>();
        results.groups().forEach((group, outcomes) -> {
            Optional<Outcome> limit = results.limit(group.store(), group.path(), group.threads());
            for (Outcome outcome : outcomes) {
                if (outcome.subject().kind() == Subject.Kind.LIMIT) {
                    continue;
                }
                limit.flatMap(outcome::ratioTo)
                        .ifPresent(ratio -> series.computeIfAbsent(
                                        outcome.subject().name(), name -> new LinkedHashMap<>())
                                .put(group.id(), ratio));
            }
        });
        return series;
    }

    private static JFreeChart chart(DefaultStatisticalCategoryDataset dataset) {
        var groups = new CategoryAxis();
        groups.setCategoryLabelPositions(CategoryLabelPositions.UP_45);
        var ratio = new LogAxis("operations per second, as a multiple of the raw limit's");
        ratio.setBase(10);
        ratio.setTickUnit(new NumberTickUnit(1));
        ratio.setSmallestValue(1e-4);
        var renderer = new StatisticalLineAndShapeRenderer(false, true);
        renderer.setErrorIndicatorPaint(Color.DARK_GRAY);
        renderer.setUseSeriesOffset(true);
        var plot = new CategoryPlot(dataset, groups, ratio, renderer);
        plot.setBackgroundPaint(Color.WHITE);
        plot.setRangeGridlinePaint(Color.LIGHT_GRAY);
        plot.setDomainGridlinesVisible(true);
        plot.setDomainGridlinePaint(Color.LIGHT_GRAY);
        plot.addRangeMarker(new ValueMarker(1, Color.BLACK, new java.awt.BasicStroke(1)));
        var chart = new JFreeChart(
                "Beside the raw limit: medians, with half the distance of the quartiles on either side",
                new Font(Font.SANS_SERIF, Font.BOLD, 14),
                plot,
                true);
        chart.setBackgroundPaint(Color.WHITE);
        return chart;
    }
}
