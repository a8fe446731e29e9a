package dev.idempotency.testkit.process;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The network between clients and a server, which can fail: a proxy on the loopback interface. What it is told holds for all
 * connections, open and future ones; what a {@link Connection} is told holds for that one. Thread-safe.
 *
 * <p>A request is what a client sends until the server has answered: right for every protocol that waits for each answer.
 *
 * @since 0.1.0
 */
public final class TcpProxy implements AutoCloseable {
    private enum Mode {
        PASS,
        STALL,
        CUT
    }

    private final ServerSocket listening;
    private final InetSocketAddress server;
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private Mode mode = Mode.PASS;
    private Duration delay = Duration.ZERO;
    private int requests;
    private int answerToCut;

    private TcpProxy(InetSocketAddress server) throws IOException {
        this.server = server;
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    /**
     * Starts a proxy in front of a server on this machine.
     *
     * @param port the server's port
     * @return a proxy that passes everything
     * @throws UncheckedIOException if no port can be bound
     */
    public static TcpProxy start(int port) {
        return start(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    /**
     * Starts a proxy in front of a server.
     *
     * @param server the server's address
     * @return a proxy that passes everything
     * @throws UncheckedIOException if no port can be bound
     */
    public static TcpProxy start(InetSocketAddress server) {
        try {
            var proxy = new TcpProxy(Objects.requireNonNull(server, "server"));
            daemon(proxy::accept);
            return proxy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Where clients connect.
     *
     * @return a port of the loopback interface
     */
    public int port() {
        return listening.getLocalPort();
    }

    /** Passes everything again, what was stalled included. */
    public void pass() {
        set(Mode.PASS);
    }

    /** Keeps everything back: connections stay open, and nothing comes out of them, as when a cable is pulled. */
    public void stall() {
        set(Mode.STALL);
    }

    /** Resets all connections, and new ones as soon as they come, until {@link #pass}. */
    public void cut() {
        set(Mode.CUT);
        connections.forEach(Connection::reset);
    }

    private synchronized void set(Mode next) {
        mode = next;
        notifyAll();
    }

    /**
     * Holds each piece of data back for some time, in both directions.
     *
     * @param time how long; zero for not at all
     * @throws IllegalArgumentException if it is negative
     */
    public synchronized void delay(Duration time) {
        if (time.isNegative()) {
            throw new IllegalArgumentException("time must not be negative: " + time);
        }
        delay = time;
    }

    /**
     * Lets a request through to the server, and resets its connection instead of passing the answer. Once.
     *
     * @param request which request from now on, over all connections in the order they are sent; from 1
     * @throws IllegalArgumentException if it is below 1
     */
    public synchronized void cutAnswer(int request) {
        answerToCut = requests + atLeastOne(request);
    }

    private static int atLeastOne(int request) {
        if (request < 1) {
            throw new IllegalArgumentException("request is " + request + "; it must be at least 1");
        }
        return request;
    }

    /**
     * The connections so far.
     *
     * @return in the order they came, closed ones included; a snapshot that cannot be changed
     */
    public List<Connection> connections() {
        return List.copyOf(connections);
    }

    /** Resets all connections and stops listening. */
    @Override
    public void close() {
        cut();
        try {
            listening.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                client.setTcpNoDelay(true);
                connect(client);
            } catch (IOException e) {
                // The proxy was closed, or the server cannot be reached: the client's connection has been reset.
            }
        }
    }

    private void connect(Socket client) throws IOException {
        var upstream = new Socket();
        var connection = new Connection(client, upstream);
        connections.add(connection);
        synchronized (this) {
            if (mode == Mode.CUT) {
                connection.reset();
                return;
            }
        }
        try {
            upstream.connect(server);
            upstream.setTcpNoDelay(true);
        } catch (IOException e) {
            connection.reset();
            throw e;
        }
        daemon(() -> connection.pump(client, upstream, true));
        daemon(() -> connection.pump(upstream, client, false));
    }

    private static void daemon(Runnable work) {
        var thread = new Thread(work, "tcp-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    /** One client's connection through the proxy. Thread-safe. */
    public final class Connection {
        private final Socket client;
        private final Socket upstream;
        private @Nullable Mode own;
        private boolean answered = true;
        private int sent;
        private int ownAnswerToCut;
        private boolean cutsNextAnswer;

        private Connection(Socket client, Socket upstream) {
            this.client = client;
            this.upstream = upstream;
        }

        /**
         * How many requests the client has sent.
         *
         * @return the number of requests of which the proxy has seen at least a part
         */
        public int requests() {
            synchronized (TcpProxy.this) {
                return sent;
            }
        }

        /** Does with this connection as the proxy does with all, from now on. */
        public void pass() {
            set(null);
        }

        /** Keeps everything of this connection back. */
        public void stall() {
            set(Mode.STALL);
        }

        /** Resets this connection. */
        public void cut() {
            set(Mode.CUT);
            reset();
        }

        /**
         * As {@link TcpProxy#cutAnswer}, for this connection.
         *
         * @param request which request of this connection from now on; from 1
         * @throws IllegalArgumentException if it is below 1
         */
        public void cutAnswer(int request) {
            synchronized (TcpProxy.this) {
                ownAnswerToCut = sent + atLeastOne(request);
            }
        }

        private void set(@Nullable Mode next) {
            synchronized (TcpProxy.this) {
                own = next;
                TcpProxy.this.notifyAll();
            }
        }

        /** An abortive close: the other side sees a reset, not an end. */
        private void reset() {
            for (Socket socket : List.of(client, upstream)) {
                try {
                    socket.setSoLinger(true, 0);
                    socket.close();
                } catch (IOException e) {
                    // Closed already.
                }
            }
        }

        private void pump(Socket from, Socket to, boolean fromClient) {
            var buffer = new byte[16 * 1024];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                    if (!mayPass(fromClient)) {
                        reset();
                        return;
                    }
                    out.write(buffer, 0, length);
                    out.flush();
                }
                to.shutdownOutput();
            } catch (IOException | InterruptedException e) {
                reset();
            }
        }

        /** Counts, waits as long as it must, and tells whether the data goes on. */
        private boolean mayPass(boolean fromClient) throws InterruptedException {
            synchronized (TcpProxy.this) {
                if (fromClient && answered) {
                    answered = false;
                    sent++;
                    requests++;
                    cutsNextAnswer |= sent == ownAnswerToCut || requests == answerToCut;
                } else if (!fromClient) {
                    if (cutsNextAnswer) {
                        return false;
                    }
                    answered = true;
                }
                long until = System.nanoTime() + delay.toNanos();
                for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
                    TimeUnit.NANOSECONDS.timedWait(TcpProxy.this, left);
                }
                while (current() == Mode.STALL) {
                    TcpProxy.this.wait();
                }
                return current() == Mode.PASS;
            }
        }

        private Mode current() {
            return own == null ? mode : own;
        }
    }
}
