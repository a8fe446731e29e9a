package dev.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.idempotency.Script.Run;
import dev.idempotency.Simulation.Faults;
import dev.idempotency.Simulation.World;
import dev.idempotency.store.State;
import dev.idempotency.testkit.Submission;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The counter-examples that model checking found, played step by step: harmless with the rule, a duplicate (or a needless
 * doubt) without it. The names are those of the model's runs.
 */
final class CounterExamplesTest {
    private static final Duration PAST_LEASE = Duration.ofSeconds(11);
    private static final Duration QUIESCENCE = Worlds.QUIESCENCE.period();

    private static Script script(World world) {
        return new Script(world);
    }

    private static World without(World world, Faults faults) {
        return Worlds.with(world, faults);
    }

    /** Somebody else finds the lapsed attempt, waits out quiescence, is told "nothing", and calls again. */
    private static Run executesAgainAfterQuiescence(Script script) {
        script.elapse(PAST_LEASE);
        Run other = script.run(2).go();
        other.hears(other.lookUp()).go();
        script.elapse(QUIESCENCE);
        Run again = script.run(2).go();
        again.hears(again.lookUp()).go();
        return again;
    }

    // ---- A16: the zombie, which wakes up between its check and its first byte

    private static int zombie(World world) {
        Script script = script(world);
        Run first = script.run(1).go();
        assertThat(first.isCalling()).isTrue();
        Run second = executesAgainAfterQuiescence(script);
        second.hears(script.arrives(second.sent())).go();
        if (first.maySend()) {
            script.arrives(first.sent());
        }
        return script.effects();
    }

    @Test
    void a16_zombieAfterItsCheck_isStoppedByTheCheckBeforeTheFirstByte() {
        assertThat(zombie(Worlds.lookupThenReexecute())).isEqualTo(1);
    }

    @Test
    void a16_withoutTheCheckBeforeTheFirstByte_duplicates() {
        assertThat(zombie(without(Worlds.lookupThenReexecute(), Faults.none().withFrozenClock())))
                .isEqualTo(2);
    }

    // ---- A14: the call is still on its way when its connection is reset

    private static int stillInFlight(World world) {
        Script script = script(world);
        Run first = script.run(1).go();
        Submission onItsWay = first.sent();
        first.hearsReset().go();
        first.hears(first.lookUp()).go();
        if (first.isCalling()) {
            first.hears(script.arrives(first.sent())).go();
        }
        script.elapse(Duration.ofMillis(Worlds.TRANSIT));
        script.arrives(onItsWay);
        script.elapse(QUIESCENCE);
        Run next = script.run(2).go();
        if (next.isInvestigating()) {
            next.hears(next.lookUp()).go();
        }
        assertThat(script.record().state()).isEqualTo(State.COMPLETED);
        return script.effects();
    }

    @Test
    void a14_callStillInFlight_isFoundAfterQuiescence() {
        assertThat(stillInFlight(Worlds.lookupThenReexecute())).isEqualTo(1);
    }

    @Test
    void a14_withoutQuiescence_duplicates() {
        assertThat(stillInFlight(
                        without(Worlds.lookupThenReexecute(), Faults.none().machine(Faulty::ignoresQuiescence))))
                .isEqualTo(2);
    }

    // ---- C11: the pause comes before the check

    private static int pausedBeforeItsCheck(World world) {
        Script script = script(world);
        Run first = script.run(1).standStill();
        Run second = executesAgainAfterQuiescence(script);
        second.hears(script.arrives(second.sent())).go();
        first.resume().go();
        if (first.isCalling()) {
            script.arrives(first.sent());
        }
        return script.effects();
    }

    @Test
    void c11_pausedBeforeItsCheck_sendsNothing() {
        assertThat(pausedBeforeItsCheck(Worlds.lookupThenReexecute())).isEqualTo(1);
    }

    @Test
    void c11_withoutTheDeadlineCheck_duplicates() {
        assertThat(pausedBeforeItsCheck(
                        without(Worlds.lookupThenReexecute(), Faults.none().withFrozenClock())))
                .isEqualTo(2);
    }

