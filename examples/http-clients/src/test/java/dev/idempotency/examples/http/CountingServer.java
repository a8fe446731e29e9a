package dev.idempotency.examples.http;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A server on plain sockets that counts how often a request for a write comes in as a whole, at whatever address. Thread-safe. */
final class CountingServer implements AutoCloseable {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private final Situation situation;
    private final String method;
    private final ServerSocket listening;
    private final List<Socket> connections = new ArrayList<>();
    private int arrivals;
    private boolean onUsedConnection;

    CountingServer(Situation situation, String method) throws IOException {
        this.situation = situation;
        this.method = method;
        listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    private static void start(Runnable work) {
        var thread = new Thread(work, "counting-server");
        thread.setDaemon(true);
        thread.start();
    }

    /** Where nothing is written; answered with 200. */
    URI warmUp() {
        return uri("/warm-up");
    }

    /** Where the write is asked for. */
    URI write() {
        return uri("/write");
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + listening.getLocalPort() + path);
    }

    /** How often the request for the write has come in. */
    synchronized int arrivals() {
        return arrivals;
    }

    /** Whether the first of them came over a connection that had been used before. */
    synchronized boolean cameOnUsedConnection() {
        return onUsedConnection;
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket connection = listening.accept();
                synchronized (this) {
                    connections.add(connection);
                }
                start(() -> serve(connection));
            } catch (IOException e) {
                // Closed: the measurement is over.
            }
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            var in = new BufferedInputStream(connection.getInputStream());
            for (boolean used = false; ; used = true) {
                String request = readRequest(in);
                boolean isWrite = request.startsWith(method) && !request.endsWith("/warm-up");
                String answer = isWrite && isFirst(used) ? situation.answer() : OK;
                if (answer.isEmpty()) {
                    // no time to linger: the connection is reset
                    connection.setSoLinger(situation == Situation.RESET_USED, 0);
                    return;
                }
                connection.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
            }
        } catch (IOException e) {
            // The client has closed its connection.
        }
    }

    private synchronized boolean isFirst(boolean used) {
        if (++arrivals > 1) {
            return false;
        }
        onUsedConnection = used;
        return true;
    }

    /** Reads a request to its end and returns its method and path. */
    private static String readRequest(InputStream in) throws IOException {
        String request = line(in).replaceFirst(" HTTP/.*", "");
        long length = 0;
        boolean chunked = false;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            String lower = header.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length:")) {
                length = Long.parseLong(
                        lower.substring("content-length:".length()).strip());
            }
            chunked |= lower.startsWith("transfer-encoding:") && lower.contains("chunked");
        }
        if (chunked) {
            int size;
            do {
                size = Integer.parseInt(line(in), 16);
                in.skipNBytes(size);
                line(in);
            } while (size > 0);
        } else {
            in.skipNBytes(length);
        }
        return request;
    }

    private static String line(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException();
            }
            line.append((char) next);
        }
        return line.toString().strip();
    }

    @Override
    public synchronized void close() throws IOException {
        listening.close();
        for (Socket connection : connections) {
            connection.close();
        }
    }
}
