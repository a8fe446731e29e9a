package dev.idempotency.testkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class TcpProxyTest {
    private final List<String> served = new CopyOnWriteArrayList<>();
    private ServerSocket server;
    private TcpProxy proxy;

    /** A server that answers each line. */
    @BeforeEach
    void start() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(() -> {
            while (true) {
                Socket socket = server.accept();
                daemon(() -> serve(socket));
            }
        });
        proxy = TcpProxy.start(server.getLocalPort());
    }

    private void serve(Socket socket) throws IOException {
        var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        var out = new PrintWriter(socket.getOutputStream(), true, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            served.add(line);
            out.println("re " + line);
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void daemon(Work work) {
        var thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException e) {
                // The end of the server.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @AfterEach
    void stop() throws IOException {
        proxy.close();
        server.close();
    }

    private final class Client implements AutoCloseable {
        final Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        final BufferedReader in =
                new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        final PrintWriter out = new PrintWriter(socket.getOutputStream(), true, StandardCharsets.UTF_8);

        Client() throws IOException {
            socket.setSoTimeout(20_000);
        }

        String ask(String line) throws IOException {
            out.println(line);
            return in.readLine();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    @Test
    void proxy_passing_isNotThere() throws IOException {
        try (var client = new Client()) {
            assertThat(client.ask("a")).isEqualTo("re a");
            assertThat(client.ask("b")).isEqualTo("re b");
            assertThat(proxy.connections().get(0).requests()).isEqualTo(2);
        }
    }

    @Test
    void proxy_cut_resetsOpenAndNewConnectionsUntilItPasses() throws IOException {
        try (var client = new Client()) {
            client.ask("a");
            proxy.cut();
            assertThatThrownBy(client.in::readLine).isInstanceOf(SocketException.class);
            assertThatThrownBy(() -> {
                        try (var next = new Client()) {
                            next.in.readLine();
                        }
                    })
                    .isInstanceOf(SocketException.class);
        }
        proxy.pass();
        try (var client = new Client()) {
            assertThat(client.ask("d")).isEqualTo("re d");
        }
        assertThat(served).containsExactly("a", "d");
    }

    @Test
    void proxy_stalled_keepsConnectionsOpenAndEverythingBack() throws IOException {
        try (var client = new Client()) {
            client.ask("a");
            proxy.stall();
            client.socket.setSoTimeout(200);
            assertThatThrownBy(() -> client.ask("b")).isInstanceOf(SocketTimeoutException.class);
            assertThat(served).containsExactly("a");
            client.socket.setSoTimeout(20_000);
            proxy.pass();
            assertThat(client.in.readLine()).isEqualTo("re b");
        }
    }

    @Test
    void proxy_delayed_holdsEachPieceBack() throws IOException {
        try (var client = new Client()) {
            proxy.delay(Duration.ofMillis(150));
            client.socket.setSoTimeout(100);
            assertThatThrownBy(() -> client.ask("a")).isInstanceOf(SocketTimeoutException.class);
            client.socket.setSoTimeout(20_000);
            assertThat(client.in.readLine()).isEqualTo("re a");
        }
    }

    @Test
    void proxy_cuttingAnAnswer_letsTheServerActAndTheClientWonder() throws IOException {
        proxy.cutAnswer(3);
        try (var first = new Client();
                var second = new Client()) {
            first.ask("a");
            second.ask("b");
            assertThatThrownBy(() -> first.ask("c")).isInstanceOf(SocketException.class);
            assertThat(second.ask("d")).isEqualTo("re d");
        }
        assertThat(served).containsExactly("a", "b", "c", "d");
    }

    @Test
    void connection_toldAlone_leavesTheOthersAlone() throws IOException {
        try (var first = new Client();
                var second = new Client()) {
            first.ask("a");
            second.ask("b");
            proxy.connections().get(0).cutAnswer(1);
            proxy.connections().get(1).stall();
            assertThatThrownBy(() -> first.ask("c")).isInstanceOf(SocketException.class);
            second.socket.setSoTimeout(200);
            assertThatThrownBy(() -> second.ask("d")).isInstanceOf(SocketTimeoutException.class);
            try (var third = new Client()) {
                assertThat(third.ask("e")).isEqualTo("re e");
            }
            second.socket.setSoTimeout(20_000);
            proxy.connections().get(1).pass();
            assertThat(second.in.readLine()).isEqualTo("re d");
            proxy.connections().get(1).cut();
            assertThatThrownBy(second.in::readLine).isInstanceOf(SocketException.class);
        }
    }

    @Test
    void cutAnswer_belowOne_isRefused() {
        assertThatThrownBy(() -> proxy.cutAnswer(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> proxy.delay(Duration.ofMillis(-1))).isInstanceOf(IllegalArgumentException.class);
    }
}
