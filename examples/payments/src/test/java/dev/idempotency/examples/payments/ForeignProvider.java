package dev.idempotency.examples.payments;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;

/** The smallest provider that the example can use: charges and a ledger. Every fifth charge happens without an answer. */
final class ForeignProvider implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();

    private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    private final ObjectNode ledger = JSON.createObjectNode();
    private final boolean listsCharges;
    private int requests;

    ForeignProvider(boolean listsCharges) throws IOException {
        this.listsCharges = listsCharges;
        ledger.putArray("data");
        server.createContext("/charges", this::serve);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private synchronized void serve(HttpExchange exchange) throws IOException {
        if (!exchange.getRequestMethod().equals("POST")) {
            answer(exchange, listsCharges ? 200 : 404, ledger);
            return;
        }
        var charge = (ObjectNode) JSON.readTree(exchange.getRequestBody());
        charge.put("id", "ch_" + requests).put("status", "succeeded").remove("customer");
        ledger.withArray("data").add(charge);
        if (++requests % 5 == 0) {
            exchange.close();
        } else {
            answer(exchange, 201, charge);
        }
    }

    private static void answer(HttpExchange exchange, int status, ObjectNode body) throws IOException {
        byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
