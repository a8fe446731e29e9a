package dev.idempotency.examples.http;

import dev.idempotency.examples.http.Clients.Client;
import java.util.Arrays;
import java.util.List;

/** Counts how often one call of a client brings its request to the server. */
final class Measurement {
    static final List<String> METHODS = List.of("POST", "PUT");

    private static final int TRIES = 20;
    private static final String BODY = "{\"amount\":1250}";

    private Measurement() {}

    /** The arrivals in each situation. */
    static List<Integer> arrivals(Setting setting, String method) {
        return Arrays.stream(Situation.values())
                .map(situation -> arrivals(setting, method, situation))
                .toList();
    }

    private static int arrivals(Setting setting, String method, Situation situation) {
        for (int tries = 1; tries <= TRIES; tries++) {
            try (var server = new CountingServer(situation, method)) {
                Client client = setting.make();
                if (situation.isOnUsedConnection()) {
                    client.send("POST", server.warmUp(), BODY, "warm-up");
                }
                callOnce(client, method, server);
                // A client may give its connection back a moment after its answer: then it was not the used one.
                if (server.cameOnUsedConnection() == situation.isOnUsedConnection()) {
                    return server.arrivals();
                }
            } catch (Exception e) {
                throw new AssertionError(setting + " cannot reach the server", e);
            }
        }
        throw new AssertionError(setting + " never used a connection again");
    }

    private static void callOnce(Client client, String method, CountingServer server) {
        try {
            client.send(method, server.write(), BODY, "key");
        } catch (Exception e) {
            // The caller hears of the failure; what counts is what has arrived.
        }
    }

    /** Prints one line for each method: for settings of the whole process. */
    public static void main(String[] args) {
        for (String method : METHODS) {
            System.out.println(method + " " + arrivals(Setting.valueOf(args[0]), method));
        }
        System.exit(0);
    }
}
