package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Attempt;
import dev.idempotency.FailureClass;
import dev.idempotency.FailureClassifier;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyException;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.Operation;
import dev.idempotency.ProviderProfile;
import dev.idempotency.Recovery;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.testkit.EffectLedger;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.SimulatedProvider;
import dev.idempotency.testkit.Submission;
import dev.idempotency.testkit.process.RedisServer;
import dev.idempotency.testkit.process.TcpProxy;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Three processes' worth of connections on one real server, while connections are cut, replies are lost, scripts are flushed and
 * the server is killed and started again. Then the faults stop, and the provider's ledger is the judge. Threads and a real
 * network are not deterministic: the seed chooses the faults, not their moments.
 */
@Execution(ExecutionMode.CONCURRENT)
final class RedisUnderFaultsTest {
    private static final long SEED = Long.getLong("redis.seed", 20_261_122);
    private static final int PROCESSES = 3;
    private static final int KEYS = 24;
    private static final int CALLERS = 6;
    private static final int REQUESTS = 30;
    private static final Duration LEASE = Duration.ofMillis(400);

    private enum Policy {
        HOLD(ProviderBehavior.none()),
        LOOKUP(ProviderBehavior.none().withLookup(Duration.ZERO)),
        NATIVE(ProviderBehavior.none().withNativeKey());

        private final ProviderBehavior behavior;

        Policy(ProviderBehavior behavior) {
            this.behavior = behavior;
        }

        Recovery<String, String> recovery(SimulatedProvider provider) {
            return switch (this) {
                case HOLD -> Recovery.hold();
                case LOOKUP ->
                    Recovery.lookup((request, attempt) -> provider.lookup(request).stream()
                            .findFirst()
                            .map(effect -> Finding.found(effect.effectId()))
                            .orElse(Finding.missing()));
                case NATIVE ->
                    Recovery.nativeKey(ProviderProfile.of(
                            "simulated", "the test kit", ProviderProfile.KeyFormat.uuid(), ProviderProfile.ENDLESS));
            };
        }
    }

    /** One process: its own network, client, store and library. */
    private static final class Process implements AutoCloseable {
        private final TcpProxy proxy;
        private final RedisClient client;
        private final RedisIdempotencyStore store;
        private final Idempotency idempotency;
        private final Operation<String, String> charge;

        Process(
                RedisServer server,
                ClientResources resources,
                Script.All scripts,
                Recovery<String, String> recovery,
                Operation.Call<String, String> call) {
            proxy = TcpProxy.start(server.port());
            client = RedisClient.create(resources, RedisServer.uri(proxy.port()));
            client.setOptions(ClientOptions.builder()
                    .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                    .build());
            store = RedisIdempotencyStore.builder(client)
                    .timeout(Duration.ofSeconds(1))
                    .scripts(scripts)
                    .build();
            idempotency = Idempotency.on(store);
            charge = idempotency
                    .operation("charge", String.class, String.class)
                    .key(order -> order)
                    .recovery(recovery)
                    .lease(LEASE)
                    .waitAtMost(Duration.ofMillis(500))
                    .failures(FailureClassifier.conservative().on(ConnectException.class, FailureClass.NOT_SENT))
                    .calling(call);
        }

