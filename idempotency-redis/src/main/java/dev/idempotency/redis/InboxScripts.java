package dev.idempotency.redis;

import java.util.function.UnaryOperator;

/** The steps of the inbox and of the version guard. Only what adds is refused when memory is full. */
record InboxScripts(
        Script offer, Script due, Script claim, Script end, Script exhume, Script dead, Script depth, Script advance) {
    static InboxScripts load() {
        return new InboxScripts(
                script("offer", "#!lua"),
                script("due", "#!lua flags=allow-oom"),
                script("claim", "#!lua flags=allow-oom"),
                script("end", "#!lua flags=allow-oom"),
                script("exhume", "#!lua flags=allow-oom"),
                script("dead", "#!lua flags=allow-oom"),
                script("depth", "#!lua flags=allow-oom"),
                script("advance", "#!lua"));
    }

    private static Script script(String name, String shebang) {
        return Script.of(shebang, UnaryOperator.identity(), "record", "inbox", name);
    }
}
