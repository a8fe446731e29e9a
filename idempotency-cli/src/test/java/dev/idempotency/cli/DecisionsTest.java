package dev.idempotency.cli;

import static dev.idempotency.cli.Operator.OTHER_RULING;
import static dev.idempotency.cli.Operator.RULING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.DeclinedException;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.MismatchException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.ResultUnavailableException;
import dev.idempotency.cli.Operator.Run;
import dev.idempotency.cli.Shop.Order;
import dev.idempotency.cli.Shop.Receipt;
import dev.idempotency.store.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people decide at the command line, and what the program's callers get from then on. */
final class DecisionsTest {
    private final Servers.Place place = Servers.postgres();
    private final Shop shop = new Shop(place.store());
    private final Operator operator = new Operator(place);

    @TempDir
    private Path directory;

    @Test
    void resolveExecuted_withAResult_isWhatEveryCallerGets() throws IOException {
        shop.inDoubt("ORD-1");
        Path result = Files.writeString(directory.resolve("result.json"), "{\"charge\":\"ch-1\",\"amount\":1200}");

        Run run = operator.run(
                RULING,
                "resolve",
                "executed",
                "charge-card",
                "ORD-1",
                "--version",
                "2",
                "--result",
                result.toString(),
                "--codec",
                "json",
                "--yes");

        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out())
                .isEqualToIgnoringNewLines("Done: charge-card ORD-1 is COMPLETED, version 3, generation 1.");
        assertThat(shop.charge().execute(new Order("ORD-1", 1200))).isEqualTo(new Receipt("ch-1", 1200));
        assertThat(shop.calls()).isEqualTo(1);
    }

    /** As JSON it could be read by nobody who executes the operation, and by everybody who reads the store. */
    @Test
    void resolveExecuted_operationThatEncrypts_storesNoPlainResult() throws IOException {
        var key = shop.hostile(new IdempotencyKey("charge-card", "ORD-1"), "enc-aes256gcm");
        Path result = Files.writeString(directory.resolve("result.json"), "{\"iban\":\"DE02\"}");
        String[] act = {"resolve", "executed", "charge-card", "ORD-1", "--version", "2", "--yes", "--result"};

        var withoutCodec = operator.run(RULING, with(act, result.toString()));
        var withAnother = operator.run(RULING, with(act, result.toString(), "--codec", "json"));

        assertThat(withoutCodec.code()).isEqualTo(ExitCode.USAGE.code());
        assertThat(withoutCodec.err()).contains("--codec");
        assertThat(withAnother.code()).isEqualTo(ExitCode.USAGE.code());
        assertThat(withAnother.err()).contains("enc-aes256gcm").contains("not known");
        assertThat(shop.standing(key).version()).isEqualTo(2);
    }

    private static String[] with(String[] act, String... more) {
        var all = new ArrayList<>(List.of(act));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    @Test
    void resolveExecuted_withoutAResult_tellsEveryCallerThatItRan() {
        shop.inDoubt("ORD-1");

        Run run = operator.run(
                RULING, "resolve", "executed", "charge-card", "ORD-1", "--version", "2", "--result-unknown", "--yes");

        assertThat(run.code()).isZero();
        assertThatThrownBy(() -> shop.charge().execute(new Order("ORD-1", 1200)))
                .isInstanceOf(ResultUnavailableException.class);
        assertThat(shop.calls()).isEqualTo(1);
    }

    @Test
    void resolveDeclined_isTheDeclineThatEveryCallerGets() {
        shop.inDoubt("ORD-1");

        Run run = operator.run(
                RULING,
                "resolve",
                "declined",
                "charge-card",
                "ORD-1",
                "--version",
                "2",
                "--reason",
                "expired",
                "--yes");

        assertThat(run.code()).isZero();
        assertThatThrownBy(() -> shop.charge().execute(new Order("ORD-1", 1200)))
                .isInstanceOfSatisfying(
                        DeclinedException.class, e -> assertThat(e.reason()).isEqualTo("expired"));
    }

    @Test
    void notExecuted_beforeTheKeyIsQuiescent_isRefusedAndSaysUntilWhen() {
        IdempotencyKey key = shop.inDoubt("ORD-1");

        Run run = operator.run(
                RULING, "resolve", "not-executed", "charge-card", "ORD-1", "--version", "2", "--yes", "--json");

        assertThat(run.code()).isEqualTo(ExitCode.REFUSED.code());
        assertThat(run.json().get("reason").textValue()).isEqualTo("NOT_QUIESCENT");
        assertThat(run.json().get("until").textValue())
                .isEqualTo(shop.standing(key)
                        .times()
                        .stateSince()
                        .plus(java.time.Duration.ofHours(24))
                        .toString());
        assertThat(shop.standing(key).state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void notExecuted_thenReopen_leadsToACall() {
        shop.inDoubt("ORD-1");

        Run closed = operator.run(
                RULING,
                "resolve",
                "not-executed",
                "charge-card",
                "ORD-1",
                "--version",
                "2",
                "--quiescence",
                "0s",
                "--yes");
        assertThatThrownBy(() -> shop.charge().execute(new Order("ORD-1", 1200)))
                .isInstanceOf(NotExecutedException.class);
        Run reopened = operator.run(RULING, "reopen", "charge-card", "ORD-1", "--version", "3", "--yes");

        assertThat(closed.code()).as(closed.err()).isZero();
        assertThat(reopened.code()).as(reopened.err()).isZero();
        assertThat(shop.charge().execute(new Order("ORD-1", 1200)).charge()).isEqualTo("ch-2");
    }

    @Test
    void reexecute_opensTheKeyForItsPayload_andMakesNoCallItself() {
        IdempotencyKey key = shop.inDoubt("ORD-1");

        Run run = operator.run(
                RULING, "reexecute", "charge-card", "ORD-1", "--version", "2", "--quiescence", "0s", "--yes");

        assertThat(run.code()).as(run.err()).isZero();
        assertThat(shop.calls()).isEqualTo(1);
        assertThat(shop.standing(key).generation()).isEqualTo(2);
        assertThatThrownBy(() -> shop.charge().execute(new Order("ORD-1", 1))).isInstanceOf(MismatchException.class);
        assertThat(shop.charge().execute(new Order("ORD-1", 1200)).charge()).isEqualTo("ch-2");
    }

    @Test
    void override_byTwoPeople_letsTheOtherPayloadTakeOverTheKey() throws IOException {
        shop.completed("ORD-1");
        Path payload =
                Files.writeString(directory.resolve("corrected.json"), "{ \"amount\": 1250, \"id\": \"ORD-1\" }");

        Run asked = operator.run(
                RULING,
                "override",
                "request",
                "charge-card",
                "ORD-1",
                "--version",
                "2",
                "--payload",
                payload.toString(),
                "--yes",
                "--json");
        String request = asked.json().at("/entry/id").textValue();
        Run shown = operator.run("show", "charge-card", "ORD-1");
        Run alone = operator.run(
                RULING, "override", "approve", "charge-card", "ORD-1", request, "--version", "2", "--yes", "--json");
        Run approved = operator.run(
                OTHER_RULING, "override", "approve", "charge-card", "ORD-1", request, "--version", "2", "--yes");

        assertThat(asked.code()).as(asked.err()).isZero();
        assertThat(shown.out())
                .contains("Override requests that wait for a second person:")
                .contains(request);
        assertThat(alone.code()).isEqualTo(ExitCode.REFUSED.code());
        assertThat(alone.json().get("reason").textValue()).isEqualTo("SAME_PERSON");
        assertThat(approved.code()).as(approved.err()).isZero();
        assertThat(shop.charge().execute(new Order("ORD-1", 1250))).isEqualTo(new Receipt("ch-2", 1250));
    }

    @Test
    void show_saysWhenAKeyExpires_onlyOnceItIsResolved() {
        shop.inDoubt("ORD-1");
        shop.completed("ORD-2");

        assertThat(operator.run("show", "charge-card", "ORD-1").out())
                .containsPattern("expires +not while it is unresolved");
        assertThat(operator.run("show", "charge-card", "ORD-2").out())
                .containsPattern("expires +\\d{4}-.*, forgotten ");
    }

    @Test
    void overrideByFingerprint_ofTheRefusedPayload_isTheOneThatFingerprintPrints() throws IOException {
        shop.completed("ORD-1");
        Path payload = Files.writeString(directory.resolve("corrected.json"), "{\"id\":\"ORD-1\",\"amount\":1250}");

        Run printed = new Operator(List.of()).run("fingerprint", payload.toString());

        assertThatThrownBy(() -> shop.charge().execute(new Order("ORD-1", 1250)))
                .isInstanceOfSatisfying(
                        MismatchException.class,
                        e -> assertThat(printed.out().strip())
                                .isEqualTo(Payloads.text(java.util.Objects.requireNonNull(e.offered()))));
        Run asked = operator.run(
                RULING,
                "override",
                "request",
                "charge-card",
                "ORD-1",
                "--version",
                "2",
                "--fingerprint",
                printed.out().strip(),
                "--yes");
        assertThat(asked.code()).as(asked.err()).isZero();
        assertThat(asked.out()).contains("idempotency override approve charge-card ORD-1 ");
    }

    @Test
    void override_ofAnotherVersionThanWasReviewed_isNeitherApprovedNorRefused() {
        shop.completed("ORD-1");
        String request = ask();

        Run approved = operator.run(
                OTHER_RULING,
                "override",
                "approve",
                "charge-card",
                "ORD-1",
                request,
                "--version",
                "9",
                "--yes",
                "--json");
        Run refused = operator.run(
                OTHER_RULING,
                "override",
                "refuse",
                "charge-card",
                "ORD-1",
                request,
                "--version",
                "9",
                "--yes",
                "--json");

        assertThat(approved.code()).isEqualTo(ExitCode.REFUSED.code());
        assertThat(approved.json().get("reason").textValue()).isEqualTo("CHANGED");
        assertThat(refused.code()).isEqualTo(ExitCode.REFUSED.code());
    }

    @Test
    void overrideRefused_isGone_andTheKeyStaysAsItIs() {
        IdempotencyKey key = shop.completed("ORD-1");
        String request = ask();

        Run refused = operator.run(
                OTHER_RULING, "override", "refuse", "charge-card", "ORD-1", request, "--version", "2", "--yes");
        Run late = operator.run(
                OTHER_RULING,
                "override",
                "approve",
                "charge-card",
                "ORD-1",
                request,
                "--version",
                "2",
                "--yes",
                "--json");

        assertThat(refused.code()).as(refused.err()).isZero();
        assertThat(late.json().get("reason").textValue()).isEqualTo("NO_REQUEST");
        assertThat(shop.standing(key).version()).isEqualTo(2);
    }

    private String ask() {
        return operator.run(
                        RULING,
                        "override",
                        "request",
                        "charge-card",
                        "ORD-1",
                        "--version",
                        "2",
                        "--fingerprint",
                        "jcs-sha256:" + "ab".repeat(32),
                        "--yes",
                        "--json")
                .json()
                .at("/entry/id")
                .textValue();
    }

    @Test
    void act_onAVersionThatIsNoLongerThere_isRefusedAndChangesNothing() {
        IdempotencyKey key = shop.inDoubt("ORD-1");

        Run run = operator.run(
                RULING, "resolve", "executed", "charge-card", "ORD-1", "--version", "1", "--result-unknown", "--yes");

        assertThat(run.code()).isEqualTo(ExitCode.REFUSED.code());
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("CHANGED: ").contains("review it again");
        assertThat(shop.standing(key).state()).isEqualTo(State.IN_DOUBT);
    }

    @Test
    void act_asksFirst_andSaysWhatWillHappen() {
        IdempotencyKey key = shop.inDoubt("ORD-1");
        String[] act = {"resolve", "executed", "charge-card", "ORD-1", "--version", "2", "--result-unknown"};

        Run nobody = operator.run(RULING, act);
        Run no = operator.answering("no").run(RULING, act);
        State before = shop.standing(key).state();
        Run yes = operator.answering("yes").run(RULING, act);

        assertThat(nobody.code()).isEqualTo(ExitCode.NOT_CONFIRMED.code());
        assertThat(nobody.err())
                .contains("charge-card ORD-1 is IN_DOUBT since ")
                .contains(Consequences.executed(null))
                .contains("By ada: customer waits; evidence: ch-1 at the provider");
        assertThat(no.code()).isEqualTo(ExitCode.NOT_CONFIRMED.code());
        assertThat(before).isEqualTo(State.IN_DOUBT);
        assertThat(yes.code()).isZero();
        assertThat(operator.questions()).hasSize(3);
    }

    @Test
    void act_repeatedAfterItWasDone_isFoundToBeDone() {
        shop.inDoubt("ORD-1");
        String[] act = {
            "resolve", "executed", "charge-card", "ORD-1", "--version", "2", "--result-unknown", "--yes", "--json"
        };

        Run first = operator.run(RULING, act);
        Run second = operator.run(RULING, act);

        assertThat(second.code()).isZero();
        assertThat(second.json()).isEqualTo(first.json());
    }
}