    // ---- A26: a renewed lease says nothing about the window

    private static int resendAfterTheWindow(World world) {
        Script script = script(world);
        Run run = script.run(1).go();
        script.arrives(run.sent());
        script.elapseRenewing(Duration.ofSeconds(30));
        run.hearsReset().go();
        assertThat(run.isCalling()).isTrue();
        script.elapseRenewing(Duration.ofSeconds(20));
        if (run.maySend()) {
            script.arrives(run.sent());
        }
        return script.effects();
    }

    @Test
    void a26_pausedPastTheWindowOnARenewedLease_sendsNothing() {
        assertThat(resendAfterTheWindow(Worlds.nativeInWindow())).isEqualTo(1);
    }

    @Test
    void a26_withTheWindowCheckedOnlyAtTakeover_duplicates() {
        assertThat(resendAfterTheWindow(
                        without(Worlds.nativeInWindow(), Faults.none().machine(Faulty::checksTheWindowOnlyAtTakeover))))
                .isEqualTo(2);
    }

    // ---- C18: the same token again (ABA)

    private static int sameTokenAgain(World world) {
        Script script = script(world);
        Run first = script.run(1).standStill();
        script.elapse(PAST_LEASE);
        Run second = script.run(2).go();
        second.hears(second.lookUp()).go();
        script.elapse(QUIESCENCE);
        second = script.run(2).go();
        Finding<String> nothing = second.lookUp();
        assertThat(nothing).isEqualTo(Finding.missing());
        first.resume().go();
        script.forget();
        Run third = script.run(3).go();
        script.arrives(third.sent());
        third.hearsReset().go();
        second.hears(nothing).go();
        if (second.isCalling()) {
            script.arrives(second.sent());
        }
        return script.effects();
    }

    /** Tokens are the only fence here: the released row is gone, as in the model, and versions are not compared. */
    private static World fencedByTokensAlone(Faults faults) {
        return without(Worlds.lookupThenReexecute(), faults.store(Faulty::comparesTokensOnly));
    }

    @Test
    void c18_decisionAboutAnEarlierAttempt_doesNotHoldForALaterOne() {
        assertThat(sameTokenAgain(fencedByTokensAlone(Faults.none()))).isEqualTo(1);
    }

    @Test
    void c18_withATokenUsedTwice_duplicates() {
        Faults again = Faults.none().tokens((process, drawn) -> Faulty.hostName(process == 2 ? 100 + drawn : 1, drawn));

        assertThat(sameTokenAgain(fencedByTokensAlone(again))).isEqualTo(2);
    }

    // ---- C20: a later attempt that was not sent

    private static int secondAttemptNotSent(World world) {
        Script script = script(world);
        Run run = script.run(1).go();
        script.arrives(run.sent());
        script.elapseRenewing(Duration.ofSeconds(30));
        run.hearsReset().go();
        run.hearsNotSent().go();
        script.elapse(Duration.ofSeconds(20));
        Run next = script.run(2).go();
        if (next.isCalling()) {
            script.arrives(next.sent());
        }
        return script.effects();
    }

    @Test
    void c20_unsentSecondAttempt_keepsTheDoubtAndTheWindow() {
        assertThat(secondAttemptNotSent(Worlds.nativeInWindow())).isEqualTo(1);
    }

    @Test
    void c20_withTheKeyFreedByASecondAttempt_duplicates() {
        assertThat(secondAttemptNotSent(
                        without(Worlds.nativeInWindow(), Faults.none().machine(Faulty::releasesLaterAttempts))))
                .isEqualTo(2);
    }

    // ---- C19: a re-send keeps the time of the first send

    private static int resendTwice(World world) {
        Script script = script(world);
        Run run = script.run(1).go();
        script.arrives(run.sent());
        script.elapseRenewing(Duration.ofSeconds(30));
        run.hearsReset().go();
        run.hearsReset().go();
        script.elapse(Duration.ofSeconds(20));
        Run next = script.run(2).go();
        if (next.isCalling()) {
            script.arrives(next.sent());
        }
        return script.effects();
    }

