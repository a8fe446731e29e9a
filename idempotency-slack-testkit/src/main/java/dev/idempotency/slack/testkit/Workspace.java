package dev.idempotency.slack.testkit;

import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Who and what there is: the app, its installation, and enough channels that a post a second in each is no bound. */
final class Workspace {
    static final String TEAM = "T0SIM00001";
    /** Another workspace, with which channels are shared. */
    static final String OTHER_TEAM = "T0SIM00002";

    static final String APP = "A0SIMAPP01";
    static final String BOT = "B0SIMBOT01";
    static final String BOT_USER = "U0SIMBOT01";
    static final String OTHER_APP = "A0OTHER001";
    static final String OTHER_BOT = "B0OTHER001";
    static final String OTHER_BOT_USER = "U0OTHER001";

    /** What the app says who it is, as a bot and when it opens sockets; any other token is refused. */
    static final String BOT_TOKEN = "xoxb-simulated-bot";

    static final String APP_TOKEN = "xapp-simulated-app";

    private static final int CHANNELS = 400;
    private static final int PEOPLE = 80;

    private Workspace() {}

    static Set<String> channels() {
        return IntStream.range(0, CHANNELS)
                .mapToObj(Workspace::channel)
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    static int channelCount() {
        return CHANNELS;
    }

    static int personCount() {
        return PEOPLE;
    }

    static String channel(int number) {
        return String.format(Locale.ROOT, "C0SIM%05d", number);
    }

    static String person(int number) {
        return String.format(Locale.ROOT, "U0SIM%05d", number);
    }

    /** Of the other workspace. */
    static String guest(int number) {
        return String.format(Locale.ROOT, "U0EXT%05d", number);
    }
}
