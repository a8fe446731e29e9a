package dev.idempotency.slack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.inbox.Inbox;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * No request makes the endpoint fail, read too much, take what Slack has not signed, or refuse what Slack has. A request that does is
 * named by its seed.
 */
final class EndpointFuzzTest {
    private static final int REQUESTS = Integer.getInteger("slack.requests", 5_000);
    private static final int ENOUGH_TO_NOTICE = 2_000;
    /** So many fit into the memory. */
    private static final int OF_ONE_INBOX = 1_000;

    private interface Endpoint {
        SlackResponse handle(SlackRequest request) throws Exception;
    }

    private final Map<Delivered.Verdict, Integer> verdicts = new EnumMap<>(Delivered.Verdict.class);

    /** The first fault; empty when there is none. */
    private String run(int requests, FaultyInbox.Mode mode, UnaryOperator<Endpoint> variant) {
        for (int first = 0; first < requests; first += OF_ONE_INBOX) {
            String fault = run(first, Math.min(requests, first + OF_ONE_INBOX), mode, variant);
            if (!fault.isEmpty()) {
                return fault;
            }
        }
        return "";
    }

    private String run(int from, int to, FaultyInbox.Mode mode, UnaryOperator<Endpoint> variant) {
        var store = new FaultyInbox(CaffeineIdempotencyStore.create().inbox());
        store.become(mode);
        var told = new int[1];
        try (var intake = SlackIntake.builder(Inbox.builder(store, "slack").build())
                .listener(new SlackListener() {
                    @Override
                    public void onDelivered(Delivered delivered) {
                        told[0]++;
                        verdicts.merge(delivered.verdict(), 1, Integer::sum);
                    }
                })
                .build()) {
            Endpoint endpoint = variant.apply(EventsEndpoint.builder(intake)
                    .signingSecrets(Requests.SECRET)
                    .maxBody(FuzzedRequest.MAX_BODY)
                    .clock(Requests.CLOCK)
                    .build()::handle);
            for (int seed = from; seed < to; seed++) {
                String fault = fault(endpoint, new FuzzedRequest(seed));
                if (!fault.isEmpty()) {
                    return "seed " + seed + ": " + fault;
                }
            }
            return told[0] == to - from ? "" : told[0] + " of " + (to - from) + " were told";
        }
    }

    private static String fault(Endpoint endpoint, FuzzedRequest fuzzed) {
        try {
            return fuzzed.fault(endpoint.handle(fuzzed.request()).status());
        } catch (Exception | StackOverflowError e) {
            return e.toString();
        }
    }

    @Test
    void requests_ofAnyKind_areAnsweredAsTheyShould() {
        String fault = run(REQUESTS, FaultyInbox.Mode.WORKS, endpoint -> endpoint);

        assertThat(fault).isEmpty();
        // The requests reach every part of it.
        assertThat(verdicts.keySet())
                .containsExactlyInAnyOrder(
                        Delivered.Verdict.ACCEPTED,
                        Delivered.Verdict.DUPLICATE,
                        Delivered.Verdict.MALFORMED,
                        Delivered.Verdict.CHALLENGED,
                        Delivered.Verdict.UNSIGNED,
                        Delivered.Verdict.FORGED,
                        Delivered.Verdict.EXPIRED,
                        Delivered.Verdict.TOO_LARGE,
                        Delivered.Verdict.UNREADABLE);
        assertThat(verdicts)
                .allSatisfy(
                        (verdict, count) -> assertThat(count).as(verdict.name()).isGreaterThan(REQUESTS / 1_000));
        System.out.println(REQUESTS + " requests: " + verdicts);
    }

    @Test
    void fault_ofTheStore_isNoticed() {
        assertThat(run(ENOUGH_TO_NOTICE, FaultyInbox.Mode.FAILS, endpoint -> endpoint))
                .matches("seed \\d+: status 503");
    }

    @Test
    void endpoint_thatReadsAllItIsGiven_isNoticed() {
        assertThat(run(ENOUGH_TO_NOTICE, FaultyInbox.Mode.WORKS, endpoint -> request -> {
                    SlackResponse response = endpoint.handle(request);
                    try {
                        request.body().readAllBytes();
                    } catch (Exception e) {
                        return response;
                    }
                    return response;
                }))
                .matches("seed \\d+: \\d+ bytes were read; the cap is " + FuzzedRequest.MAX_BODY);
    }

    @Test
    void endpoint_thatTakesOneOfTwoSignatures_isNoticed() {
        assertThat(run(ENOUGH_TO_NOTICE, FaultyInbox.Mode.WORKS, endpoint -> request -> {
                    var first = new HashMap<String, List<String>>();
                    request.headers()
                            .forEach((name, values) -> first.put(name, values.subList(0, Math.min(1, values.size()))));
                    return endpoint.handle(new SlackRequest(request.method(), first, request.body()));
                }))
                .matches("seed \\d+: 200 for what Slack has not signed");
    }

    @Test
    void endpoint_thatRefusesWhatItCannotRead_isNoticed() {
        assertThat(run(ENOUGH_TO_NOTICE, FaultyInbox.Mode.WORKS, endpoint -> request -> {
                    int before = verdicts.getOrDefault(Delivered.Verdict.MALFORMED, 0);
                    SlackResponse response = endpoint.handle(request);
                    boolean isMalformed = verdicts.getOrDefault(Delivered.Verdict.MALFORMED, 0) > before;
                    return isMalformed ? SlackResponse.empty(400) : response;
                }))
                .matches("seed \\d+: status 400 for what Slack has signed");
    }

    @Test
    void endpoint_thatThrows_isNoticed() {
        assertThat(run(ENOUGH_TO_NOTICE, FaultyInbox.Mode.WORKS, endpoint -> request -> {
                    SlackEvent.parse(request.body().readNBytes(FuzzedRequest.MAX_BODY));
                    return endpoint.handle(request);
                }))
                .contains("MalformedEventException");
    }
}
