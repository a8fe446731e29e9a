package com.example.shop;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** The application with its web server on a free port, and a client of it. */
final class RunningShop implements AutoCloseable {
    private final HttpClient http = HttpClient.newHttpClient();
    private final ConfigurableApplicationContext context;
    private final URI uri;

    private RunningShop(ConfigurableApplicationContext context) {
        this.context = context;
        this.uri = URI.create(
                "http://127.0.0.1:" + context.getEnvironment().getRequiredProperty("local.server.port") + "/");
    }

    static RunningShop start(String jdbcUrl, int providerPort) {
        return new RunningShop(new SpringApplicationBuilder(Shop.class)
                .bannerMode(org.springframework.boot.Banner.Mode.OFF)
                .properties(Map.of(
                        "server.port", "0",
                        "logging.level.root", "error",
                        "spring.datasource.url", jdbcUrl,
                        "spring.datasource.hikari.connection-timeout", "1000",
                        "shop.provider-url", "http://127.0.0.1:" + providerPort,
                        "shop.lease", "1s",
                        "shop.wait-for-store", "1s"))
                .run());
    }

    ConfigurableApplicationContext context() {
        return context;
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    HttpResponse<String> post(String path, Order order) {
        return postAsync(path, order).join();
    }

    CompletableFuture<HttpResponse<String>> postAsync(String path, Order order) {
        String body = "{\"orderId\":\"%s\",\"amount\":%d,\"currency\":\"%s\",\"customer\":\"%s\"}"
                .formatted(order.orderId(), order.amount(), order.currency(), order.customer());
        return http.sendAsync(
                HttpRequest.newBuilder(uri.resolve(path))
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    HttpResponse<String> get(String path) {
        try {
            return http.send(HttpRequest.newBuilder(uri.resolve(path)).build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
