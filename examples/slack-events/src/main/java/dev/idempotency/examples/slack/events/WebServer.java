package dev.idempotency.examples.slack.events;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The JDK's server, as an app that answers Slack wants it. */
final class WebServer implements AutoCloseable {
    private static final int BACKLOG = 1024;

    static {
        // An answer goes out in two packets; without this the second waits for the acknowledgement of the first.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        // Seconds for a request to arrive: nobody holds a thread with half a body.
        System.setProperty("sun.net.httpserver.maxReqTime", "10");
    }

    private final HttpServer server;
    /** As many as there are requests: one that waits for a thread waits before anybody looks at the time. The intake sheds. */
    private final ExecutorService threads = Executors.newCachedThreadPool(work -> {
        var thread = new Thread(work, "web");
        thread.setDaemon(true);
        return thread;
    });

    private WebServer(HttpServer server) {
        this.server = server;
    }

    static WebServer start(int port, HttpHandler handler) throws IOException {
        var started = new WebServer(HttpServer.create(new InetSocketAddress(port), BACKLOG));
        started.server.createContext(AppSettings.PATH, handler);
        started.server.setExecutor(started.threads);
        started.server.start();
        return started;
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** Takes no more requests; those that are here have a second. */
    @Override
    public void close() {
        server.stop(1);
        threads.shutdown();
    }
}
