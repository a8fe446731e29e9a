package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Ruling;
import dev.idempotency.Fingerprint;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.RefusedException;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.StoredResult;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Does what a form says. Thread-safe. */
final class Deeds {
    private static final Logger LOG = LoggerFactory.getLogger(Deeds.class);
    private static final Set<String> TOGETHER = Set.of("executed", "declined", "not-executed", "reexecute");
    /** Less than a page may take, so that what was done is told. */
    private static final Duration LONGEST_TOGETHER = Duration.ofSeconds(20);

    private final Admin admin;

    Deeds(Admin admin) {
        this.admin = admin;
    }

    /** Reads one form, and notes all that is wrong with it. Not thread-safe. */
    private static final class Form {
        private final Fields fields;
        private final List<Problems.Problem> problems = new ArrayList<>();

        Form(Fields fields) {
            this.fields = fields;
        }

        <T> @Nullable T read(String field, String what, Supplier<T> reading) {
            try {
                return reading.get();
            } catch (IllegalArgumentException e) {
                problems.add(new Problems.Problem(field, what + ": " + e.getMessage()));
                return null;
            } catch (Failure e) {
                problems.add(new Problems.Problem(field, what + ": " + e.text()));
                return null;
            }
        }

        /** One text of a ruling; without it, this is asked for. */
        @Nullable
        Ruling ruling(String field, String text, String otherwise, Function<String, Ruling> reading) {
            if (text.isEmpty()) {
                problems.add(new Problems.Problem(field, otherwise));
                return null;
            }
            return read(field, otherwise, () -> reading.apply(text));
        }

        void require(boolean isSo, String field, String otherwise) {
            if (!isSo) {
                problems.add(new Problems.Problem(field, otherwise));
            }
        }

        void end() {
            if (!problems.isEmpty()) {
                throw new Problems(problems);
            }
        }

        String text(String field) {
            return fields.text(field).strip();
        }
    }

    /** Where to go when it is done. */
    Target act(Visit visit, Fields fields) {
        IdempotencyKey key = key(fields);
        long version = version(fields);
        var form = new Form(fields);
        String act = fields.text("act");
        form.require(!act.isEmpty(), "act", "Choose what is to be recorded");
        StoredResult result = form.read("result", "The result", () -> result(act, fields));
        if (act.equals("executed-result")) {
            form.require(
                    form.text("codec").equals(OwnCodec.JSON),
                    "codec",
                    form.text("codec").isEmpty()
                            ? "Say which codec the operation has"
                            : "The console writes JSON only, which no caller of this operation could read, and everybody else"
                                    + " could: choose that the result is not known");
        }
        StoredResult decline =
                form.read("reason", "The reason", () -> act.equals("declined") ? decline(form.text("reason")) : null);
        Fingerprint payload = form.read("payload", "The new payload", () -> payload(act, form));
        Ruling ruling = ruling(visit, form);
        form.require(
                fields.text("confirmed").equals("yes"),
                "confirmed",
                "Confirm that you reviewed this version of the key");
        form.end();
        if (ruling == null) {
            throw new IllegalStateException("no ruling");
        }
        switch (act) {
            case "executed" -> admin.resolveExecuted(key, version, null, ruling);
            case "executed-result" -> {
                OwnCodec.require(admin, key, result);
                admin.resolveExecuted(key, version, result, ruling);
            }
            case "declined" -> admin.resolveExecuted(key, version, decline, ruling);
            case "not-executed" -> admin.resolveNotExecuted(key, version, ruling);
            case "reexecute" -> admin.reExecute(key, version, ruling);
            case "reopen" -> admin.reopen(key, version, ruling);
            case "request" -> {
                if (payload == null) {
                    throw new IllegalStateException("no payload");
                }
                admin.requestOverride(key, version, payload, ruling);
            }
            case "withdraw" -> admin.requestWithdrawal(key, version, ruling);
            case "approve" -> {
                OverrideCommands.requireReviewed(admin, key, fields.text("request"), version);
                State after = OverrideCommands.approve(admin, key, fields.text("request"), ruling)
                        .state();
                if (after != State.OPEN) {
                    return Queue.ofKey(fields).on(Target.key(key).with("done", "approve-withdrawal"));
                }
            }
            case "refuse" -> {
                OverrideCommands.requireReviewed(admin, key, fields.text("request"), version);
                OverrideCommands.refuse(admin, key, fields.text("request"), ruling);
            }
            default -> throw new Refusal(400, "There is no such act.");
        }
        return Queue.ofKey(fields).on(Target.key(key).with("done", act));
    }

    /** Who looks at what is not shown otherwise. */
    String looker(Visit visit, Fields fields) {
        var form = new Form(fields);
        String user = visit.user();
        Ruling who = form.ruling(
                "by", user == null ? form.text("by") : user, "Say who you are", text -> new Ruling(text, "-", "-"));
        form.end();
        if (who == null) {
            throw new IllegalStateException("no name");
        }
        return who.who();
    }

