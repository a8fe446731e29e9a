package dev.idempotency.testkit.junit;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.inbox.InboxStore.Offered;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * What every {@link InboxStore} must do, as tests to inherit: one for each clause of {@code docs/inbox-contract.md}.
 *
 * <p>Extend it, supply the inbox and a way to let time pass. Each test draws queues of its own, so tests may run in parallel on
 * one server; those that purge hold a JUnit resource lock, and want no other program to purge the same inbox meanwhile.
 *
 * @since 0.1.0
 */
public abstract class InboxContract {
    private static final int MANY = 40;

    private final String queue = "queue-" + UUID.randomUUID();

    /** For subclasses. */
    protected InboxContract() {}

    /**
     * The inbox under test, without messages in queues that this test has not written to.
     *
     * @return the same inbox throughout one test
     */
    protected abstract InboxStore inbox();

    /**
     * Lets time pass for the inbox: moves a fake clock, or really waits.
     *
     * @param duration how long at least
     */
    protected abstract void elapse(Duration duration);

    /**
     * Long enough never to end in a test, however slow the machine.
     *
     * @return five minutes unless overridden
     */
    protected Duration longSpan() {
        return Duration.ofMinutes(5);
    }

    /**
     * Short enough to wait for; used where a test is about the end of a span.
     *
     * @return 300 milliseconds unless overridden
     */
    protected Duration shortSpan() {
        return Duration.ofMillis(300);
    }

    // ---- offer

    @Test
    @Clause("I1")
    @DisplayName("I1. A message whose key is not remembered is accepted, and due at once, at the store's time.")
    void offer_newKey_isAcceptedAndDue() {
        assertEquals(Offered.ACCEPTED, offer("first"));
        elapse(Duration.ofMillis(2));
        assertEquals(Offered.ACCEPTED, offer("second"));
        elapse(Duration.ofMillis(2));

        var claims = claim(10);

        assertEquals(List.of("first", "second"), values(claims));
        var first = claims.get(0);
        var second = claims.get(1);
        assertEquals(1, first.attempt());
        assertNull(first.lastReason());
        assertTrue(first.receivedAt().isBefore(second.receivedAt()), "received in this order");
        assertTrue(second.receivedAt().isBefore(second.claimedAt()), "received before it was claimed");
    }

    @Test
    @Clause("I2")
    @DisplayName(
            "I2. A message whose key is remembered is a duplicate, whatever became of the first one, and changes nothing.")
    void offer_rememberedKey_isDuplicate() {
        offer("key");
        assertEquals(Offered.DUPLICATE, inbox().offer(other("key"), longSpan()), "waiting");
        var claim = claimOne();
        assertEquals(message("key"), claim.message());
        assertEquals(Offered.DUPLICATE, inbox().offer(other("key"), longSpan()), "claimed");
        assertTrue(inbox().retry(claim, Duration.ZERO, "again"));
        assertEquals(Offered.DUPLICATE, inbox().offer(other("key"), longSpan()), "to be tried again");
        claim = claimOne();
        assertEquals(message("key"), claim.message());
        assertEquals(2, claim.attempt());
        assertTrue(inbox().bury(claim, "enough"));
        assertEquals(Offered.DUPLICATE, inbox().offer(other("key"), longSpan()), "dead");
        assertEquals(List.of(), claim(10));
        assertTrue(inbox().replay(key("key")));
        claim = claimOne();
        assertEquals(message("key"), claim.message());
        assertTrue(inbox().done(claim));
        assertEquals(Offered.DUPLICATE, inbox().offer(other("key"), longSpan()), "done");
        assertEquals(List.of(), claim(10));
    }

    @Test
    @Clause("I3")
    @DisplayName(
            "I3. Of sixteen threads that offer one key at once, exactly one is told that it was accepted; it is claimed once.")
    void offer_byManyAtOnce_isAcceptedOnce() throws Exception {
        var offered = Together.run(16, number -> offer("key"));

        assertEquals(1, Collections.frequency(offered, Offered.ACCEPTED));
        assertEquals(15, Collections.frequency(offered, Offered.DUPLICATE));
        assertEquals(List.of("key"), values(claim(10)));
    }

