package dev.idempotency.slack.testkit;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import org.java_websocket.WebSocket;
import org.java_websocket.WebSocketImpl;

/** One connection of Socket Mode, as Slack has it. Guarded by the server's lock, but for what is final or volatile. */
final class SocketConnection {
    final WebSocket socket;
    final int number;

    /** Neither pings nor envelopes are answered: the other side is not told. */
    volatile boolean isDead;

    /** Its end was announced. */
    boolean isLeaving;

    /** Hello was said, it is open and not dead. */
    boolean serves;

    /** Slack delivers to it: until it is closed. */
    volatile boolean takes;

    SocketConnection(WebSocket socket, int number) {
        this.socket = socket;
        this.number = number;
    }

    void send(String text) {
        try {
            if (socket.isOpen()) {
                socket.send(text);
            }
        } catch (RuntimeException e) {
            // It has just gone: nobody acknowledges, and it is sent again.
        }
    }

    /** Ends without a close frame. Closing the channel would end it at the server's next select. */
    void cut() {
        try {
            ((SocketChannel) ((WebSocketImpl) socket).getChannel()).shutdownOutput();
        } catch (IOException e) {
            // Gone already.
        }
        socket.closeConnection(1006, "");
    }
}
