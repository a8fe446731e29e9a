package dev.idempotency.cli;

import java.util.List;

/** Texts that somebody may have stored to mislead whoever looks. */
final class HostileTexts {
    private HostileTexts() {}

    /** What keys and scopes may be: no control characters. */
    static final List<String> KEYS = List.of(
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "\"><svg/onload=alert(1)>",
            "' onmouseover='alert(1)",
            "</title></textarea></pre><h1 id=planted>planted</h1>",
            "javascript:alert(1)//",
            "&lt;b&gt; &amp; &#39; &#x202e;",
            "a\u202Eb\u2066c\u200Bd\u00ADe\uFEFFf",
            "line\u2028separator\u2029here",
            "$(touch /tmp/planted) `id` ; rm -rf ~ | cat && 'x' \\ \"y\"",
            "@/etc/passwd",
            "--by=mallory",
            "-x",
            "\\u{202e} and \\ and \\\\",
            "../../etc/passwd?scope=x&key=y#z",
            "\uD83D\uDE00 \u05D0\u05D1\u05D2 \u0645\u0631\u062D\u0628\u0627 é ﷽",
            "{{7*7}} ${7*7} #{7*7} %0d%0aSet-Cookie:planted=1",
            "\u3164\u2800\u115F");

    /** What texts of a record may be besides. */
    static final List<String> TEXTS = List.of(
            "\u001B[31mred\u001B[0m \u001B]0;planted\u0007 \u009B2J \u001B]8;;http://planted\u001B\\link",
            "first\r\nsecond\rDone: nothing\b\b\b\b\n\nExit\u0000\u007F\u0085",
            "<!--\u0000--><script>\nalert(1)\n</script>",
            "x".repeat(1 << 20),
            "<b>\"'&\u202E".repeat(5_000));
}
