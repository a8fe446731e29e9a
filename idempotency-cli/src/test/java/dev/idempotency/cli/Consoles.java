package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.store.AuditedStore;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;

/** Consoles of tests, on a free port of the loopback interface. */
final class Consoles {
    static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private Consoles() {}

    static OperationsConsole on(AuditedStore store) {
        return builder(store, Duration.ZERO).start();
    }

    static OperationsConsole.Builder builder(AuditedStore store, Duration quiescence) {
        return OperationsConsole.builder(
                        Admin.builder(store).quiescence(quiescence).build())
                .address(ANY_PORT);
    }
}
