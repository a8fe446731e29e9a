package dev.idempotency.slack.servlet;

import dev.idempotency.slack.AdapterContract;
import dev.idempotency.slack.EventsEndpoint;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.io.TempDir;

/** In a real container. */
final class EventsServletTest extends AdapterContract {
    /** Held, so that its level stays. */
    private static final Logger TOMCAT = Logger.getLogger("org.apache");

    private final Tomcat tomcat = new Tomcat();

    @TempDir
    private Path directory;

    @Override
    protected int start(EventsEndpoint endpoint) throws LifecycleException {
        TOMCAT.setLevel(Level.SEVERE);
        tomcat.setBaseDir(directory.toString());
        tomcat.setPort(0);
        tomcat.getConnector()
                .setProperty("address", InetAddress.getLoopbackAddress().getHostAddress());
        Context context = tomcat.addContext("", directory.toString());
        Tomcat.addServlet(context, "events", new EventsServlet(endpoint));
        context.addServletMappingDecoded("/slack/events", "events");
        tomcat.start();
        return tomcat.getConnector().getLocalPort();
    }

    @Override
    protected void stop() throws LifecycleException {
        tomcat.stop();
        tomcat.destroy();
    }
}
