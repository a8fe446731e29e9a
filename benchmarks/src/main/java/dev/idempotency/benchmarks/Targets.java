package dev.idempotency.benchmarks;

import dev.idempotency.benchmarks.Subject.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the library is to reach, and what it has reached. */
final class Targets {
    static final String CAFFEINE = "Caffeine";
    static final String REDIS = "Redis";
    static final String POSTGRES = "PostgreSQL";
    static final String ONE_KEY = "one key";
    static final String GROWTH = "growth";

    /**
     * One line of the table.
     *
     * @param path what is measured
     * @param target what is to be reached
     * @param figure what was reached, as a multiple or a number; nothing if it was not measured
     * @param isMet whether that is enough; of something that was not measured it is not
     */
    record Target(String path, String target, Optional<Spread> figure, boolean isMet) {
        String verdict() {
            return figure.isEmpty() ? "not measured" : isMet ? "met" : "**not met**";
        }
    }

    private final Results results;
    private final List<Target> targets = new ArrayList<>();

    private Targets(Results results) {
        this.results = results;
    }

    static List<Target> of(Results results) {
        var targets = new Targets(results);
        targets.fill();
        return targets.targets;
    }

    private void fill() {
        limit("Caffeine, first execution, 16 threads", CAFFEINE, Path.FIRST, 16, Library.NAME, 0.5);
        peers("Caffeine, first execution, 16 threads", CAFFEINE, Path.FIRST, 16, 1, "unbounded");
        limit("Caffeine, replay, 16 threads", CAFFEINE, Path.REPLAY, 16, Library.NAME, 0.5);
        limit("Redis, first execution, 16 threads", REDIS, Path.FIRST, 16, Library.NAME, 0.9);
        peers("Redis, first execution, 16 threads", REDIS, Path.FIRST, 16, 2, "");
        limit("Redis, replay, 16 threads", REDIS, Path.REPLAY, 16, Library.NAME, 0.9);
        limit("PostgreSQL, first execution, 1 caller", POSTGRES, Path.FIRST, 1, Library.NAME, 0.95);
        limit("PostgreSQL, first execution, 16 callers", POSTGRES, Path.FIRST, 16, Library.NAME, 0.95);
        limit("PostgreSQL, first execution, 64 callers", POSTGRES, Path.FIRST, 64, Library.NAME, 1.8);
        limit("PostgreSQL, first execution, 256 callers", POSTGRES, Path.FIRST, 256, Library.NAME, 3);
        limit("PostgreSQL, replay, 16 threads", POSTGRES, Path.REPLAY, 16, Library.NAME, 0.9);
        limit("PostgreSQL, replay from the near cache, 16 threads", POSTGRES, Path.REPLAY, 16, Library.NEAR, 50);
        for (String store : List.of(CAFFEINE, REDIS, POSTGRES)) {
            atMost(store + ", 64 threads on one key: calls", ONE_KEY, store + " calls", 1);
            atMost(
                    store + ", 64 threads on one key: lag, as a multiple of a bare hand-off's",
                    ONE_KEY,
                    store + " lag",
                    1.2);
            atMost(store + ", 64 threads on one key: what waiters asked the store", ONE_KEY, store + " asked", 0);
        }
        atLeast("growth, one table: first executions per second at the large size", GROWTH, "plain", 0.75);
        atLeast("growth, partitioned by day: the same", GROWTH, "by day", 0.95);
    }

    private void limit(String text, String store, Path path, int threads, String name, double least) {
        Optional<Spread> figure = results.named(store, path, threads, name)
                .flatMap(outcome -> results.limit(store, path, threads).flatMap(outcome::ratioTo));
        add(text, "at least " + least + " x the raw limit", figure, least);
    }

    private void peers(String text, String store, Path path, int threads, double least, String unless) {
        for (Outcome peer : results.peers(store, path, threads)) {
            if (unless.isEmpty() || !peer.subject().name().contains(unless)) {
                Optional<Spread> figure =
                        results.named(store, path, threads, Library.NAME).flatMap(outcome -> outcome.ratioTo(peer));
                add(text, "at least " + least + " x " + peer.subject().name(), figure, least);
            }
        }
    }

    private void add(String text, String target, Optional<Spread> figure, double least) {
        targets.add(new Target(
                text, target, figure, figure.filter(f -> f.median() >= least).isPresent()));
    }

    private void atLeast(String text, String area, String name, double least) {
        Optional<Spread> figure = results.figure(area, name).flatMap(Results.Figure::spread);
        add(text, "at least " + least + " x those at the small size", figure, least);
    }

    private void atMost(String text, String area, String name, double most) {
        Optional<Spread> figure = results.figure(area, name).flatMap(Results.Figure::spread);
        targets.add(new Target(
                text,
                "at most " + most,
                figure,
                figure.filter(f -> f.median() <= most).isPresent()));
    }
}