    /** Does the same to several keys, each held to the version that was reviewed; goes on when one is refused. */
    List<Together.Outcome> together(Visit visit, Fields fields) {
        List<Together.Chosen> keys = Together.chosen(fields);
        var form = new Form(fields);
        String act = fields.text("act");
        form.require(!act.isEmpty(), "act", "Choose what is to be recorded");
        StoredResult decline =
                form.read("reason", "The reason", () -> act.equals("declined") ? decline(form.text("reason")) : null);
        Ruling ruling = ruling(visit, form);
        form.require(
                fields.text("confirmed").equals("yes"), "confirmed", "Confirm that you reviewed each of these keys");
        form.end();
        if (ruling == null) {
            throw new IllegalStateException("no ruling");
        }
        if (!TOGETHER.contains(act)) {
            throw new Refusal(400, "There is no such act for several keys.");
        }
        if (keys.stream().anyMatch(chosen -> chosen.version() < 1)) {
            throw new Refusal(400, "The form does not say which versions were reviewed.");
        }
        long end = System.nanoTime() + LONGEST_TOGETHER.toNanos();
        List<Together.Outcome> outcomes = new ArrayList<>();
        boolean goesOn = true;
        for (Together.Chosen chosen : keys) {
            if (!goesOn || System.nanoTime() - end > 0 || Thread.currentThread().isInterrupted()) {
                outcomes.add(new Together.Outcome(
                        chosen.key(), false, "Not tried: the store failed, or time was over. Send the form again"));
                continue;
            }
            try {
                one(act, chosen, decline, ruling);
                outcomes.add(new Together.Outcome(chosen.key(), true, "Recorded"));
            } catch (RefusedException refused) {
                Failure failure = Failure.of(refused);
                outcomes.add(new Together.Outcome(
                        chosen.key(),
                        false,
                        failure.text() + (failure.until() == null ? "" : " (from " + failure.until() + " on)")));
            } catch (StoreException failed) {
                goesOn = false;
                outcomes.add(new Together.Outcome(
                        chosen.key(), false, Failure.of(failed).text()));
            } catch (RuntimeException fault) {
                // What the keys before it have come to is told all the same.
                LOG.error("A decision on one of several keys failed", fault);
                goesOn = false;
                outcomes.add(new Together.Outcome(
                        chosen.key(),
                        false,
                        "Something unexpected happened; the console's log says what. Open the key, and look"));
            }
        }
        return outcomes;
    }

    private void one(String act, Together.Chosen chosen, @Nullable StoredResult decline, Ruling ruling) {
        switch (act) {
            case "executed" -> admin.resolveExecuted(chosen.key(), chosen.version(), null, ruling);
            case "declined" -> admin.resolveExecuted(chosen.key(), chosen.version(), decline, ruling);
            case "not-executed" -> admin.resolveNotExecuted(chosen.key(), chosen.version(), ruling);
            default -> admin.reExecute(chosen.key(), chosen.version(), ruling);
        }
    }

    static IdempotencyKey key(Fields fields) {
        try {
            return new IdempotencyKey(fields.text("scope"), fields.text("key"));
        } catch (IllegalArgumentException e) {
            throw new Refusal(400, "Scope or key: " + e.getMessage() + ".");
        }
    }

    private static long version(Fields fields) {
        try {
            return Long.parseLong(fields.text("version"));
        } catch (NumberFormatException e) {
            throw new Refusal(400, "The form has no version of the key.");
        }
    }

    private static @Nullable Ruling ruling(Visit visit, Form form) {
        String user = visit.user();
        String who = user == null ? form.text("by") : user;
        Ruling byWhom = form.ruling("by", who, "Say who you are", text -> new Ruling(text, "-", "-"));
        Ruling why = form.ruling("why", form.text("why"), "Say why", text -> new Ruling("x", text, "x"));
        Ruling evidence = form.ruling(
                "evidence", form.text("evidence"), "Say on what evidence", text -> new Ruling("x", "x", text));
        return byWhom == null || why == null || evidence == null
                ? null
                : new Ruling(byWhom.who(), why.why(), evidence.evidence());
    }

    private static @Nullable StoredResult result(String act, Fields fields) {
        if (!act.equals("executed-result")) {
            return null;
        }
        byte[] json = fields.text("result").strip().getBytes(StandardCharsets.UTF_8);
        Payloads.requireJson(json);
        return new StoredResult(StoredResult.Kind.RESULT, "json", json);
    }

    private static StoredResult decline(String reason) {
        return ResolveCommands.Declines.of(reason);
    }

    private static @Nullable Fingerprint payload(String act, Form form) {
        if (!act.equals("request")) {
            return null;
        }
        String payload = form.text("payload");
        return payload.startsWith(Fingerprint.JCS_SHA256 + ":")
                ? Payloads.parse(payload)
                : Payloads.fingerprint(payload.getBytes(StandardCharsets.UTF_8));
    }
}
