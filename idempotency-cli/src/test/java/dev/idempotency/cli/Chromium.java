package dev.idempotency.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A headless Chromium that is driven through the WebDriver protocol, with a profile of its own. It is typed on and never
 * clicked. Not thread-safe.
 */
final class Chromium implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern PORT = Pattern.compile("successfully on port (\\d+)");

    static final String TAB = "\uE004";
    static final String ENTER = "\uE007";
    static final String SPACE = " ";
    static final String DOWN = "\uE015";

    private final HttpClient http = HttpClient.newHttpClient();
    private final Process driver;
    private final URI session;
    private final List<String> stops = new ArrayList<>();

    Chromium(Path profile) throws IOException, InterruptedException {
        driver = new ProcessBuilder(System.getProperty("browser.driver"), "--port=0")
                .redirectErrorStream(true)
                .start();
        // Whatever becomes of the test, no driver is left behind.
        Runtime.getRuntime().addShutdownHook(new Thread(driver::destroyForcibly));
        BufferedReader said = driver.inputReader(StandardCharsets.UTF_8);
        String port = null;
        for (String line = said.readLine(); port == null && line != null; line = said.readLine()) {
            Matcher found = PORT.matcher(line);
            port = found.find() ? found.group(1) : null;
            if (port != null) {
                break;
            }
        }
        ObjectNode options = JSON.createObjectNode().put("binary", System.getProperty("browser.binary"));
        ArrayNode args = options.putArray("args");
        List.of(
                        "--headless=new",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-quic",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--disable-dev-shm-usage",
                        "--window-size=1200,900",
                        "--user-data-dir=" + profile)
                .forEach(args::add);
        ObjectNode capabilities = JSON.createObjectNode();
        ObjectNode always = capabilities.putObject("capabilities").putObject("alwaysMatch");
        always.set("goog:chromeOptions", options);
        always.putObject("goog:loggingPrefs").put("browser", "ALL");
        URI base = URI.create("http://127.0.0.1:" + port + "/session");
        session = URI.create(
                base + "/" + send(base, capabilities).get("sessionId").textValue() + "/");
    }

    private JsonNode send(URI uri, JsonNode body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(uri)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build();
        JsonNode value = JSON.readTree(
                        http.send(request, HttpResponse.BodyHandlers.ofString()).body())
                .get("value");
        if (value.has("error")) {
            throw new AssertionError(value.toString());
        }
        return value;
    }

    private JsonNode post(String command, JsonNode body) {
        try {
            return send(session.resolve(command), body);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    void open(String url) {
        post("url", JSON.createObjectNode().put("url", url));
    }

    /** What a script in the page says; scripts of the driver are not those of the page. */
    String ask(String script) {
        ObjectNode body = JSON.createObjectNode().put("script", "return String(" + script + ")");
        body.putArray("args");
        return post("execute/sync", body).textValue();
    }

    String text() {
        return ask("document.body.innerText");
    }

    /** Waits until the page is there and this is so. */
    void await(String condition) {
        long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!ask("document.readyState === 'complete' && (" + condition + ")").equals("true")) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not so in time: " + condition + "; the page says " + text());
            }
        }
    }

    /** Waits until the page says this. */
    void awaitText(String text) {
        await("document.body.innerText.includes('" + text + "')");
    }

    /** Presses keys one after the other. */
    void type(String keys) {
        ObjectNode body = JSON.createObjectNode();
        ObjectNode keyboard =
                body.putArray("actions").addObject().put("type", "key").put("id", "keyboard");
        ArrayNode actions = keyboard.putArray("actions");
        keys.codePoints().mapToObj(Character::toString).forEach(key -> {
            actions.addObject().put("type", "keyDown").put("value", key);
            actions.addObject().put("type", "keyUp").put("value", key);
        });
        post("actions", body);
    }

    /** Goes on with the tabulator until this has the focus; notes whether each stop on the way can be seen. */
    void tabTo(String selector) {
        for (int i = 0; i < 80; i++) {
            type(TAB);
            stops.add(ask("document.activeElement.tagName + ' ' + document.activeElement.id + ' '"
                    + " + getComputedStyle(document.activeElement).outlineStyle + ' '"
                    + " + getComputedStyle(document.activeElement).outlineWidth"));
            if (ask("document.activeElement.matches(\"" + selector + "\")").equals("true")) {
                return;
            }
        }
        throw new AssertionError("the tabulator does not come to " + selector + ": " + stops);
    }

    /** Every element that had the focus so far, with its outline. */
    List<String> stops() {
        return List.copyOf(stops);
    }

    void look(String scheme, int width, int height) {
        ObjectNode media = JSON.createObjectNode().put("cmd", "Emulation.setEmulatedMedia");
        media.putObject("params")
                .putArray("features")
                .addObject()
                .put("name", "prefers-color-scheme")
                .put("value", scheme);
        post("goog/cdp/execute", media);
        ObjectNode size = JSON.createObjectNode().put("cmd", "Emulation.setDeviceMetricsOverride");
        size.putObject("params")
                .put("width", width)
                .put("height", height)
                .put("deviceScaleFactor", 1)
                .put("mobile", false);
        post("goog/cdp/execute", size);
    }

    /** The whole page. */
    void screenshot(Path file) {
        ObjectNode body = JSON.createObjectNode().put("cmd", "Page.captureScreenshot");
        body.putObject("params").put("format", "png").put("captureBeyondViewport", true);
        try {
            Files.createDirectories(file.getParent());
            Files.write(
                    file,
                    Base64.getDecoder()
                            .decode(post("goog/cdp/execute", body).get("data").textValue()));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** What the browser complains about, such as a style that the policy forbids. */
    List<String> complaints() {
        var complaints = new ArrayList<String>();
        for (JsonNode line : post("se/log", JSON.createObjectNode().put("type", "browser"))) {
            complaints.add(
                    line.get("level").textValue() + " " + line.get("message").textValue());
        }
        return complaints;
    }

    @Override
    public void close() {
        try {
            http.send(
                    HttpRequest.newBuilder(URI.create(session.toString().replaceFirst("/$", "")))
                            .DELETE()
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            // The driver ends below.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            driver.descendants().forEach(ProcessHandle::destroyForcibly);
            driver.destroyForcibly();
            driver.onExit().join();
        }
    }
}