    @Test
    void c19_resend_doesNotStartTheWindowAgain() {
        assertThat(resendTwice(Worlds.nativeInWindow())).isEqualTo(1);
    }

    @Test
    void c19_withTheWindowStartedAgain_duplicates() {
        assertThat(resendTwice(without(Worlds.nativeInWindow(), Faults.none().machine(Faulty::restartsTheWindow))))
                .isEqualTo(2);
    }

    // ---- C21: the provider counts from a request that it never executed

    private static int executedAgainNearTheEndOfTheWindow(World world) {
        Script script = script(world);
        Run first = script.run(1).go();
        script.isRefused(first.sent());
        first.hearsReset().go();
        script.isRefused(first.sent());
        first.hearsReset().go();
        script.elapse(Duration.ofSeconds(40));
        Run second = script.run(2).go();
        second.hears(second.lookUp()).go();
        assertThat(second.isCalling()).isTrue();
        assertThat(second.maySend()).isTrue();
        script.arrives(second.sent());
        second.hearsReset().go();
        script.elapse(Duration.ofSeconds(6));
        Run third = script.run(3).go();
        if (third.isCalling()) {
            script.arrives(third.sent());
        } else {
            third.hears(third.lookUp()).go();
            assertThat(script.record().state()).isEqualTo(State.COMPLETED);
        }
        return script.effects();
    }

    @Test
    void c21_lookupThatFoundNothing_doesNotStartTheWindowAgain() {
        assertThat(executedAgainNearTheEndOfTheWindow(Worlds.nativeThenLookup()))
                .isEqualTo(1);
    }

    @Test
    void c21_withTheWindowStartedAgainAfterALookup_duplicates() {
        assertThat(executedAgainNearTheEndOfTheWindow(without(
                        Worlds.nativeThenLookup(), Faults.none().machine(Faulty::restartsTheWindowAfterALookup))))
                .isEqualTo(2);
    }

    // ---- C22: the provider counts from a request that it refused

    private static int refusedAndRunAgain(World world) {
        Script script = script(world);
        Run first = script.run(1).go();
        script.isRefused(first.sent());
        first.hearsNotSent().go();
        script.elapse(Duration.ofSeconds(40));
        Run second = script.run(2).go();
        assertThat(second.maySend()).isTrue();
        script.arrives(second.sent());
        script.elapse(Duration.ofSeconds(6));
        Run third = script.run(3);
        second.hearsReset().go();
        third.go();
        for (Run run : List.of(second, third)) {
            if (run.isCalling()) {
                script.arrives(run.sent());
            }
        }
        return script.effects();
    }

    @Test
    void c22_refusalThatFreedTheKey_doesNotStartTheWindowAgain() {
        assertThat(refusedAndRunAgain(Worlds.nativeInWindow())).isEqualTo(1);
    }

    @Test
    void c22_withTheWindowStartedAgainAfterARefusal_duplicates() {
        assertThat(refusedAndRunAgain(without(
                        Worlds.nativeInWindow(), Faults.none().machine(Faulty::restartsTheWindowAfterARefusal))))
                .isEqualTo(2);
    }

    // ---- C23: the store's clock jumps back, and with it the end of the window

    private static int sentAgainByAClockThatJumpedBack(World world) {
        Script script = script(world);
        script.setClockAhead(Duration.ofMillis(Worlds.JUMP));
        Run first = script.run(1).go();
        script.arrives(first.sent());
        script.setClockAhead(Duration.ZERO);
        script.elapse(Worlds.WINDOW.minusMillis(Worlds.PAUSE + Worlds.TRANSIT));
        Run second = script.run(2).go();
        if (second.isCalling()) {
            script.elapse(Duration.ofMillis(Worlds.PAUSE + Worlds.TRANSIT));
            script.arrives(second.sent());
        }
        return script.effects();
    }