        @Override
        public void close() {
            idempotency.close();
            store.close();
            client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
            proxy.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void faults_anyPolicy_leaveOneEffectAndOneAnswer(Policy policy) throws Exception {
        assertThat(violations(policy, Script.All.load())).isEmpty();
    }

    /** The same proof on a script that lets a reservation go: it must notice. */
    @Test
    void faults_scriptThatReservesTwice_areNoticed() throws Exception {
        var broken = Script.All.load(script -> script.replace(
                "if standing then\n  return {0, standing, at}", "if false then\n  return {0, standing, at}"));

        assertThat(violations(Policy.HOLD, broken)).isNotEmpty();
    }

    private static List<String> violations(Policy policy, Script.All scripts) throws Exception {
        var ledger = EffectLedger.inMemory();
        var provider = new SimulatedProvider(policy.behavior, ledger, InstantSource.system());
        ConcurrentMap<String, Set<String>> answers = new ConcurrentHashMap<>();
        var fates = new Random(SEED);
        var calls = new AtomicInteger();
        Operation.Call<String, String> call = (order, attempt) -> {
            calls.incrementAndGet();
            int fate;
            synchronized (fates) {
                fate = fates.nextInt(10);
            }
            return charged(provider, order, attempt, fate);
        };
        var resources = ClientResources.builder()
                .reconnectDelay(Delay.constant(Duration.ofMillis(50)))
                .build();
        var processes = new ArrayList<Process>();
        var found = new ArrayList<String>();
        try (var server = RedisServer.start()) {
            for (var i = 0; i < PROCESSES; i++) {
                processes.add(new Process(server, resources, scripts, policy.recovery(provider), call));
            }
            run(server, processes, answers);
            Redises.until("all are connected again", () -> processes.stream().allMatch(RedisUnderFaultsTest::isUp));
            Redises.until("no attempt is in flight", () -> settled(processes.get(0), answers));
            judge(processes.get(0), ledger, answers, found);
            assertThat(calls.get()).as("calls, seed %d", SEED).isPositive();
            assertThat(answers).as("answers, seed %d", SEED).isNotEmpty();
        } finally {
            processes.forEach(Process::close);
            resources.shutdown(0, 2, TimeUnit.SECONDS).await();
        }
        return found;
    }

    private static String charged(SimulatedProvider provider, String order, Attempt attempt, int fate)
            throws IOException {
        if (fate == 0) {
            throw new ConnectException("refused");
        }
        if (fate == 1) {
            throw new IOException("the request was lost");
        }
        if (fate == 2) {
            Redises.pass(LEASE.plusMillis(100));
        }
        var reply = provider.submit(new Submission(UUID.randomUUID().toString(), attempt.nativeKey(), order, "10 EUR"));
        if (fate == 3) {
            throw new IOException("the reply was lost");
        }
        return reply instanceof Reply.Created created
                ? created.effect().effectId()
                : ((Reply.Replayed) reply).effect().effectId();
    }

    private static void run(RedisServer server, List<Process> processes, ConcurrentMap<String, Set<String>> answers)
            throws Exception {
        var threads = Executors.newFixedThreadPool(CALLERS);
        var callers = new ArrayList<Future<?>>();
        for (var i = 0; i < CALLERS; i++) {
            var random = new Random(SEED + i);
            callers.add(threads.submit(() -> {
                for (var n = 0; n < REQUESTS; n++) {
                    execute(processes.get(random.nextInt(PROCESSES)), "order-" + random.nextInt(KEYS), answers);
                }
            }));
        }
        var random = new Random(~SEED);
        for (var fault = 0; fault < 12 || !callers.stream().allMatch(Future::isDone); fault++) {
            var proxy = processes.get(random.nextInt(PROCESSES)).proxy;
            switch (fault % 6) {
                case 0, 3 -> proxy.cutAnswer(1 + random.nextInt(3));
                case 1, 4 -> {
                    proxy.cut();
                    Redises.pass(Duration.ofMillis(random.nextInt(100)));
                    proxy.pass();
                }
                case 2 -> server.ask("SCRIPT", "FLUSH");
                default -> {
                    server.kill();
                    server.restart();
                }
            }
            Redises.pass(Duration.ofMillis(20 + random.nextInt(80)));
        }
        for (var caller : callers) {
            caller.get();
        }
        threads.shutdown();
    }

    private static void execute(Process process, String order, ConcurrentMap<String, Set<String>> answers) {
        try {
            var answer = process.charge.execute(order);
            answers.computeIfAbsent(order, key -> ConcurrentHashMap.newKeySet()).add(answer);
        } catch (IdempotencyException e) {
            // In doubt, in flight, not executed, or the store failed: all of them are allowed.
        }
    }

    private static boolean isUp(Process process) {
        try {
            process.store.find(new IdempotencyKey("charge", "any"));
            return true;
        } catch (IdempotencyException e) {
            return false;
        }
    }

    /** Each key is asked for until it is at rest; answers that are still being recorded come in meanwhile. */
    private static boolean settled(Process process, ConcurrentMap<String, Set<String>> answers) {
        for (var i = 0; i < KEYS; i++) {
            var key = process.charge.keyOf("order-" + i);
            var standing = process.store.find(key).record();
            if (standing != null && standing.times().leaseUntil() != null) {
                execute(process, "order-" + i, answers);
                return false;
            }
        }
        return true;
    }

    private static void judge(
            Process process, EffectLedger ledger, Map<String, Set<String>> answers, List<String> found) {
        for (var i = 0; i < KEYS; i++) {
            var order = "order-" + i;
            var effects = ledger.effectsOf(order);
            if (effects.size() > 1) {
                found.add(effects.size() + " effects of " + order + ", seed " + SEED);
            }
            for (var answer : answers.getOrDefault(order, Set.of())) {
                if (effects.size() != 1 || !effects.get(0).effectId().equals(answer)) {
                    found.add("the answer " + answer + " of " + order + " is not its effect, seed " + SEED);
                }
            }
            var standing = process.store.find(process.charge.keyOf(order)).record();
            if (!effects.isEmpty() && standing == null) {
                found.add("the record of " + order + " is lost, seed " + SEED);
            }
            if (standing != null && isListedWrongly(process, standing.key())) {
                found.add(standing + " is listed wrongly, seed " + SEED);
            }
            if (standing != null && standing.result() != null && effects.size() != 1) {
                found.add(standing + " has a result without its effect, seed " + SEED);
            }
        }
    }

    /** The list and the record are two reads, and between them an attempt in doubt may still come to know its outcome. */
    private static boolean isListedWrongly(Process process, IdempotencyKey key) {
        while (true) {
            var before = process.store.find(key).record();
            var listed = process.store.listUnresolved(null, 1_000).stream()
                    .map(IdempotencyRecord::key)
                    .anyMatch(key::equals);
            var after = process.store.find(key).record();
            if (before == null || after == null || before.version() == after.version()) {
                return after != null && after.state().isUnresolved() != listed;
            }
        }
    }
}
