package dev.idempotency.slack.testkit;

import java.util.Locale;

/**
 * How Slack treats the connections of Socket Mode. Times in milliseconds, rates from 0 to 1.
 *
 * @param recycle how long a connection lives on average; 0 for ever
 * @param lead how long after its frame a connection is closed
 * @param open how late apps.connections.open answers at most
 * @param handshake how late the handshake is done at most
 * @param hello how late hello is said at most
 * @param sudden how many connections end without a word, or go on without ever answering, instead of being recycled. Only while
 *     another one serves, unless {@code alone}
 * @param alone whether the last connection may go without a word, too
 * @param refuse how much of the time apps.connections.open refuses
 * @param copies how many envelopes come twice
 * @param seed the same seed gives the same choices, in the order in which connections come
 */
record SocketSettings(
        int recycle,
        int lead,
        int open,
        int handshake,
        int hello,
        double sudden,
        boolean alone,
        double refuse,
        double copies,
        long seed) {
    /**
     * Slack at its worst: connections live for four seconds, everything is late, and one connection in four dies.
     *
     * @return the settings
     */
    static SocketSettings rough() {
        return new SocketSettings(4_000, 5_000, 300, 700, 700, 0.25, false, 0.15, 0.03, 1);
    }

    /**
     * Reads settings.
     *
     * @param spec such as {@code recycle=3000,sudden=0}: what it does not name is as in {@link #rough}
     * @return the settings
     * @throws IllegalArgumentException if it cannot be understood
     */
    static SocketSettings parse(String spec) {
        SocketSettings all = rough();
        for (String part : spec.isBlank() ? new String[0] : spec.split(",", -1)) {
            String[] pair = part.strip().split("=", 2);
            String value = pair.length == 2 ? pair[1] : "";
            all = switch (pair[0].toLowerCase(Locale.ROOT)) {
                case "recycle" -> all.with(number(value), all.lead, all.sudden, all.alone, all.refuse, all.seed);
                case "lead" -> all.with(all.recycle, number(value), all.sudden, all.alone, all.refuse, all.seed);
                case "sudden" -> all.with(all.recycle, all.lead, rate(value), all.alone, all.refuse, all.seed);
                case "alone" -> all.with(all.recycle, all.lead, all.sudden, value.equals("true"), all.refuse, all.seed);
                case "refuse" -> all.with(all.recycle, all.lead, all.sudden, all.alone, rate(value), all.seed);
                case "copies" ->
                    new SocketSettings(
                            all.recycle,
                            all.lead,
                            all.open,
                            all.handshake,
                            all.hello,
                            all.sudden,
                            all.alone,
                            all.refuse,
                            rate(value),
                            all.seed);
                case "seed" ->
                    all.with(all.recycle, all.lead, all.sudden, all.alone, all.refuse, Long.parseLong(value));
                case "late" ->
                    new SocketSettings(
                            all.recycle,
                            all.lead,
                            number(value),
                            number(value),
                            number(value),
                            all.sudden,
                            all.alone,
                            all.refuse,
                            all.copies,
                            all.seed);
                default -> throw new IllegalArgumentException("'" + part + "' is not known");
            };
        }
        return all;
    }

    private SocketSettings with(
            int newRecycle, int newLead, double newSudden, boolean newAlone, double newRefuse, long newSeed) {
        return new SocketSettings(
                newRecycle, newLead, open, handshake, hello, newSudden, newAlone, newRefuse, copies, newSeed);
    }

    private static int number(String value) {
        return Integer.parseInt(value);
    }

    private static double rate(String value) {
        double rate = Double.parseDouble(value);
        if (!(rate >= 0 && rate <= 1)) {
            throw new IllegalArgumentException(value + " is no rate from 0 to 1");
        }
        return rate;
    }
}