    @Test
    void c23_clockThatJumpsBack_doesNotHoldTheWindowOpen() {
        assertThat(sentAgainByAClockThatJumpedBack(Worlds.nativeInWindow())).isEqualTo(1);
    }

    @Test
    void c23_withoutATermForTheClock_duplicates() {
        ProviderProfile noTerm = Worlds.profile(Worlds.WINDOW).withClockError(Duration.ZERO);

        assertThat(sentAgainByAClockThatJumpedBack(Worlds.nativeInWindow().recovering(Recovery.nativeKey(noTerm))))
                .isEqualTo(2);
    }

    // ---- C24: a key is forgotten here, and not by the provider

    private static int refusedForgottenAndRunAgain(World world) {
        Script script = script(world);
        Run first = script.run(1).go();
        script.isRefused(first.sent());
        first.hearsNotSent().go();
        script.elapse(Duration.ofSeconds(40));
        Run second = script.run(2).go();
        script.arrives(second.sent());
        script.elapse(Duration.ofSeconds(6));
        second.hearsReset().go();
        if (second.isCalling()) {
            script.arrives(second.sent());
        }
        return script.effects();
    }

    @Test
    void c24_keyKeptForAsLongAsTheProviderKnowsIt_isSentUnderItsOldWindow() {
        assertThat(refusedForgottenAndRunAgain(Worlds.nativeAndForgotten())).isEqualTo(1);
    }

    @Test
    void c24_withTheKeyForgottenSooner_duplicates_andIsNotBuiltByDefault() {
        World sooner = Worlds.nativeInWindow().keeping("kept for a moment", Duration.ofSeconds(20));

        assertThat(refusedForgottenAndRunAgain(sooner)).isEqualTo(2);
        assertThat(Simulation.operation(sooner).explain().violations())
                .singleElement(STRING)
                .startsWith("P14: retention + tombstone = 20 s must be at least window + clock error = 46 s 500 ms");
    }

    // ---- C13: the owner is known by its host's name

    private static int restartedOnTheSameHost(World world) {
        Script script = script(world);
        Run beforeTheCrash = script.run(1).go();
        script.arrives(beforeTheCrash.sent());
        Run afterTheCrash = script.run(1).go();
        if (afterTheCrash.isCalling()) {
            script.arrives(afterTheCrash.sent());
        }
        return script.effects();
    }

    @Test
    void c13_restartedProcess_doesNotTakeItsOldAttemptForItsOwn() {
        assertThat(restartedOnTheSameHost(Worlds.hold())).isEqualTo(1);
    }

    @Test
    void c13_withHostNamesAsTokens_duplicates() {
        assertThat(restartedOnTheSameHost(without(Worlds.hold(), Faults.none().tokens(Faulty::hostName))))
                .isEqualTo(2);
    }

    // ---- L15: the reply to the reservation is lost

    private static Run reservationReplyLost(World world) {
        return script(world).run(1).replyLost().afterPause().go();
    }

    @Test
    void l15_ownReservation_isRecognisedAndUsed() {
        assertThat(reservationReplyLost(Worlds.hold()).isCalling()).isTrue();
    }

    @Test
    void l15_withItsOwnTokenForgotten_waitsForItself() {
        Run run = reservationReplyLost(without(Worlds.hold(), Faults.none().machine(Faulty::forgetsItsOwnToken)));

        assertThat(run.isWaiting()).isTrue();
    }

    // ---- G2: the record is repeated after a purge

    private static State recordedIntoALaterRun(World world) {
        Script script = script(world);
        Run first = script.run(1).go();
        first.hears(script.arrives(first.sent())).replyLost();
        script.elapse(Duration.ofDays(8));
        script.purge();
        Run second = script.run(2).go();
        assertThat(second.isCalling()).isTrue();
        first.afterPause().go();
        return script.record().state();
    }