    @Test
    @Clause("I4")
    @DisplayName("I4. Two keys are the same only if queue and value are, character by character.")
    void offer_keysThatLookAlike_areDifferentOnes() {
        var keys = List.of(
                new IdempotencyKey(queue, "a:b"),
                new IdempotencyKey(queue + ":a", "b"),
                new IdempotencyKey(queue, "A:b"),
                new IdempotencyKey(queue, "a:b "),
                new IdempotencyKey(queue, "\u00e9"),
                new IdempotencyKey(queue, "e\u0301"));
        for (IdempotencyKey key : keys) {
            assertEquals(
                    Offered.ACCEPTED,
                    inbox().offer(new InboxMessage(key, bytes("x"), Map.of()), longSpan()),
                    key::toString);
        }

        assertEquals(5, claim(10).size());
        assertEquals(1, inbox().claim(queue + ":a", 10, longSpan()).size());
    }

    @Test
    @Clause("I5")
    @DisplayName(
            "I5. Payload and attributes come back as they went in: none, any byte, up to a mebibyte at least; attributes of every"
                    + " script.")
    void claim_payloadAndAttributes_comeBackAsTheyWentIn() {
        var large = new byte[1 << 20];
        for (int i = 0; i < large.length; i++) {
            large[i] = (byte) (i * 31 + (i >> 8));
        }
        var attributes = new TreeMap<String, String>();
        for (int i = 0; i < 60; i++) {
            attributes.put("name-" + i, "value " + i);
        }
        attributes.put("\u05e9\u05dc\u05d5\u05dd \"<&>'\\\n", "\ud83d\ude00 \u4f60\u597d");
        attributes.put("", "");
        var sent = List.of(
                new InboxMessage(key("1"), new byte[0], Map.of()),
                new InboxMessage(key("2"), large, attributes),
                new InboxMessage(
                        new IdempotencyKey(queue, "\ud83d\ude00 key \u4f60".repeat(20)), bytes("x"), Map.of("a", "b")));
        sent.forEach(message -> inbox().offer(message, longSpan()));

        var claims = claim(10);

        assertEquals(3, claims.size());
        assertEquals(new HashSet<>(sent), new HashSet<>(messages(claims)));
    }

    // ---- claim

    @Test
    @Clause("I6")
    @DisplayName(
            "I6. A claim takes the messages of its queue that are due, longest due first, and no more than its limit.")
    void claim_more_thanLimit_takesLongestDueFirst() {
        inbox().offer(new InboxMessage(new IdempotencyKey(queue + "x", "foreign"), bytes("x"), Map.of()), longSpan());
        offer("a");
        elapse(Duration.ofMillis(2));
        offer("b");
        elapse(Duration.ofMillis(2));
        offer("c");
        var first = claimOne();
        assertEquals("a", first.message().key().value());
        elapse(Duration.ofMillis(2));
        assertTrue(inbox().retry(first, Duration.ZERO, "later than the others"));
        elapse(Duration.ofMillis(2));

        assertEquals(List.of("b", "c"), values(claim(2)));
        assertEquals(List.of("a"), values(claim(2)));
        assertEquals(List.of(), claim(2));
    }

    @Test
    @Clause("I7")
    @DisplayName(
            "I7. A claimed message cannot be claimed until its lease is over; then it can, with a new token and one more attempt.")
    void claim_lapsed_isClaimedAnew() {
        offer("long");
        claimOne();
        offer("short");
        var lapsing = inbox().claim(queue, 1, shortSpan()).get(0);
        elapse(shortSpan());

        var again = claim(10);

        assertEquals(List.of("short"), values(again));
        assertEquals(2, again.get(0).attempt());
        assertEquals(lapsing.receivedAt(), again.get(0).receivedAt());
        assertNotEquals(lapsing.token(), again.get(0).token());
    }

    @Test
    @Clause("I8")
    @DisplayName(
            "I8. Of sixteen threads that claim at once, no two get one message; each message is claimed, each with a token of its own.")
    void claim_byManyAtOnce_eachMessageOnce() throws Exception {
        for (int i = 0; i < MANY; i++) {
            offer("message-" + i);
        }

        var claims = new ArrayList<InboxClaim>();
        Together.run(16, number -> claim(3)).forEach(claims::addAll);
        claims.addAll(claim(MANY));

        assertEquals(MANY, claims.size());
        assertEquals(MANY, new HashSet<>(values(claims)).size());
        assertEquals(MANY, claims.stream().map(InboxClaim::token).distinct().count());
        assertTrue(claims.stream().allMatch(claim -> claim.attempt() == 1), "first attempts");
    }

