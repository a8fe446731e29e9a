package dev.idempotency.cli;

import java.util.regex.Pattern;

/** Hides what a text may quote of a URL: drivers and parsers repeat what they were given. */
final class Secrets {
    private static final Pattern USER_INFO = Pattern.compile("(://)[^/\\s]*@");
    /** A name and a password without anything before them, as a driver quotes a host that it does not find. */
    private static final Pattern PAIR = Pattern.compile("(?<![^\\s'\"(])[^\\s/@:]+:[^\\s/@]+@(?=[^\\s@])");

    private static final Pattern PARAMETER =
            Pattern.compile("(?i)(password|passwd|secret|token)(\\s*[=:]\\s*)[^\\s&;,'\"]+");

    private Secrets() {}

    static String hide(String text) {
        String withoutUsers =
                PAIR.matcher(USER_INFO.matcher(text).replaceAll("$1***@")).replaceAll("***@");
        return PARAMETER.matcher(withoutUsers).replaceAll("$1$2***");
    }
}
