package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * A request as Slack makes it, changed in ways that a seed chooses: its bytes before they are signed or after, its headers, how its
 * body arrives. Knows what may be answered.
 */
final class FuzzedRequest {
    static final int MAX_BODY = 32 * 1024;

    private static final List<String> WORDS = List.of(
            "",
            "0",
            "-1",
            "null",
            "true",
            "1e9999",
            "9".repeat(1_100),
            "\"",
            "{}",
            "[]",
            "event_callback",
            "url_verification",
            "message_changed",
            "\u0000",
            "\ud800",
            "\r\n\r\n",
            "%",
            "%00",
            "\u8239",
            "a".repeat(9_000));
    private static final List<String> NAMES = List.of(
            "type",
            "event",
            "event_id",
            "api_app_id",
            "team_id",
            "ts",
            "event_ts",
            "channel",
            "subtype",
            "event_time",
            "challenge",
            "command",
            "payload",
            "view",
            "actions",
            "trigger_id",
            "minute_rate_limited",
            "new\u0000name");
    private static final List<Charset> CHARSETS =
            List.of(StandardCharsets.UTF_16, StandardCharsets.UTF_16LE, StandardCharsets.ISO_8859_1);

    private final Random random;
    private final Map<String, List<String>> headers = new LinkedHashMap<>();
    private String method = "POST";
    /** What arrives before the connection ends, in whatever way. */
    private byte[] body;

    private boolean breaksOff;
    private String contentType = Requests.JSON;
    private final Requests.Counting stream;

    FuzzedRequest(long seed) {
        // Neighbouring seeds begin alike.
        random = new Random(seed * 0x9E3779B97F4A7C15L);
        body = wellMade();
        for (int i = random.nextInt(4); i > 0; i--) {
            changeBody();
        }
        sign();
        // Half of them stay signed by Slack.
        if (random.nextBoolean()) {
            for (int i = random.nextInt(4); i > 0; i--) {
                changeHeader();
            }
            if (random.nextInt(4) == 0) {
                changeBody();
            }
        }
        if (random.nextInt(10) == 0) {
            method = pick(List.of("GET", "PUT", "HEAD", "post", "", "P\u0000ST"));
        }
        stream = new Requests.Counting(arriving());
    }

    private <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    private byte[] wellMade() {
        String name = pick(Fixtures.ALL);
        ObjectNode json = Fixtures.json(name);
        for (int i = random.nextInt(3); i > 0; i--) {
            changeValue(json);
        }
        boolean isForm = random.nextInt(4) == 0;
        if (!isForm) {
            return json.toString().getBytes(StandardCharsets.UTF_8);
        }
        contentType = Requests.FORM;
        var fields = new ArrayList<String>();
        if (random.nextBoolean()) {
            fields.add("payload=" + URLEncoder.encode(json.toString(), StandardCharsets.UTF_8));
        } else {
            json.properties()
                    .forEach(field -> fields.add(field.getKey() + "="
                            + URLEncoder.encode(field.getValue().asText(), StandardCharsets.UTF_8)));
        }
        return String.join("&", fields).getBytes(StandardCharsets.UTF_8);
    }

    private void changeValue(ObjectNode json) {
        JsonNode inner = json.path("event");
        ObjectNode target = inner instanceof ObjectNode event && random.nextBoolean() ? event : json;
        String name = pick(NAMES);
        switch (random.nextInt(7)) {
            case 0 -> target.put(name, pick(WORDS));
            case 1 -> target.put(name, random.nextLong());
            case 2 -> target.put(name, random.nextDouble() * Double.MAX_VALUE);
            case 3 -> target.putArray(name).add(pick(WORDS));
            case 4 -> target.putObject(name).put(pick(NAMES), pick(WORDS));
            case 5 -> target.putNull(name);
            default -> target.remove(name);
        }
    }

    private void changeBody() {
        int at = random.nextInt(body.length + 1);
        switch (random.nextInt(11)) {
            case 0 -> {
                for (int i = random.nextInt(8); i >= 0 && body.length > 0; i--) {
                    body[random.nextInt(body.length)] ^= (byte) (1 << random.nextInt(8));
                }
            }
            case 1 -> body = Arrays.copyOf(body, at);
            case 2 -> body = Arrays.copyOfRange(body, at, body.length);
            case 3 -> body = spliced(at, noise(random.nextInt(64)));
            case 4 -> body = spliced(at, pick(WORDS).getBytes(StandardCharsets.UTF_8));
            case 5 -> body = new String(body, StandardCharsets.UTF_8).getBytes(pick(CHARSETS));
            case 6 -> body = noise(random.nextInt(2_000));
            case 7 -> body = spliced(at, Arrays.copyOfRange(body, Math.min(at, body.length), body.length));
            case 8 -> body = spliced(at, "[".repeat(random.nextInt(MAX_BODY)).getBytes(StandardCharsets.UTF_8));
            case 9 -> {
                String open = "{\"a\":".repeat(random.nextInt(5_000));
                body = (open + "1" + "}".repeat(open.length() / 5)).getBytes(StandardCharsets.UTF_8);
            }
            default -> body = spliced(at, new byte[MAX_BODY - 100 + random.nextInt(MAX_BODY)]);
        }
    }

