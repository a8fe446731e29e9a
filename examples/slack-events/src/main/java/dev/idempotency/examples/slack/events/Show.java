package dev.idempotency.examples.slack.events;

import dev.idempotency.slack.testkit.DeliveryReport;
import dev.idempotency.slack.testkit.DeliverySettings;
import dev.idempotency.slack.testkit.DeliveryStatus;
import dev.idempotency.slack.testkit.SimulatorClient;
import dev.idempotency.slack.testkit.SimulatorMain;
import dev.idempotency.slack.testkit.SlackSimulator;
import dev.idempotency.testkit.process.ChildJvm;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The whole show: a simulator of Slack in a process of its own, the app in another one, which is killed with {@code kill -9} and
 * started again, and a server of the store, which is killed too. The simulator judges.
 */
final class Show {
    private static final String SECRET = "a secret between the simulator and the app";
    private static final Duration STARTUP = Duration.ofMinutes(1);
    private static final Duration GLANCE = Duration.ofMillis(50);
    private static final Duration TELL = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration SETTLE = Duration.ofSeconds(2);
    private static final Duration DRAIN = Duration.ofSeconds(40);
    private static final Duration THINKING = Duration.ofMillis(3500);
    private static final int SOMETHING_TO_DO = 12;
    private static final int OK = 200;
    private static final int SIGTERM = 128 + 15;

    /**
     * How it goes.
     *
     * @param storeUrl the user's server; null for one of the show's own
     * @param halts where the app dies besides, such as {@code after-claim:3}
     */
    record Plan(
            StoreKind store,
            @Nullable String storeUrl,
            boolean isUnprotected,
            int deliveries,
            double perSecond,
            long seed,
            double timeScale,
            int kills,
            int storeRestarts,
            @Nullable Path spill,
            List<String> halts) {}

    private static final String APP = "the app";
    private static final String STORE = "the store";

    /**
     * Something that is killed when so many deliveries are on their way.
     *
     * @param of the app, the store, or a step at which the app dies by itself
     */
    private record Outage(int deliveries, String of) {}

    private final Plan plan;
    private final PrintStream out;
    private final Deque<Outage> outages = new ArrayDeque<>();
    private final int port = freePort();
    private final long startedAt = System.nanoTime();
    private int kills;
    private int restarts;
    private int deaths;

    Show(Plan plan, PrintStream out) {
        this.plan = plan;
        this.out = out;
        outages.addAll(outages(plan));
    }

    /** Spread over the run, each at a random moment of its part. */
    private static List<Outage> outages(Plan plan) {
        var random = new Random(plan.seed());
        var kinds = new ArrayList<>(Collections.nCopies(plan.kills(), APP));
        if (!plan.isUnprotected()) {
            kinds.addAll(Collections.nCopies(plan.storeRestarts(), STORE));
            kinds.addAll(plan.halts());
        }
        Collections.shuffle(kinds, random);
        var outages = new ArrayList<Outage>();
        for (int i = 0; i < kinds.size(); i++) {
            double part = (i + random.nextDouble()) / kinds.size();
            outages.add(new Outage((int) (plan.deliveries() * (0.05 + 0.85 * part)), kinds.get(i)));
        }
        return outages;
    }

    private static int freePort() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs, and prints what became of the events. */
    DeliveryReport run() throws IOException, InterruptedException, RunFailedException {
        try (ChildJvm slack = ChildJvm.start(SimulatorMain.class);
                StoreServer server = server()) {
            var simulator = URI.create("http://127.0.0.1:" + listening(slack));
            var client = new SimulatorClient(simulator);
            DeliveryReport report = run(simulator, client, server);
            print(report);
            return report;
        }
    }

    private StoreServer server() {
        if (plan.isUnprotected()) {
            return StoreServer.ofUser("");
        }
        String url = plan.storeUrl();
        return url == null ? plan.store().embedded() : StoreServer.ofUser(url);
    }