    // ---- what the owner of a claim does

    @Test
    @Clause("I9")
    @DisplayName("I9. A renewed claim lasts that long from then on, longer or shorter than before.")
    void renew_heldClaim_lastsFromThenOn() {
        offer("shorter");
        var shorter = claimOne();
        offer("longer");
        var longer = inbox().claim(queue, 1, shortSpan()).get(0);

        assertTrue(inbox().renew(longer, longSpan()));
        assertTrue(inbox().renew(shorter, shortSpan()));
        elapse(shortSpan());

        assertEquals(List.of("shorter"), values(claim(10)));
    }

    @Test
    @Clause("I10")
    @DisplayName("I10. A message that is done is never claimed again, and is no dead letter.")
    void done_heldClaim_endsTheMessage() {
        offer("key");
        var claim = inbox().claim(queue, 1, shortSpan()).get(0);

        assertTrue(inbox().done(claim));
        elapse(shortSpan());

        assertEquals(List.of(), claim(10));
        assertEquals(List.of(), inbox().deadLetters(queue, null, 10));
    }

    @Test
    @Clause("I11")
    @DisplayName(
            "I11. A message to be tried again is due after the delay and not before, with the reason and one more attempt.")
    void retry_heldClaim_isDueAfterTheDelay() {
        offer("soon");
        elapse(Duration.ofMillis(2));
        offer("late");
        elapse(Duration.ofMillis(2));
        var claims = claim(2);
        assertTrue(inbox().retry(claims.get(0), shortSpan(), "not yet: \ud83d\ude00\n" + "x".repeat(500)));
        assertTrue(inbox().retry(claims.get(1), longSpan(), "much later"));
        elapse(shortSpan());

        var again = claim(10);

        assertEquals(List.of("soon"), values(again));
        assertEquals(2, again.get(0).attempt());
        assertEquals("not yet: \ud83d\ude00\n" + "x".repeat(500), again.get(0).lastReason());
    }

    @Test
    @Clause("I12")
    @DisplayName(
            "I12. A buried message is never claimed; it is a dead letter, as it was offered, with attempts, times and reason.")
    void bury_heldClaim_isADeadLetter() {
        offer("key");
        var claim = inbox().claim(queue, 1, shortSpan()).get(0);
        elapse(Duration.ofMillis(2));

        assertTrue(inbox().bury(claim, "poison \ud83d\ude00"));
        elapse(shortSpan());

        assertEquals(List.of(), claim(10));
        var dead = inbox().deadLetters(queue, null, 10);
        assertEquals(1, dead.size());
        assertEquals(message("key"), dead.get(0).message());
        assertEquals(1, dead.get(0).attempts());
        assertEquals("poison \ud83d\ude00", dead.get(0).reason());
        assertEquals(claim.receivedAt(), dead.get(0).receivedAt());
        assertTrue(dead.get(0).buriedAt().isAfter(claim.claimedAt()), "buried later than claimed");
    }

    @Test
    @Clause("I13")
    @DisplayName(
            "I13. A claim that is not the latest of its message is lost: none of its acts changes anything, and each says so.")
    void acts_lostClaim_changeNothing() {
        offer("key");
        var lost = inbox().claim(queue, 1, shortSpan()).get(0);
        elapse(shortSpan());
        var held = claimOne();

        assertAll(
                () -> assertFalse(inbox().renew(lost, Duration.ofMillis(1)), "renew"),
                () -> assertFalse(inbox().done(lost), "done"),
                () -> assertFalse(inbox().retry(lost, Duration.ZERO, "lost"), "retry"),
                () -> assertFalse(inbox().bury(lost, "lost"), "bury"));
        elapse(Duration.ofMillis(2));

        assertEquals(List.of(), claim(10));
        assertEquals(List.of(), inbox().deadLetters(queue, null, 10));
        assertTrue(inbox().done(held));
        assertFalse(inbox().done(lost), "done by somebody else");
    }

