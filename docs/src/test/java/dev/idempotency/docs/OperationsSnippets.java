package dev.idempotency.docs;

import dev.idempotency.Admin;
import dev.idempotency.cli.OperationsConsole;
import java.net.InetSocketAddress;

/** The snippets of the guide to operations. */
final class OperationsSnippets {
    private OperationsSnippets() {}

    static OperationsConsole console(Admin admin) {
        // tag::console[]
        OperationsConsole console = OperationsConsole.builder(admin)
                .address(new InetSocketAddress("10.0.0.7", 8080))
                .allowHost("ops.example.com")
                .authenticator(header -> header.apply("X-Verified-User")) // null refuses
                .start();
        // end::console[]
        return console;
    }
}