    private DeliveryReport run(URI simulator, SimulatorClient client, StoreServer server)
            throws IOException, InterruptedException, RunFailedException {
        say("Slack is simulated at " + simulator + ", the app listens on port " + port
                + (plan.isUnprotected() ? ", without the library" : ", with its events on " + plan.store()));
        ChildJvm app = app(simulator, server);
        try {
            client.start(DeliverySettings.http(events(), SECRET)
                    .deliveries(plan.deliveries(), plan.perSecond())
                    .seed(plan.seed())
                    .timeScale(plan.timeScale()));
            pauseBeforeNext(client, 0);
            long missing = 0;
            long movedAt = 0;
            long saidAt = System.nanoTime();
            while (true) {
                DeliveryStatus status = client.status();
                if (!app.isAlive()) {
                    throw new RunFailedException("The app ended by itself, with status " + status(app, DRAIN));
                }
                Outage next = outages.peek();
                // Not before the app has made up for the last one.
                boolean isCalm = status.failing() + status.lastChance() == 0;
                if (next != null && isCalm && status.deliveries() >= next.deliveries()) {
                    client.hold();
                    app = outage(outages.remove(), app, simulator, server, client, status.deliveries());
                    awaitAnswer();
                    client.release();
                }
                long now = System.nanoTime();
                if (!status.isTold() || status.missing() != missing) {
                    missing = status.missing();
                    movedAt = now;
                }
                if (isOver(status, movedAt, now)) {
                    break;
                }
                if (now - saidAt > TELL.toNanos()) {
                    saidAt = now;
                    say(progress(status));
                }
                pause(GLANCE);
            }
            // What nobody wants any more may still be on its way.
            pause(SETTLE);
            drain(app);
            return client.report();
        } finally {
            app.close();
        }
    }

    /** As long as replies come, more may come. */
    private static boolean isOver(DeliveryStatus status, long movedAt, long now) {
        return status.isTold() && (status.missing() == 0 || now - movedAt > PATIENCE.toNanos());
    }

    /** The stream waits for the next outage; but what dies at a step has something to do before. */
    private void pauseBeforeNext(SimulatorClient client, int deliveries) throws IOException, InterruptedException {
        Outage next = outages.peek();
        client.pauseAt(next == null ? Integer.MAX_VALUE : Math.max(next.deliveries(), deliveries + SOMETHING_TO_DO));
    }

    private ChildJvm outage(
            Outage outage, ChildJvm app, URI simulator, StoreServer server, SimulatorClient client, int deliveries)
            throws IOException, InterruptedException, RunFailedException {
        pauseBeforeNext(client, deliveries);
        if (outage.of().equals(STORE)) {
            server.kill().run();
            server.restart().run();
            restarts++;
            say("the store was killed and started again");
            return app;
        }
        if (outage.of().equals(APP)) {
            app.kill();
            kills++;
            say("the app was killed");
        } else {
            app.send(outage.of());
            int status = status(app, STARTUP);
            if (status != HaltAt.STATUS) {
                throw new RunFailedException("The app was to die at a step, and ended with status " + status);
            }
            deaths++;
            say("the app died " + outage.of());
        }
        return app(simulator, server);
    }

    private ChildJvm app(URI simulator, StoreServer server) throws InterruptedException, RunFailedException {
        var args = new ArrayList<>(List.of(
                "--port",
                Integer.toString(port),
                "--slack-api-url",
                simulator.resolve("/api/").toString(),
                "--signing-secret",
                SECRET,
                "--bot-token",
                SlackSimulator.BOT_TOKEN,
                "--simulated",
                "--time-scale",
                Double.toString(plan.timeScale()),
                "--think-ms",
                Long.toString(THINKING.toMillis())));
        if (plan.isUnprotected()) {
            args.add("--unprotected");
        } else {
            args.addAll(List.of(plan.store().urlOption(), server.url()));
        }
        if (plan.spill() != null) {
            args.addAll(List.of("--spill", plan.spill().toString()));
        }
        // What is killed complains: here that is no news.
        ChildJvm app = ChildJvm.start(List.of("-Dlog.level=error"), SlackEvents.class, args.toArray(String[]::new));
        try {
            int unused = listening(app);
        } catch (RunFailedException e) {
            app.close();
            throw e;
        }
        return app;
    }