    @Test
    @Clause("I14")
    @DisplayName(
            "I14. An act that is repeated after a lost reply says the same and changes nothing; another act after it is lost.")
    void acts_repeated_sayTheSameOnce() {
        offer("done");
        var done = claimOne();
        assertTrue(inbox().done(done));
        offer("buried");
        var buried = claimOne();
        assertTrue(inbox().bury(buried, "poison"));
        offer("retried");
        var retried = claimOne();
        assertTrue(inbox().retry(retried, longSpan(), "once"));

        assertAll(
                () -> assertTrue(inbox().done(done), "done again"),
                () -> assertFalse(inbox().renew(done, longSpan()), "renew after done"),
                () -> assertFalse(inbox().retry(done, Duration.ZERO, "no"), "retry after done"),
                () -> assertFalse(inbox().bury(done, "no"), "bury after done"),
                () -> assertTrue(inbox().bury(buried, "again"), "buried again"),
                () -> assertFalse(inbox().renew(buried, longSpan()), "renew after bury"),
                () -> assertFalse(inbox().done(buried), "done after bury"),
                () -> assertFalse(inbox().retry(buried, Duration.ZERO, "no"), "retry after bury"),
                () -> assertTrue(inbox().retry(retried, Duration.ZERO, "again"), "retried again"),
                () -> assertFalse(inbox().renew(retried, Duration.ofMillis(1)), "renew after retry"),
                () -> assertFalse(inbox().done(retried), "done after retry"),
                () -> assertFalse(inbox().bury(retried, "no"), "bury after retry"));
        elapse(Duration.ofMillis(2));
        assertEquals(List.of(), claim(10), "nothing is due");
        assertEquals(
                List.of("poison"),
                inbox().deadLetters(queue, null, 10).stream()
                        .map(DeadLetter::reason)
                        .toList());
    }

    @Test
    @Clause("I15")
    @DisplayName(
            "I15. A claim whose lease is over is held until somebody else claims the message: its owner can still renew and end it.")
    void acts_lapsedClaim_stillCount() {
        offer("renewed");
        elapse(Duration.ofMillis(2));
        offer("done");
        var claims = inbox().claim(queue, 2, shortSpan());
        assertEquals(List.of("renewed", "done"), values(claims));
        var renewed = claims.get(0);
        var done = claims.get(1);
        elapse(shortSpan());

        assertTrue(inbox().renew(renewed, longSpan()));
        assertTrue(inbox().done(done));

        assertEquals(List.of(), claim(10));
        assertTrue(inbox().bury(renewed, "held all the time"));
    }

    // ---- retention

    @Test
    @ResourceLock(IdempotencyStoreContract.PURGE)
    @Clause("I16")
    @DisplayName(
            "I16. The key of a message that is done is remembered until its retention is over, counted from the offer, and not"
                    + " longer, purged or not.")
    void retention_ofDone_isCountedFromTheOffer() {
        inbox().offer(message("short"), shortSpan());
        inbox().offer(message("long"), longSpan());
        elapse(shortSpan().dividedBy(2));
        claim(2).forEach(claim -> assertTrue(inbox().done(claim)));
        inbox().purge(1000);
        assertEquals(Offered.DUPLICATE, offer("long"));
        elapse(shortSpan().dividedBy(2).plusMillis(1));

        assertEquals(Offered.ACCEPTED, inbox().offer(other("short"), longSpan()));
        assertEquals(Offered.DUPLICATE, offer("long"));
        var again = claimOne();
        assertEquals(other("short"), again.message());
        assertEquals(1, again.attempt());
    }

    @Test
    @ResourceLock(IdempotencyStoreContract.PURGE)
    @Clause("I17")
    @DisplayName(
            "I17. A message that waits, is claimed or is dead outlives its retention and every purge, and its key is remembered.")
    void retention_ofUnfinished_doesNotMatter() {
        for (String value : List.of("dead", "claimed", "delayed", "waiting")) {
            inbox().offer(message(value), shortSpan());
            if (value.equals("waiting")) {
                break;
            }
            var claim = claimOne();
            if (value.equals("dead")) {
                inbox().bury(claim, "poison");
            } else if (value.equals("delayed")) {
                inbox().retry(claim, longSpan(), "later");
            }
        }
        elapse(shortSpan());
        inbox().purge(1000);

        for (String value : List.of("dead", "claimed", "delayed", "waiting")) {
            assertEquals(Offered.DUPLICATE, offer(value), value);
        }
        var depth = inbox().depth(queue);
        assertEquals(List.of(1L, 1L, 1L, 1L), List.of(depth.ready(), depth.delayed(), depth.claimed(), depth.dead()));
        assertEquals(List.of("waiting"), values(claim(10)));
        assertTrue(inbox().replay(key("dead")));
        assertEquals(message("dead"), claimOne().message());
    }

