package dev.idempotency.examples.http;

import dev.idempotency.examples.http.Clients.Client;
import java.net.http.HttpClient;
import java.util.function.Supplier;
import okhttp3.OkHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;

/** A row of the guide's table: one client with one setting. */
enum Setting {
    JDK("`java.net.http`", "default, as below", true, () -> Clients.Jdk.of(Clients.Jdk.recommended())),
    JDK_REDIRECTS(
            "`java.net.http`",
            "`followRedirects(NORMAL)`",
            false,
            () -> Clients.Jdk.of(HttpClient.newBuilder()
                    .followRedirects(HttpClient.Redirect.NORMAL)
                    .build())),
    /** Measured in a process of its own: the property is read once. */
    JDK_ALL_METHODS(
            "`java.net.http`",
            "`-Djdk.httpclient.enableAllMethodRetry=true`",
            false,
            () -> Clients.Jdk.of(HttpClient.newHttpClient())),
    URL_CONNECTION("`HttpURLConnection`", "default", false, () -> Clients.UrlConnection.of(false)),
    URL_CONNECTION_SET("`HttpURLConnection`", "as below", true, () -> Clients.UrlConnection.of(true)),
    OKHTTP("OkHttp 5", "default", false, () -> Clients.OkHttp.of(new OkHttpClient(), false)),
    OKHTTP_NO_RETRY(
            "OkHttp 5",
            "`retryOnConnectionFailure(false)` alone",
            false,
            () -> Clients.OkHttp.of(
                    new OkHttpClient.Builder().retryOnConnectionFailure(false).build(), false)),
    OKHTTP_SET("OkHttp 5", "as below", true, () -> Clients.OkHttp.of(Clients.OkHttp.recommended(), true)),
    APACHE("Apache HttpClient 5", "default", false, () -> Clients.Apache.of(HttpClients.createDefault())),
    APACHE_SET("Apache HttpClient 5", "as below", true, () -> Clients.Apache.of(Clients.Apache.recommended())),
    REST_CLIENT(
            "Spring `RestClient`",
            "`RestClient.create()`, Apache on the class path",
            false,
            () -> Clients.Spring.of(Clients.Spring.byDefault())),
    REST_CLIENT_URL_CONNECTION(
            "Spring `RestClient`",
            "`SimpleClientHttpRequestFactory`",
            false,
            () -> Clients.Spring.of(Clients.Spring.onUrlConnection())),
    REST_CLIENT_JDK(
            "Spring `RestClient`", "on the JDK, as below", true, () -> Clients.Spring.of(Clients.Spring.onJdk())),
    REST_CLIENT_APACHE(
            "Spring `RestClient`", "on Apache, as below", true, () -> Clients.Spring.of(Clients.Spring.onApache()));

    private final String client;
    private final String text;
    private final boolean recommended;
    private final Supplier<Client> make;

    Setting(String client, String text, boolean recommended, Supplier<Client> make) {
        this.client = client;
        this.text = text;
        this.recommended = recommended;
        this.make = make;
    }

    String client() {
        return client;
    }

    String text() {
        return text;
    }

    boolean isRecommended() {
        return recommended;
    }

    Client make() {
        return make.get();
    }
}