    private static int listening(ChildJvm child) throws InterruptedException, RunFailedException {
        try {
            String line = child.await(said -> said.matches("listening on \\d+"), STARTUP);
            return Integer.parseInt(line.substring("listening on ".length()));
        } catch (TimeoutException | IllegalStateException e) {
            throw new RunFailedException("A process did not start: " + e.getMessage());
        }
    }

    /** Until the app takes an event again, of a type that is nothing to it. */
    private void awaitAnswer() throws InterruptedException, RunFailedException {
        if (plan.isUnprotected()) {
            return;
        }
        var slack = new SignedPost(events(), SECRET);
        long end = System.nanoTime() + STARTUP.toNanos();
        while (!isTaken(slack)) {
            if (System.nanoTime() - end > 0) {
                throw new RunFailedException("The app takes no events any more");
            }
            pause(GLANCE);
        }
    }

    private static boolean isTaken(SignedPost slack) throws InterruptedException {
        try {
            return slack.send(App.HARMLESS, SignedPost.JSON) == OK;
        } catch (IOException e) {
            return false;
        }
    }

    private URI events() {
        return URI.create("http://127.0.0.1:" + port + AppSettings.PATH);
    }

    /** As an operator does it: the app finishes what it has begun. */
    private void drain(ChildJvm app) throws InterruptedException, RunFailedException {
        boolean unused = ProcessHandle.of(app.pid()).map(ProcessHandle::destroy).orElse(false);
        int status = status(app, DRAIN);
        if (status != SIGTERM) {
            throw new RunFailedException("The app was told to end, and ended with status " + status);
        }
    }

    private static int status(ChildJvm app, Duration patience) throws InterruptedException, RunFailedException {
        try {
            return app.awaitExit(patience);
        } catch (TimeoutException e) {
            throw new RunFailedException("The app did not end: " + e.getMessage());
        }
    }

    private static void pause(Duration time) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    private String progress(DeliveryStatus status) {
        return String.format(
                Locale.ROOT,
                "%,d of %,d deliveries, %,d events, %,d replies, %,d still to come, %d kills, %d restarts of the store%s",
                status.deliveries(),
                status.wanted(),
                status.events(),
                status.effects(),
                status.missing(),
                kills,
                restarts,
                status.wrong() + status.lateAcks() == 0
                        ? ""
                        : ", " + status.wrong() + " replies too many, " + status.lateAcks() + " late acks");
    }

    private void say(String text) {
        out.printf(Locale.ROOT, "%5.1f s  %s%n", (System.nanoTime() - startedAt) / 1e9, text);
        out.flush();
    }

    private void print(DeliveryReport report) {
        say("over: " + kills + " kills of the app, " + restarts + " of the store"
                + (deaths == 0 ? "" : ", " + deaths + " deaths at a step"));
        out.println("oddities of the stream: " + report.quirks());
        out.println("faults of the Web API:  " + report.faults());
        out.println("attempts to deliver:    " + report.attempts() + " of " + report.deliveries()
                + " deliveries and what came of replies, " + report.statuses() + ", retries " + report.retries());
        out.println("acks:                   half within " + report.ackMillis().median() + " ms, 99% within "
                + report.ackMillis().p99() + " ms, all within "
                + report.ackMillis().longest() + " ms");
        out.println(
                "given up by Slack:      " + report.notDelivered() + " events; unasked replies: " + report.unasked());
        report.wrong().forEach(line -> out.println("  " + line));
        out.println(report.line());
        out.flush();
    }
}
