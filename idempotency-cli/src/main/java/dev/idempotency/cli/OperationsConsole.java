package dev.idempotency.cli;

import com.sun.net.httpserver.HttpServer;
import dev.idempotency.Admin;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The console for people who decide keys: pages that list unresolved keys, show one with its history and its audit trail, and
 * take decisions, over HTTP. Everything goes through an {@link Admin}. Thread-safe; runs until it is closed.
 *
 * <p>By default it listens on the loopback interface only, for whoever is on this machine; there people type who they are.
 * Anywhere else it does not start without an {@link Authenticator}, whose names then are what the audit trail gets. It speaks
 * plain HTTP: beyond the loopback interface, put a proxy that ends TLS before it, and name that proxy's host with
 * {@link Builder#allowHost}.
 *
 * <p>The pages run no script. A decision is taken only with a token of the session, from a page of this console
 * ({@code Origin}), under a host name that it knows ({@code Host}). The JDK's server bounds slow requests by properties of the
 * process, such as {@code sun.net.httpserver.maxReqTime}: a program that embeds the console sets them itself.
 *
 * @since 0.1.0
 */
public final class OperationsConsole implements AutoCloseable {
    /** As many as connections that the command allows, so that slow ones do not keep the others waiting. */
    private static final int WORKERS = 500;

    private static final int USUAL_PORT = 80;

    private static final Duration GOODBYE = Duration.ofSeconds(2);

    private final HttpServer server;
    private final Gate gate;
    private final ExecutorService workers;
    private final PageLimit pages;
    private final URI uri;

    private OperationsConsole(Builder builder) {
        InetSocketAddress address = builder.address;
        if (!isLoopback(address.getAddress()) && builder.authenticator == null) {
            throw new IllegalStateException("The console does not listen on "
                    + address.getHostString()
                    + " without an authenticator (--token-file on the command line): it listens on the loopback interface, or"
                    + " knows who comes");
        }
        if (address.getAddress() != null && address.getAddress().isAnyLocalAddress() && builder.hosts.isEmpty()) {
            throw new IllegalStateException(
                    "The console listens on all interfaces: name the hosts that it is reached by, with allowHost (--allow-host on"
                            + " the command line)");
        }
        try {
            server = HttpServer.create(address, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "The console cannot listen on " + address.getHostString() + ":" + address.getPort(), e);
        }
        int port = server.getAddress().getPort();
        uri = URI.create("http://" + host(address) + ":" + port + "/");
        var number = new AtomicInteger();
        var threads =
                new ThreadPoolExecutor(WORKERS, WORKERS, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    var thread = new Thread(task, "idempotency-console-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
        workers = threads;
        server.setExecutor(workers);
        pages = new PageLimit(builder.pageLimit);
        gate = new Gate(
                builder.admin, builder.settings(), builder.authenticator, hosts(builder.hosts, address, port), pages);
        server.createContext("/", gate);
        server.start();
    }

    private static boolean isLoopback(@Nullable InetAddress address) {
        return address != null && address.isLoopbackAddress();
    }

    /** What browsers may name in {@code Host}. */
    static Set<String> hosts(Set<String> allowed, InetSocketAddress address, int port) {
        Set<String> names = new TreeSet<>();
        names.add(host(address));
        if (isLoopback(address.getAddress())) {
            names.addAll(Set.of("localhost", "127.0.0.1", "[::1]"));
        }
        Set<String> hosts = new TreeSet<>(allowed);
        names.forEach(name -> hosts.add(name + ":" + port));
        if (port == USUAL_PORT) {
            // Browsers leave it out.
            hosts.addAll(names);
        }
        return hosts;
    }

    private static String host(InetSocketAddress address) {
        String host = address.getHostString();
        return host.contains(":") ? "[" + host + "]" : host.toLowerCase(Locale.ROOT);
    }

    /**
     * Describes a console.
     *
     * @param admin does what people decide
     * @return a builder; not thread-safe
     * @throws NullPointerException if {@code admin} is null
     */
    public static Builder builder(Admin admin) {
        return new Builder(admin);
    }

    /** Describes a console, setting by setting. Not thread-safe. */
    public static final class Builder {
        private final Admin admin;
        private final Set<String> hosts = new TreeSet<>();
        private InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 8080);
        private @Nullable Authenticator authenticator;
        private Duration pageLimit = Duration.ofSeconds(30);
        private ZoneId zone = ZoneId.systemDefault();
        private final Map<String, ProviderUrl> providers = new TreeMap<>();
        private final Map<String, List<String>> shown = new TreeMap<>();

        private Builder(Admin admin) {
            this.admin = Objects.requireNonNull(admin, "admin");
        }

        /**
         * Sets where the console listens. By default port 8080 of the loopback interface.
         *
         * @param address resolved; port 0 for any free one
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is unresolved
         */
        public Builder address(InetSocketAddress address) {
            if (address.isUnresolved()) {
                throw new IllegalArgumentException("address " + address.getHostString() + " is unknown");
            }
            this.address = address;
            return this;
        }

        /**
         * Sets who knows the people. Without one they type their names.
         *
         * @param authenticator asked with each request
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder authenticator(Authenticator authenticator) {
            this.authenticator = Objects.requireNonNull(authenticator, "authenticator");
            return this;
        }

        /**
         * Adds a name that browsers may reach the console by, such as a proxy's. Requests under any other are refused: a page of
         * a stranger could otherwise lead a name of his to this address.
         *
         * @param host as it stands in the browser's address: the host, and its port unless that is the usual one
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not a host, or host and port
         */
        public Builder allowHost(String host) {
            if (!host.matches("([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+])(:\\d{1,5})?")) {
                throw new IllegalArgumentException("host must be a host, or host:port");
            }
            hosts.add(host.toLowerCase(Locale.ROOT));
            return this;
        }

        /**
         * Sets the zone in which pages write times, beside UTC. By default the system's.
         *
         * @param zone of the people who look at the pages
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder zone(ZoneId zone) {
            this.zone = Objects.requireNonNull(zone, "zone");
            return this;
        }

        /**
         * Says where people find the writes of an operation at the provider, so that each key's page leads there. Values are
         * percent-encoded.
         *
         * @param operation the operation's name, without a tenant
         * @param template an address that begins with {@code http://} or {@code https://} and a host, and has
         *     {@code {nativeKey}} or {@code {key}} behind it
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if it is no such address
         * @throws IllegalStateException if the operation has an address already
         */
        public Builder providerUrl(String operation, String template) {
            if (providers.putIfAbsent(Objects.requireNonNull(operation, "operation"), ProviderUrl.of(template))
                    != null) {
                throw new IllegalStateException("the operation " + operation + " has a provider's address already");
            }
            return this;
        }

        /**
         * Says which fields of an operation's kept requests and results people may look at, each time by a click that the log
         * notes with their name. Nothing else of them is then shown. Without it requests are never shown, and results as a
         * whole, when somebody asks for them.
         *
         * @param operation the operation's name, without a tenant
         * @param fields names of fields of the JSON; {@code a.b} is the field b of the object a
         * @return this
         * @throws NullPointerException if an argument is null, or has null in it
         * @throws IllegalArgumentException if there are no fields, or one is blank
         */
        public Builder show(String operation, List<String> fields) {
            if (fields.isEmpty() || fields.stream().anyMatch(String::isBlank)) {
                throw new IllegalArgumentException("fields must have names in it, and no blank one");
            }
            shown.put(Objects.requireNonNull(operation, "operation"), List.copyOf(fields));
            return this;
        }

        private ConsoleSettings settings() {
            return new ConsoleSettings(new Moments(zone), providers, shown);
        }

        /** How long a page may wait for the store. */
        Builder pageLimit(Duration pageLimit) {
            this.pageLimit = pageLimit;
            return this;
        }

        /**
         * Starts the console.
         *
         * @return the console, listening
         * @throws IllegalStateException if it would listen beyond the loopback interface without an authenticator, or on all
         *     interfaces without a host
         * @throws UncheckedIOException if it cannot listen there
         */
        public OperationsConsole start() {
            return new OperationsConsole(this);
        }
    }

    /**
     * Where the console listens.
     *
     * @return its first page
     */
    public URI uri() {
        return uri;
    }

    /** Ends the console. Requests that run are given two seconds. */
    @Override
    public void close() {
        gate.awaitIdle(GOODBYE);
        server.stop(0);
        workers.shutdownNow();
        pages.close();
    }
}
