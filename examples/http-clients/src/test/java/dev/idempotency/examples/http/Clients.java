package dev.idempotency.examples.http;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okio.BufferedSink;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.HttpComponentsClientHttpRequestFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.web.client.RestClient;

/** The clients, as they come and as they should be set. */
final class Clients {
    static final String JSON = "application/json";

    private Clients() {}

    /** One client with one setting. */
    interface Client {
        /** Sends a request and reads its answer; gives the status. */
        int send(String method, URI uri, String body, String nativeKey) throws Exception;
    }

    static final class Jdk {
        private Jdk() {}

        static HttpClient recommended() {
            // tag::jdk[]
            HttpClient http = HttpClient.newBuilder()
                    .connectTimeout(Duration.ofSeconds(2))
                    .followRedirects(HttpClient.Redirect.NEVER) // the default
                    .build();
            // end::jdk[]
            return http;
        }

        static Client of(HttpClient http) {
            return (method, uri, body, nativeKey) -> http.send(
                            HttpRequest.newBuilder(uri)
                                    .header("Content-Type", JSON)
                                    .header("Idempotency-Key", nativeKey)
                                    .method(method, BodyPublishers.ofString(body))
                                    .build(),
                            BodyHandlers.ofString())
                    .statusCode();
        }
    }

    static final class UrlConnection {
        private UrlConnection() {}

        static HttpURLConnection recommended(URI uri, String method, byte[] body) throws IOException {
            // tag::url-connection[]
            var connection = (HttpURLConnection) uri.toURL().openConnection();
            connection.setRequestMethod(method);
            connection.setInstanceFollowRedirects(false);
            connection.setDoOutput(true);
            connection.setFixedLengthStreamingMode(body.length); // a body that is not kept cannot be sent again
            // end::url-connection[]
            return connection;
        }

        static HttpURLConnection byDefault(URI uri, String method) throws IOException {
            var connection = (HttpURLConnection) uri.toURL().openConnection();
            connection.setRequestMethod(method);
            connection.setDoOutput(true);
            return connection;
        }

        static Client of(boolean recommended) {
            return (method, uri, body, nativeKey) -> {
                byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                HttpURLConnection connection = recommended ? recommended(uri, method, bytes) : byDefault(uri, method);
                connection.setRequestProperty("Content-Type", JSON);
                connection.setRequestProperty("Idempotency-Key", nativeKey);
                try (var out = connection.getOutputStream()) {
                    out.write(bytes);
                }
                int status = connection.getResponseCode();
                try (var in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
                    if (in != null) {
                        in.readAllBytes();
                    }
                }
                return status;
            };
        }
    }

    static final class OkHttp {
        private OkHttp() {}

        // tag::okhttp[]
        /** A body that OkHttp is not to send a second time. */
        static final class OneShot extends RequestBody {
            private final RequestBody body;

            OneShot(RequestBody body) {
                this.body = body;
            }

            @Override
            public boolean isOneShot() {
                return true;
            }

            @Override
            public MediaType contentType() {
                return body.contentType();
            }

            @Override
            public long contentLength() throws IOException {
                return body.contentLength();
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
                body.writeTo(sink);
            }
        }

        static OkHttpClient recommended() {
            return new OkHttpClient.Builder()
                    .retryOnConnectionFailure(false)
                    .followRedirects(false)
                    .build();
        }
        // end::okhttp[]

        static Client of(OkHttpClient http, boolean oneShot) {
            return (method, uri, body, nativeKey) -> {
                RequestBody plain = RequestBody.create(body, MediaType.get(JSON));
                var request = new Request.Builder()
                        .url(uri.toString())
                        .header("Idempotency-Key", nativeKey)
                        .method(method, oneShot ? new OneShot(plain) : plain)
                        .build();
                try (var response = http.newCall(request).execute()) {
                    response.body().bytes();
                    return response.code();
                }
            };
        }
    }

    static final class Apache {
        private Apache() {}

        static CloseableHttpClient recommended() {
            // tag::apache[]
            CloseableHttpClient http = HttpClients.custom()
                    .disableAutomaticRetries()
                    .disableRedirectHandling()
                    .build();
            // end::apache[]
            return http;
        }

        static Client of(CloseableHttpClient http) {
            return (method, uri, body, nativeKey) -> {
                var request = new HttpUriRequestBase(method, uri);
                request.setHeader("Content-Type", JSON);
                request.setHeader("Idempotency-Key", nativeKey);
                request.setEntity(new StringEntity(body));
                return http.execute(request, response -> {
                    EntityUtils.consume(response.getEntity());
                    return response.getCode();
                });
            };
        }
    }

    static final class Spring {
        private Spring() {}

        static RestClient onJdk() {
            // tag::rest-client-jdk[]
            var jdk = HttpClient.newBuilder()
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .build();
            RestClient http = RestClient.builder()
                    .requestFactory(new JdkClientHttpRequestFactory(jdk))
                    .build();
            // end::rest-client-jdk[]
            return http;
        }

        static RestClient onApache() {
            // tag::rest-client-apache[]
            var apache = HttpClients.custom()
                    .disableAutomaticRetries()
                    .disableRedirectHandling()
                    .build();
            RestClient http = RestClient.builder()
                    .requestFactory(new HttpComponentsClientHttpRequestFactory(apache))
                    .build();
            // end::rest-client-apache[]
            return http;
        }

        /** Apache HttpClient is on the class path, and Spring takes it. */
        static RestClient byDefault() {
            return RestClient.create();
        }

        static RestClient onUrlConnection() {
            return RestClient.builder()
                    .requestFactory(new SimpleClientHttpRequestFactory())
                    .build();
        }

        static Client of(RestClient http) {
            return (method, uri, body, nativeKey) -> http.method(HttpMethod.valueOf(method))
                    .uri(uri)
                    .header("Content-Type", JSON)
                    .header("Idempotency-Key", nativeKey)
                    .body(body)
                    .exchange((request, response) -> {
                        response.getBody().readAllBytes();
                        return response.getStatusCode().value();
                    });
        }
    }
}
