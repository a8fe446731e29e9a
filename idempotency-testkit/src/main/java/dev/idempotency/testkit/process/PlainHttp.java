package dev.idempotency.testkit.process;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/**
 * HTTP/1.1, one request per connection, with a hook at each boundary within a request. Never repeats a request; starts much
 * faster than the JDK's client.
 */
final class PlainHttp {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final int HALF_A_SECOND = 500;

    /** What happens within an exchange, on the thread that makes it. */
    interface Hooks {
        /** Nothing happens. */
        Hooks NONE = new Hooks() {};

        /** Half of the body is out. */
        default void halfSent() throws IOException {}

        /** The request is out. */
        default void sent() throws IOException {}

        /** The whole answer is here, and nobody has looked at it. */
        default void answered() throws IOException {}
    }

    record Response(int status, String body) {}

    private PlainHttp() {}

    static Response exchange(
            String method, URI uri, Map<String, String> headers, String body, Duration timeout, Hooks hooks)
            throws IOException {
        try (var socket = new Socket()) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout((int) Math.max(HALF_A_SECOND, timeout.toMillis()));
            socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()), (int) CONNECT.toMillis());
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            OutputStream out = socket.getOutputStream();
            out.write(head(method, uri, headers, bytes.length).getBytes(StandardCharsets.US_ASCII));
            int half = bytes.length / 2;
            out.write(bytes, 0, half);
            out.flush();
            hooks.halfSent();
            out.write(bytes, half, bytes.length - half);
            out.flush();
            hooks.sent();
            Response response = read(new BufferedInputStream(socket.getInputStream()));
            hooks.answered();
            return response;
        }
    }

    private static String head(String method, URI uri, Map<String, String> headers, int length) {
        var head = new StringBuilder();
        String path = uri.getRawPath() + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery());
        head.append(method).append(' ').append(path).append(" HTTP/1.1\r\n");
        head.append("Host: ").append(uri.getHost()).append("\r\nConnection: close\r\n");
        head.append("Content-Type: application/json\r\nContent-Length: ")
                .append(length)
                .append("\r\n");
        headers.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        return head.append("\r\n").toString();
    }

    private static Response read(InputStream in) throws IOException {
        String[] status = line(in).split(" ", 3);
        int length = 0;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            String lower = header.toLowerCase(Locale.ROOT);
            if (lower.startsWith("content-length:")) {
                length = Integer.parseInt(
                        lower.substring("content-length:".length()).strip());
            }
        }
        byte[] body = in.readNBytes(length);
        if (status.length < 2 || body.length < length) {
            throw new EOFException("the answer ended before its end");
        }
        return new Response(Integer.parseInt(status[1]), new String(body, StandardCharsets.UTF_8));
    }

    private static String line(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("the answer ended before its end");
            }
            if (b != '\r') {
                line.append((char) b);
            }
        }
        return line.toString();
    }
}
