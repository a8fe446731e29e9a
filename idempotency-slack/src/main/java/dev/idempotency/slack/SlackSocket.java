package dev.idempotency.slack;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One WebSocket: joins the parts of a message, and sends one text after the other, as {@link WebSocket} wants it. It reads on
 * whatever becomes of what it has read. Thread-safe.
 */
final class SlackSocket implements WebSocket.Listener {
    /** Larger than anything of Slack's. In characters. */
    static final int LONGEST_MESSAGE = 1 << 21;

    /** Hears what happens to a socket, one call after the other, on a thread of the HTTP client. Must not block. */
    interface Reader {
        void opened(int id);

        void text(int id, String message);

        void unreadable(int id, String why);

        void pong(int id);

        void ended(int id, String why);
    }

    private record Outgoing(String text, CompletableFuture<Void> sent) {}

    final int id;
    private final Reader reader;
    private final StringBuilder message = new StringBuilder();
    private boolean tooLong;

    private final Deque<Outgoing> outgoing = new ArrayDeque<>();
    private @Nullable WebSocket webSocket;
    private boolean sending;
    private boolean outputClosed;
    private boolean ended;

    SlackSocket(int id, Reader reader) {
        this.id = id;
        this.reader = reader;
    }

    /** Begins the handshake. Its failure is told to the reader. */
    void open(HttpClient http, URI uri, Duration timeout) {
        synchronized (outgoing) {
            if (ended) {
                return;
            }
        }
        var unused = http.newWebSocketBuilder()
                .connectTimeout(timeout)
                .buildAsync(uri, this)
                .whenComplete((socket, failure) -> {
                    if (failure != null) {
                        end(ConnectionsOpen.name(failure));
                    }
                });
    }

    @Override
    public void onOpen(WebSocket socket) {
        boolean isWanted;
        synchronized (outgoing) {
            webSocket = socket;
            isWanted = !ended;
        }
        if (isWanted) {
            reader.opened(id);
            socket.request(1);
        } else {
            socket.abort();
        }
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
        if (message.length() + part.length() > LONGEST_MESSAGE) {
            tooLong = true;
            message.setLength(0);
        }
        if (!tooLong) {
            message.append(part);
        }
        if (last) {
            if (tooLong) {
                reader.unreadable(id, "too long");
            } else {
                reader.text(id, message.toString());
            }
            tooLong = false;
            message.setLength(0);
        }
        socket.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onBinary(WebSocket socket, ByteBuffer part, boolean last) {
        if (last) {
            reader.unreadable(id, "binary");
        }
        socket.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onPong(WebSocket socket, ByteBuffer content) {
        reader.pong(id);
        socket.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
        end("close " + code);
        return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable failure) {
        end(ConnectionsOpen.name(failure));
    }

    /** Sends a text after all that are to be sent already. */
    CompletableFuture<Void> send(String text) {
        var next = new Outgoing(text, new CompletableFuture<>());
        synchronized (outgoing) {
            if (webSocket == null || outputClosed || ended) {
                next.sent.completeExceptionally(new IOException("the connection is closed"));
                return next.sent;
            }
            outgoing.add(next);
            if (sending) {
                return next.sent;
            }
            sending = true;
        }
        sendNext();
        return next.sent;
    }

    private void sendNext() {
        while (true) {
            CompletableFuture<WebSocket> sent;
            Outgoing next;
            synchronized (outgoing) {
                next = outgoing.peek();
                if (next == null || webSocket == null) {
                    sending = false;
                    return;
                }
                sent = webSocket.sendText(next.text, true);
            }
            if (!sent.isDone()) {
                var unused = sent.whenComplete((socket, failure) -> {
                    finish(next, failure);
                    sendNext();
                });
                return;
            }
            finish(next, sent.isCompletedExceptionally() ? new IOException("not sent") : null);
        }
    }

    private void finish(Outgoing one, @Nullable Throwable failure) {
        synchronized (outgoing) {
            outgoing.remove(one);
        }
        if (failure == null) {
            one.sent.complete(null);
        } else {
            one.sent.completeExceptionally(failure);
        }
    }

    void ping() {
        WebSocket socket = current();
        if (socket != null) {
            // The JDK does not always tell the listener that the connection has ended; then this does, or a missing
            // pong.
            var unused = socket.sendPing(ByteBuffer.allocate(0)).exceptionally(failure -> {
                if (failure instanceof IOException) {
                    socket.abort();
                    end("no ping");
                }
                return null;
            });
        }
    }

    /** Sends a close frame behind what was sent; goes on reading until the other side has sent its own. */
    void close() {
        WebSocket socket;
        synchronized (outgoing) {
            outputClosed = true;
            socket = webSocket;
        }
        if (socket == null) {
            end("closed");
            return;
        }
        var unused = socket.sendClose(WebSocket.NORMAL_CLOSURE, "").exceptionally(failure -> {
            socket.abort();
            end(ConnectionsOpen.name(failure));
            return null;
        });
    }

    /** Gives the socket up. */
    void abort() {
        WebSocket socket = current();
        if (socket != null) {
            socket.abort();
        }
        end("aborted");
    }

    private @Nullable WebSocket current() {
        synchronized (outgoing) {
            return webSocket;
        }
    }

    private void end(String why) {
        List<Outgoing> unsent;
        synchronized (outgoing) {
            if (ended) {
                return;
            }
            ended = true;
            unsent = new ArrayList<>(outgoing);
            outgoing.clear();
        }
        unsent.forEach(one -> one.sent.completeExceptionally(new IOException("the connection has ended")));
        reader.ended(id, why);
    }
}
