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
import org.jfree.chart.renderer.category.LineAndShapeRenderer;
import org.jfree.data.category.DefaultCategoryDataset;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Draws how fast everybody was beside the limit of each group. */
final class Plot {
    private static final int WIDTH = 1200;
    private static final int HEIGHT = 640;

    /** The library comes first, and the rest differ on white. */
    private static final Color[] COLOURS = {
        new Color(0xC0392B),
        new Color(0x2471A3),
        new Color(0x229954),
        new Color(0xD68910),
        new Color(0x7D3C98),
        new Color(0xE67E9A),
        new Color(0x138D75),
        new Color(0x566573),
        new Color(0x6E2C00),
        new Color(0xE74C3C)
    };

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
        var dataset = new DefaultCategoryDataset();
        for (Map.Entry<String, Map<String, Spread>> series : series(results).entrySet()) {
            series.getValue().forEach((group, ratio) -> dataset.addValue(ratio.median(), series.getKey(), group));
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

    private static JFreeChart chart(DefaultCategoryDataset dataset) {
        var groups = new CategoryAxis();
        groups.setCategoryLabelPositions(CategoryLabelPositions.UP_45);
        var ratio = new LogAxis("operations per second, as a multiple of the raw limit's");
        ratio.setBase(10);
        ratio.setTickUnit(new NumberTickUnit(1));
        ratio.setSmallestValue(1e-4);
        var renderer = new LineAndShapeRenderer(false, true);
        for (int i = 0; i < COLOURS.length; i++) {
            renderer.setSeriesPaint(i, COLOURS[i]);
        }
        renderer.setUseSeriesOffset(true);
        var plot = new CategoryPlot(dataset, groups, ratio, renderer);
        plot.setBackgroundPaint(Color.WHITE);
        plot.setRangeGridlinePaint(Color.LIGHT_GRAY);
        plot.setDomainGridlinesVisible(true);
        plot.setDomainGridlinePaint(Color.LIGHT_GRAY);
        plot.addRangeMarker(new ValueMarker(1, Color.BLACK, new java.awt.BasicStroke(1)));
        var chart = new JFreeChart(
                "Beside the raw limit (medians; 1 is the limit)", new Font(Font.SANS_SERIF, Font.BOLD, 14), plot, true);
        chart.setBackgroundPaint(Color.WHITE);
        return chart;
    }
}