    @Test
    @ResourceLock(IdempotencyStoreContract.PURGE)
    @Clause("I18")
    @DisplayName("I18. A purge removes no more keys than its limit, and none before its retention is over.")
    void purge_limited_keepsToIt() {
        while (inbox().purge(1000) > 0) {
            // What other tests have left.
        }
        inbox().offer(message("kept"), longSpan());
        for (int i = 0; i < 5; i++) {
            inbox().offer(message("gone-" + i), shortSpan());
        }
        claim(10).forEach(claim -> assertTrue(inbox().done(claim)));
        elapse(shortSpan());

        var removed = new ArrayList<Integer>();
        for (int i = 0; i < 4; i++) {
            removed.add(inbox().purge(2));
        }

        assertTrue(removed.equals(List.of(2, 2, 1, 0)) || removed.equals(List.of(0, 0, 0, 0)), "removed " + removed);
        assertEquals(Offered.DUPLICATE, offer("kept"));
        assertEquals(Offered.ACCEPTED, offer("gone-0"));
    }

    // ---- dead letters

    @Test
    @Clause("I19")
    @DisplayName(
            "I19. Dead letters are listed longest dead first, page by page each once, also those of one moment; no page has more"
                    + " than its limit.")
    void deadLetters_pageByPage_eachOnce() {
        for (int i = 0; i < 7; i++) {
            offer("dead-" + i);
        }
        claim(3).forEach(claim -> inbox().bury(claim, "poison"));
        elapse(Duration.ofMillis(2));
        claim(4).forEach(claim -> inbox().bury(claim, "poison"));

        var all = new ArrayList<DeadLetter>();
        DeadLetter after = null;
        for (int pages = 0; pages < 5; pages++) {
            var page = inbox().deadLetters(queue, after, 2);
            assertTrue(page.size() <= 2, "a page has " + page.size());
            all.addAll(page);
            if (page.isEmpty()) {
                break;
            }
            after = page.get(page.size() - 1);
        }

        assertEquals(7, all.size());
        assertEquals(
                7, all.stream().map(letter -> letter.message().key()).distinct().count());
        for (int i = 1; i < all.size(); i++) {
            assertFalse(all.get(i).buriedAt().isBefore(all.get(i - 1).buriedAt()), "longest dead first");
        }
        assertEquals(all, inbox().deadLetters(queue, null, 100));
    }

    @Test
    @Clause("I20")
    @DisplayName(
            "I20. A replayed dead letter is due at once, as if it had never been claimed; what is not dead cannot be replayed.")
    void replay_deadLetter_isDueAsNew() {
        offer("key");
        assertFalse(inbox().replay(key("key")), "waiting");
        var claim = claimOne();
        assertFalse(inbox().replay(key("key")), "claimed");
        assertTrue(inbox().bury(claim, "poison"));

        assertTrue(inbox().replay(key("key")), "dead");
        assertFalse(inbox().replay(key("key")), "replayed");

        assertFalse(inbox().bury(claim, "the claim of before"));
        assertEquals(List.of(), inbox().deadLetters(queue, null, 10));
        var again = claimOne();
        assertEquals(message("key"), again.message());
        assertEquals(1, again.attempt());
        assertNull(again.lastReason());
        assertEquals(claim.receivedAt(), again.receivedAt());
        assertTrue(inbox().done(again));
        assertFalse(inbox().replay(key("key")), "done");
        assertFalse(inbox().replay(key("never offered")), "unknown");
        assertEquals(List.of(), claim(10));
    }