    @Test
    void g2_repeatedRecord_doesNotReachTheNextRunOfTheKey() {
        assertThat(recordedIntoALaterRun(Worlds.hold())).isEqualTo(State.IN_FLIGHT);
    }

    @Test
    void g2_withCountersAsTokens_recordsAnOldResultIntoANewRun() {
        assertThat(recordedIntoALaterRun(without(Worlds.hold(), Faults.none().tokens(Faulty::counter))))
                .isEqualTo(State.COMPLETED);
    }

    // ---- C04: the answer waits for the record

    private static Answer<String> unrecorded(World world) {
        Script script = script(world);
        Run run = script.run(1).go();
        run.hears(script.arrives(run.sent()));
        for (int tries = 1; tries <= StoreSteps.TRIES && run.answer() == null; tries++) {
            run.requestLost();
            if (run.isWaiting()) {
                run.afterPause();
            }
        }
        assertThat(script.record().state()).isEqualTo(State.IN_FLIGHT);
        return run.answer();
    }

    @Test
    void c04_unconfirmedRecord_givesNoResult() {
        assertThat(unrecorded(Worlds.hold()).failure().get()).isInstanceOf(InDoubtException.class);
    }

    @Test
    void c04_withoutConfirmation_givesAResultThatNobodyElseWillGet() {
        assertThat(unrecorded(without(Worlds.hold(), Faults.none().answeringUnconfirmed()))
                        .failure())
                .isNull();
    }

    // ---- the store fails after a call that may have done something

    @Test
    void storeFailure_afterAnAmbiguousCall_saysInDoubt() {
        Script script = script(Worlds.lookupThenReexecute());
        Run run = script.run(1).go();
        script.arrives(run.sent());
        run.hearsReset().go();
        script.elapse(Duration.ofMillis(Worlds.LAG));
        run.hears(run.lookUp());
        failStore(run);

        assertThat(run.answer().failure().get()).isInstanceOf(InDoubtException.class);
    }

    @Test
    void storeFailure_atTheReleaseOfAnUnsentResend_saysInDoubt() {
        Script script = script(Worlds.nativeEndless());
        Run run = script.run(1).go();
        script.arrives(run.sent());
        run.hearsReset().go();
        assertThat(run.isCalling()).isTrue();
        run.hearsNotSent();
        failStore(run);

        assertThat(run.answer().failure().get()).isInstanceOf(InDoubtException.class);
        assertThat(script.effects()).isEqualTo(1);
    }

    private static void failStore(Run run) {
        for (int tries = 1; tries <= StoreSteps.TRIES; tries++) {
            run.requestLost();
            if (run.isWaiting()) {
                run.afterPause();
            }
        }
    }

    // ---- O3: an override of a key that is still in doubt

    private static int overriddenInDoubt(World world) {
        Script script = script(world);
        Run run = script.run(1).go();
        Submission onItsWay = run.sent();
        run.hearsReset().go();
        var reviewed = script.record();
        Decision decision = world.faults()
                .machine()
                .decide(
                        reviewed,
                        new Event.Overrule(
                                reviewed.version(),
                                reviewed.token(),
                                new Fingerprint("test", "a"),
                                "two people",
                                "test",
                                new Event.Spans(Duration.ofSeconds(10), Duration.ofDays(7), Duration.ZERO)),
                        reviewed.times().stateSince());
        if (decision.verdict() == Decision.Verdict.CHANGE) {
            script.replace(reviewed, decision);
        }
        Run next = script.run(2).go();
        if (next.isCalling()) {
            script.arrives(next.sent());
        }
        script.arrives(onItsWay);
        return script.effects();
    }

    @Test
    void o3_overrideOfAKeyInDoubt_isRefused() {
        assertThat(overriddenInDoubt(Worlds.hold())).isEqualTo(1);
    }

    @Test
    void o3_withOverridesOfAnything_duplicates() {
        assertThat(overriddenInDoubt(without(Worlds.hold(), Faults.none().machine(Faulty::overridesAnything))))
                .isEqualTo(2);
    }
}
