package dev.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.idempotency.Admin;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.store.AuditedStore;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store that says nothing, clients that take their time, people who guess: the console goes on for all others. */
final class ConsoleUnderPressureTest {
    private final CaffeineIdempotencyStore real = CaffeineIdempotencyStore.create();

    @TempDir
    private Path directory;

    /** The same store, which answers nothing until it is let. */
    private AuditedStore silent(CountDownLatch back) {
        return (AuditedStore) Proxy.newProxyInstance(
                AuditedStore.class.getClassLoader(), new Class<?>[] {AuditedStore.class}, (proxy, method, args) -> {
                    boolean interrupted = false;
                    while (back.getCount() > 0) {
                        try {
                            back.await();
                        } catch (InterruptedException e) {
                            // As a read of a socket, which hears no interrupt.
                            interrupted = true;
                        }
                    }
                    if (interrupted) {
                        Thread.currentThread().interrupt();
                    }
                    try {
                        return method.invoke(real, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Test
    void pages_storeNeverAnswers_endInTime_andAreThereAgainWhenItIsBack() {
        var back = new CountDownLatch(1);
        var admin = Admin.on(silent(back));
        try (var console = OperationsConsole.builder(admin)
                .address(Consoles.ANY_PORT)
                .pageLimit(Duration.ofMillis(200))
                .start()) {
            var pages = IntStream.range(0, 30)
                    .mapToObj(i -> CompletableFuture.supplyAsync(() -> new Visitor(console.uri()).open("")))
                    .toList();

            assertThat(pages)
                    .allSatisfy(page -> assertThat(page.join().status()).isEqualTo(504));
            assertThat(pages.get(0).join().document().text()).contains("has not answered in time");
            assertThat(new Visitor(console.uri()).open("console.css").status()).isEqualTo(200);

            back.countDown();

            assertThat(new Visitor(console.uri()).open("").status()).isEqualTo(200);
        } finally {
            back.countDown();
        }
    }

    @Test
    void connections_thatSendNoWholeRequest_doNotKeepOthersWaiting() throws IOException {
        var slow = new ArrayList<Socket>();
        try (var console = Consoles.on(real)) {
            for (int i = 0; i < 60; i++) {
                var socket = new Socket(
                        InetAddress.getLoopbackAddress(), console.uri().getPort());
                socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x".getBytes(StandardCharsets.US_ASCII));
                slow.add(socket);
            }

            assertThat(new Visitor(console.uri()).open("").status()).isEqualTo(200);
            assertThat(new Visitor(console.uri()).open("console.css").status()).isEqualTo(200);
        } finally {
            for (var socket : slow) {
                socket.close();
            }
        }
    }

    /** The address that the console prints for port 80 is the one at which it is reached. */
    @Test
    void hosts_onPort80_areKnownAsBrowsersNameThem() {
        var loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 80);

        assertThat(OperationsConsole.hosts(Set.of(), loopback, 80))
                .contains("localhost", "127.0.0.1", "[::1]", "localhost:80", "127.0.0.1:80", "[::1]:80");
        assertThat(OperationsConsole.hosts(Set.of("ops.example.com"), loopback, 8080))
                .contains("ops.example.com", "localhost:8080")
                .doesNotContain("localhost", "localhost:80");
    }

    @Test
    void cursors_thatNoPageHasWritten_areRefused() {
        var last = Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString((Long.MAX_VALUE + "\ncharge-card\nORD-1").getBytes(StandardCharsets.UTF_8));
        for (var place : List.of(Servers.redis(), Servers.postgres())) {
            try (var console = Consoles.on(place.store())) {
                assertThat(new Visitor(console.uri()).open("?after=" + last).status())
                        .isIn(200, 400);
            }
            assertThat(new Operator(place).run("list", "--after", last).code()).isEqualTo(ExitCode.USAGE.code());
            assertThat(new Operator(place).run("audit", "--before", last).code())
                    .isEqualTo(ExitCode.USAGE.code());
        }
    }

    private Path people(String secret) throws IOException {
        return Files.writeString(directory.resolve("people.txt"), "ada:" + secret + "\n");
    }

    @Test
    void secrets_thatAreEasilyGuessed_areRefused() throws IOException {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Authenticator.tokenFile(people("aaaaaaaaaaaaaaaa")))
                .withMessageContaining("line 1")
                .withMessageContaining("easily guessed");
        Authenticator.tokenFile(people("k8Zp-2LwQ_9vRt5x"));
    }

    @Test
    void tokenFile_thatEveryUserOfTheMachineMayWrite_isRefused() throws IOException {
        var file = people("k8Zp-2LwQ_9vRt5x");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Authenticator.tokenFile(file))
                .withMessageContaining("chmod 600");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Authenticator.tokenFile(file);
    }

    /** Some are told that they are wrong, later; the rest are not looked at. */
    @Test
    void secrets_thatAreGuessedAllAtOnce_areNotAllLookedAt() throws IOException {
        try (var console = Consoles.builder(real, Duration.ZERO)
                .authenticator(Authenticator.tokenFile(people("k8Zp-2LwQ_9vRt5x")))
                .start()) {
            var guesses = IntStream.range(0, 40)
                    .mapToObj(i -> CompletableFuture.supplyAsync(() -> new Visitor(console.uri(), "Bearer guess-" + i)
                            .open("")
                            .status()))
                    .toList();

            assertThat(guesses).allSatisfy(guess -> assertThat(guess.join()).isIn(401, 429));
            assertThat(guesses.stream().map(CompletableFuture::join)).contains(401);
            assertThat(new Visitor(console.uri(), "Bearer k8Zp-2LwQ_9vRt5x")
                            .open("")
                            .status())
                    .isEqualTo(200);
        }
    }
}
