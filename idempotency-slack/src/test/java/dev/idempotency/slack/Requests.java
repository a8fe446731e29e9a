package dev.idempotency.slack;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Requests as Slack makes them, signed; and the clock that goes with them. */
final class Requests {
    static final String SECRET = "a signing secret of nobody";
    static final long NOW = 1_767_225_601;
    static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(NOW), ZoneOffset.UTC);
    static final String JSON = "application/json";
    static final String FORM = "application/x-www-form-urlencoded";

    private Requests() {}

    static String sign(String secret, long timestamp, byte[] body) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            mac.update(("v0:" + timestamp + ":").getBytes(StandardCharsets.US_ASCII));
            return "v0=" + HexFormat.of().formatHex(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** Headers of a good request; may be changed. */
    static Map<String, List<String>> headers(String contentType, byte[] body) {
        return headers(contentType, body, NOW);
    }

    static Map<String, List<String>> headers(String contentType, byte[] body, long timestamp) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("Content-Type", new ArrayList<>(List.of(contentType)));
        headers.put("Content-Length", new ArrayList<>(List.of(Integer.toString(body.length))));
        headers.put("X-Slack-Request-Timestamp", new ArrayList<>(List.of(Long.toString(timestamp))));
        headers.put("X-Slack-Signature", new ArrayList<>(List.of(sign(SECRET, timestamp, body))));
        return headers;
    }

    static SlackRequest json(byte[] body) {
        return new SlackRequest("POST", headers(JSON, body), new Counting(body));
    }

    static SlackRequest json(String body) {
        return json(body.getBytes(StandardCharsets.UTF_8));
    }

    static SlackRequest form(String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        return new SlackRequest("POST", headers(FORM, bytes), new Counting(bytes));
    }

    /** Knows how much of it was read. */
    static final class Counting extends InputStream {
        private final InputStream from;
        long read;

        Counting(byte[] bytes) {
            this(new ByteArrayInputStream(bytes));
        }

        Counting(InputStream from) {
            this.from = from;
        }

        @Override
        public int read() throws IOException {
            int one = from.read();
            read += one < 0 ? 0 : 1;
            return one;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int some = from.read(into, offset, length);
            read += Math.max(0, some);
            return some;
        }
    }
}