    private byte[] noise(int length) {
        byte[] noise = new byte[length];
        random.nextBytes(noise);
        return noise;
    }

    private byte[] spliced(int at, byte[] more) {
        var all = new ByteArrayOutputStream();
        all.write(body, 0, at);
        all.writeBytes(more);
        all.write(body, at, body.length - at);
        return all.toByteArray();
    }

    private void sign() {
        long when = random.nextInt(8) > 0 ? Requests.NOW : Requests.NOW + random.nextInt(900) - 450;
        headers.putAll(Requests.headers(contentType, body, when));
        if (random.nextInt(3) == 0) {
            headers.remove("Content-Length");
        }
        if (random.nextInt(3) == 0) {
            headers.put("X-Slack-Retry-Num", List.of(pick(List.of("1", "2", "3", "", "x", "99999999999999999999"))));
            headers.put("X-Slack-Retry-Reason", List.of(pick(WORDS)));
        }
    }

    private void changeHeader() {
        String name = pick(new ArrayList<>(headers.keySet()));
        if (name == null) {
            return;
        }
        List<String> values = headers.get(name);
        switch (random.nextInt(8)) {
            case 0 -> headers.remove(name);
            case 1 -> headers.put(name, List.of());
            case 2 -> headers.put(name, List.of(pick(WORDS)));
            case 3 -> {
                List<String> twice = new ArrayList<>(values);
                twice.addAll(values);
                headers.put(name, twice);
            }
            case 4 -> {
                headers.remove(name);
                headers.put(
                        random.nextBoolean() ? name.toUpperCase(Locale.ROOT) : name.toLowerCase(Locale.ROOT), values);
            }
            case 5 -> headers.put(name.toLowerCase(Locale.ROOT), List.of(pick(WORDS)));
            case 6 -> headers.put(null, List.of(pick(WORDS)));
            default -> headers.put(name, Collections.singletonList(null));
        }
    }

    private InputStream arriving() {
        var all = new ByteArrayInputStream(body);
        return switch (random.nextInt(8)) {
            case 0 ->
                new InputStream() {
                    @Override
                    public int read() {
                        return all.read();
                    }

                    @Override
                    public int read(byte[] into, int offset, int length) {
                        return all.read(into, offset, Math.min(length, 1 + random.nextInt(50)));
                    }
                };
            case 1 -> {
                breaksOff = true;
                byte[] some = Arrays.copyOf(body, random.nextInt(body.length + 1));
                yield new InputStream() {
                    private final InputStream from = new ByteArrayInputStream(some);

                    @Override
                    public int read() throws IOException {
                        int one = from.read();
                        if (one >= 0) {
                            return one;
                        }
                        if (random.nextBoolean()) {
                            throw new IOException("simulated");
                        }
                        throw new IllegalStateException("simulated");
                    }

                    @Override
                    public int read(byte[] into, int offset, int length) throws IOException {
                        int read = from.read(into, offset, length);
                        return read >= 0 ? read : read();
                    }
                };
            }
            default -> all;
        };
    }

    SlackRequest request() {
        return new SlackRequest(method, headers, stream);
    }

    /** What is wrong with the answer; empty when nothing is. */
    String fault(int status) {
        if (stream.read > MAX_BODY + 1) {
            return stream.read + " bytes were read; the cap is " + MAX_BODY;
        }
        if (!List.of(200, 400, 401, 405, 413).contains(status)) {
            return "status " + status;
        }
        if (status == 200 && !isSigned()) {
            return "200 for what Slack has not signed";
        }
        if (status != 200 && isSigned() && !mayBeRefused()) {
            return "status " + status + " for what Slack has signed";
        }
        return "";
    }

    private boolean mayBeRefused() {
        return !method.equals("POST") || breaksOff || body.length > MAX_BODY || isLengthOdd();
    }

    private boolean isLengthOdd() {
        String length = only("content-length");
        return length != null && !length.equals(Integer.toString(body.length));
    }

    private boolean isSigned() {
        String when = only("x-slack-request-timestamp");
        if (when == null || !when.matches("[0-9]{1,12}") || breaksOff) {
            return false;
        }
        long timestamp = Long.parseLong(when);
        return Math.abs(timestamp - Requests.NOW) <= 300
                && Requests.sign(Requests.SECRET, timestamp, body).equals(only("x-slack-signature"));
    }

    private String only(String name) {
        List<String> values = headers.entrySet().stream()
                .filter(header -> name.equalsIgnoreCase(header.getKey()))
                .flatMap(header -> header.getValue().stream())
                .filter(value -> value != null)
                .toList();
        return values.size() == 1 ? values.get(0) : null;
    }
}
