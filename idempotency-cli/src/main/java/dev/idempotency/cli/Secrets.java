package dev.idempotency.cli;

import java.util.regex.Pattern;

/** Hides what a text may quote of a URL: drivers and parsers repeat what they were given. */
final class Secrets {
    private static final Pattern USER_INFO = Pattern.compile("(://)[^/\\s]*@");
    private static final Pattern PARAMETER =
            Pattern.compile("(?i)(password|passwd|secret|token)(\\s*[=:]\\s*)[^\\s&;,'\"]+");

    private Secrets() {}

    static String hide(String text) {
        return PARAMETER.matcher(USER_INFO.matcher(text).replaceAll("$1***@")).replaceAll("$1$2***");
    }
}
