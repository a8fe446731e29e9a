package dev.idempotency.slack;

import java.time.Duration;

/**
 * How long the connections wait for what.
 *
 * @param open from asking for a connection until its handshake is done
 * @param hello from the handshake until Slack says hello
 * @param pingEvery between two pings
 * @param pong from a ping to its answer
 * @param quiet how long nothing arrived on a draining connection before it is closed
 * @param drain how long a connection drains at most
 * @param close from our close frame to Slack's
 * @param stable a connection that ended sooner than this after its hello counts as a failed attempt
 * @param shutdown how long closing the client waits for what was read to be safe and acknowledged
 * @param opensAtOnce how many connections may be asked for at once
 * @param openEvery when those are asked for, one more after each time of this length
 */
record SocketTiming(
        Duration open,
        Duration hello,
        Duration pingEvery,
        Duration pong,
        Duration quiet,
        Duration drain,
        Duration close,
        Duration stable,
        Duration shutdown,
        int opensAtOnce,
        Duration openEvery) {
    static final SocketTiming DEFAULT = new SocketTiming(
            Duration.ofSeconds(15),
            Duration.ofSeconds(20),
            Duration.ofSeconds(10),
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            Duration.ofSeconds(30),
            Duration.ofSeconds(3),
            Duration.ofSeconds(1),
            Duration.ofSeconds(10),
            2 * SocketFleet.LIMIT,
            Duration.ofMinutes(1));

    SocketTiming withPing(Duration every, Duration within) {
        return new SocketTiming(
                open, hello, every, within, quiet, drain, close, stable, shutdown, opensAtOnce, openEvery);
    }

    SocketTiming withOpens(int atOnce, Duration every) {
        return new SocketTiming(open, hello, pingEvery, pong, quiet, drain, close, stable, shutdown, atOnce, every);
    }
}
