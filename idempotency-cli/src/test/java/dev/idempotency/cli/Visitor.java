package dev.idempotency.cli;

import java.io.IOException;
import java.net.CookieManager;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.FormElement;
import org.jspecify.annotations.Nullable;

/** Somebody with a browser: keeps cookies, follows links and sends forms as they stand. Not thread-safe. */
final class Visitor {
    private final URI console;
    private final @Nullable String authorization;
    private final HttpClient client = HttpClient.newBuilder()
            .cookieHandler(new CookieManager())
            .followRedirects(HttpClient.Redirect.ALWAYS)
            .build();

    /** What came back. */
    record Page(int status, Document document, HttpResponse<String> response) {
        FormElement form(String action) {
            return (FormElement) document.selectFirst("form[action=" + action + "]");
        }
    }

    Visitor(URI console) {
        this(console, null);
    }

    Visitor(URI console, @Nullable String authorization) {
        this.console = console;
        this.authorization = authorization;
    }

    static String basic(String name, String secret) {
        return "Basic " + Base64.getEncoder().encodeToString((name + ":" + secret).getBytes(StandardCharsets.UTF_8));
    }

    Page open(String path) {
        return send(request(path).GET().build());
    }

    Page key(String scope, String key) {
        return open("key?" + encode(Map.of("scope", scope, "key", key)));
    }

    /** Sends the form of the key's page with these fields filled in besides what it has. */
    Page submit(FormElement form, Map<String, String> typed) {
        return submit("act", form, typed);
    }

    /** Sends a form to this path. */
    Page submit(String path, FormElement form, Map<String, String> typed) {
        var fields = new LinkedHashMap<String, String>();
        form.formData().forEach(field -> fields.put(field.key(), field.value()));
        fields.putAll(typed);
        return post(path, fields);
    }

    Page post(Map<String, String> fields) {
        return post("act", fields);
    }

    private Page post(String path, Map<String, String> fields) {
        String origin = console.toString().substring(0, console.toString().length() - 1);
        return send(request(path)
                .header("Origin", origin)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(encode(fields)))
                .build());
    }

    static String encode(Map<String, String> fields) {
        return fields.entrySet().stream()
                .map(field -> URLEncoder.encode(field.getKey(), StandardCharsets.UTF_8) + "="
                        + URLEncoder.encode(field.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
    }

    private HttpRequest.Builder request(String path) {
        var request = HttpRequest.newBuilder(console.resolve(path));
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        return request;
    }

    private Page send(HttpRequest request) {
        try {
            var response = client.send(request, HttpResponse.BodyHandlers.ofString());
            return new Page(response.statusCode(), Jsoup.parse(response.body(), console.toString()), response);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }
}
