package dev.idempotency.cli;

import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * One browser's session: a random id in a cookie, from which each form's token follows by a secret of this process. Nothing is
 * stored for it. Immutable.
 *
 * @param id 32 hexadecimal digits
 * @param isNew whether the browser does not know it yet
 */
record Session(String id, boolean isNew) {
    private static final String COOKIE = "idempotency-session";
    private static final String NAME_COOKIE = "idempotency-name";
    private static final SecureRandom RANDOM = new SecureRandom();

    /** The session of a request's cookies, or a new one. */
    static Session of(@Nullable String cookies) {
        if (cookies != null) {
            for (String cookie : cookies.split(";", -1)) {
                String text = cookie.strip();
                if (text.startsWith(COOKIE + "=")) {
                    String id = text.substring(COOKIE.length() + 1);
                    if (id.matches("[0-9a-f]{32}")) {
                        return new Session(id, false);
                    }
                }
            }
        }
        return new Session(HexFormat.of().formatHex(random(16)), true);
    }

    static byte[] random(int bytes) {
        var random = new byte[bytes];
        RANDOM.nextBytes(random);
        return random;
    }

    String cookie() {
        return COOKIE + "=" + id + "; Path=/; HttpOnly; SameSite=Strict";
    }

    /** Remembers the name that somebody typed for as long as the browser is open, in the browser. */
    String nameCookie(byte[] secret, String name) {
        String text = Base64.getUrlEncoder().withoutPadding().encodeToString(name.getBytes(StandardCharsets.UTF_8));
        return NAME_COOKIE + "=" + text + "." + mac(secret, "\nname\n" + name) + "; Path=/; HttpOnly; SameSite=Strict";
    }

    /** The name that was typed in this session, as no other site and no other session can have set it; empty if none was. */
    String typedName(byte[] secret, @Nullable String cookies) {
        for (String cookie : cookies == null || isNew ? new String[0] : cookies.split(";", -1)) {
            String text = cookie.strip();
            int dot = text.indexOf('.');
            if (text.startsWith(NAME_COOKIE + "=") && dot > 0) {
                String name = name(text.substring(NAME_COOKIE.length() + 1, dot));
                byte[] brought = text.substring(dot + 1).getBytes(StandardCharsets.UTF_8);
                if (MessageDigest.isEqual(mac(secret, "\nname\n" + name).getBytes(StandardCharsets.UTF_8), brought)) {
                    return name;
                }
            }
        }
        return "";
    }

    private static String name(String base64) {
        try {
            return new String(Base64.getUrlDecoder().decode(base64), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    /** What a form of this session and this user has to bring. */
    String token(byte[] secret, @Nullable String user) {
        return mac(secret, "\n" + (user == null ? "" : user));
    }

    private String mac(byte[] secret, String about) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            String subject = id + about;
            return HexFormat.of().formatHex(mac.doFinal(subject.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("every Java has HmacSHA256", e);
        }
    }

    boolean isToken(byte[] secret, @Nullable String user, String brought) {
        return !isNew
                && MessageDigest.isEqual(
                        token(secret, user).getBytes(StandardCharsets.UTF_8), brought.getBytes(StandardCharsets.UTF_8));
    }
}