    @Test
    @ResourceLock(IdempotencyStoreContract.PURGE)
    @Clause("I21")
    @DisplayName(
            "I21. A discarded dead letter is done: its key is remembered for the rest of its retention; what is not dead cannot be"
                    + " discarded.")
    void discard_deadLetter_isDone() {
        inbox().offer(message("short"), shortSpan());
        var claim = claimOne();
        inbox().bury(claim, "poison");
        assertTrue(inbox().discard(key("short")));
        offer("key");
        assertFalse(inbox().discard(key("key")), "waiting");
        claim = claimOne();
        assertFalse(inbox().discard(key("key")), "claimed");
        inbox().bury(claim, "poison");

        assertTrue(inbox().discard(key("key")), "dead");

        assertFalse(inbox().discard(key("key")), "discarded");
        assertFalse(inbox().replay(key("key")), "discarded");
        assertFalse(inbox().discard(key("never offered")), "unknown");
        assertEquals(List.of(), inbox().deadLetters(queue, null, 10));
        elapse(shortSpan());
        assertEquals(Offered.DUPLICATE, offer("key"));
        assertEquals(List.of(), claim(10));
        assertEquals(Offered.ACCEPTED, offer("short"));
    }

    // ---- the rest

    @Test
    @Clause("I22")
    @DisplayName(
            "I22. The depth counts what is ready, delayed, claimed and dead, and how long ago the oldest of the first three arrived.")
    void depth_countsEach() {
        assertEquals(new InboxDepth(0, 0, 0, 0, Duration.ZERO), inbox().depth(queue));
        Instant oldest = Instant.MAX;
        for (String value : List.of("dead", "done", "delayed", "claimed")) {
            offer(value);
            elapse(Duration.ofMillis(2));
            var claim = claimOne();
            switch (value) {
                case "dead" -> inbox().bury(claim, "poison");
                case "done" -> inbox().done(claim);
                case "delayed" -> {
                    oldest = claim.receivedAt();
                    inbox().retry(claim, longSpan(), "later");
                }
                default -> {}
            }
        }
        offer("lapsing");
        inbox().claim(queue, 1, shortSpan());
        offer("waiting");
        offer("waiting too");
        elapse(shortSpan());

        var depth = inbox().depth(queue);
        var now = claimOne().claimedAt();

        assertEquals(List.of(3L, 1L, 1L, 1L), List.of(depth.ready(), depth.delayed(), depth.claimed(), depth.dead()));
        assertTrue(depth.lag().compareTo(shortSpan()) >= 0, "lag " + depth.lag());
        var atMost = Duration.between(oldest, now);
        assertTrue(depth.lag().compareTo(atMost) <= 0, "lag " + depth.lag() + ", at most " + atMost);
    }

    @Test
    @Clause("I23")
    @DisplayName(
            "I23. Limits below 1, leases and retentions that are not more than zero and negative delays are refused with an IllegalArgumentException.")
    void arguments_outOfRange_areRefused() {
        offer("key");
        var claim = claimOne();
        offer("other");

        assertAll(
                () -> refused(() -> inbox().offer(message("new"), Duration.ZERO)),
                () -> refused(() -> inbox().claim(queue, 0, longSpan())),
                () -> refused(() -> inbox().claim(queue, 1, Duration.ZERO)),
                () -> refused(() -> inbox().renew(claim, Duration.ofMillis(-1))),
                () -> refused(() -> inbox().retry(claim, Duration.ofMillis(-1), "early")),
                () -> refused(() -> inbox().deadLetters(queue, null, 0)),
                () -> refused(() -> inbox().purge(0)));
    }

    private static void refused(Executable step) {
        assertThrows(IllegalArgumentException.class, step);
    }

    // ---- small things

    private IdempotencyKey key(String value) {
        return new IdempotencyKey(queue, value);
    }

    private InboxMessage message(String value) {
        return new InboxMessage(key(value), bytes("payload of " + value), Map.of("type", "test"));
    }

    private InboxMessage other(String value) {
        return new InboxMessage(key(value), bytes("another payload"), Map.of("type", "other"));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Offered offer(String value) {
        return inbox().offer(message(value), longSpan());
    }

    private List<InboxClaim> claim(int limit) {
        return inbox().claim(queue, limit, longSpan());
    }

    private InboxClaim claimOne() {
        var claims = claim(1);
        assertEquals(1, claims.size(), "a message is due");
        return claims.get(0);
    }

    private static List<InboxMessage> messages(List<InboxClaim> claims) {
        return claims.stream().map(InboxClaim::message).toList();
    }

    private static List<String> values(List<InboxClaim> claims) {
        return claims.stream().map(claim -> claim.message().key().value()).toList();
    }
}
