package dev.idempotency.slack;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Behind the JDK's own server. */
final class HttpHandlerTest extends AdapterContract {
    private final ExecutorService threads = Executors.newFixedThreadPool(8);
    private HttpServer server;

    @Override
    protected int start(EventsEndpoint endpoint) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/slack/events", endpoint.httpHandler());
        server.start();
        return server.getAddress().getPort();
    }

    @Override
    protected void stop() {
        server.stop(0);
        threads.shutdownNow();
    }
}
