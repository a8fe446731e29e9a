package dev.idempotency.slack;

import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Slack's signature of a request, over its raw bytes: {@code v0=} and the HMAC-SHA256 of {@code v0:timestamp:body}
 * (docs.slack.dev/authentication/verifying-requests-from-slack). Several secrets may be in force, so that one can be replaced.
 */
final class SlackSignature {
    static final String SIGNATURE = "x-slack-signature";
    static final String TIMESTAMP = "x-slack-request-timestamp";

    private static final String ALGORITHM = "HmacSHA256";
    private static final String VERSION = "v0=";
    private static final long MAX_SKEW = Duration.ofMinutes(5).toSeconds();

    private final List<SecretKeySpec> secrets = new ArrayList<>();

    SlackSignature(List<String> secrets) {
        for (String secret : secrets) {
            if (secret.isBlank()) {
                throw new IllegalArgumentException("signingSecrets has a blank one");
            }
            this.secrets.add(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), ALGORITHM));
        }
        if (this.secrets.isEmpty()) {
            throw new IllegalArgumentException("signingSecrets is empty; there must be one at least");
        }
    }

    /** Null when it is good; else what is wrong. The time is judged first, as it costs nothing. */
    Delivered.@Nullable Verdict fault(@Nullable String timestamp, @Nullable String signature, byte[] body, long now) {
        if (timestamp == null || signature == null || !timestamp.matches("[0-9]{1,15}")) {
            return Delivered.Verdict.UNSIGNED;
        }
        // In both directions: a request from the future could be kept and used for ever.
        if (Math.abs(now - Long.parseLong(timestamp)) > MAX_SKEW) {
            return Delivered.Verdict.EXPIRED;
        }
        byte[] claimed = hex(signature);
        boolean isGood = false;
        for (SecretKeySpec secret : secrets) {
            isGood |= MessageDigest.isEqual(claimed, sign(secret, timestamp, body));
        }
        return isGood ? null : Delivered.Verdict.FORGED;
    }

    private static byte[] hex(String signature) {
        String digits = signature.startsWith(VERSION) ? signature.substring(VERSION.length()) : "";
        try {
            return digits.length() == 64 ? HexFormat.of().parseHex(digits) : new byte[0];
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }

    private static byte[] sign(SecretKeySpec secret, String timestamp, byte[] body) {
        try {
            var mac = Mac.getInstance(ALGORITHM);
            mac.init(secret);
            mac.update(("v0:" + timestamp + ":").getBytes(StandardCharsets.US_ASCII));
            return mac.doFinal(body);
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("Every Java platform has " + ALGORITHM, e);
        }
    }
}
