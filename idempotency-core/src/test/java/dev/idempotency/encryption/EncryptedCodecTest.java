package dev.idempotency.encryption;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.idempotency.Codec;
import dev.idempotency.Finding;
import dev.idempotency.Idempotency;
import dev.idempotency.IdempotencyEvent;
import dev.idempotency.IdempotencyKey;
import dev.idempotency.InDoubtException;
import dev.idempotency.Operation;
import dev.idempotency.Recovery;
import dev.idempotency.ResultUnavailableException;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.encryption.EncryptedCodec.EncryptionException;
import dev.idempotency.encryption.EncryptedCodec.EncryptionException.Reason;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.KeyGenerator;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EncryptedCodecTest {
    private static final String SECRET = "receipt 4711";
    private static final byte[] MATERIAL = new byte[32];

    static {
        for (int i = 0; i < MATERIAL.length; i++) {
            MATERIAL[i] = (byte) i;
        }
    }

    private static final SecretKey KEY = new SecretKeySpec(MATERIAL, "AES");
    private static final SecretKey OTHER = newKey(256);

    private record Order(String id, long amount) {}

    private record Receipt(String card) {}

    /** UTF-8, with an exception that repeats what it read, as many parsers have. */
    private record Text(String id) implements Codec<String> {
        @Override
        public byte[] encode(String value) {
            if (value.isEmpty()) {
                throw new IllegalArgumentException("cannot encode '" + SECRET + "'");
            }
            return value.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public String decode(byte[] bytes) {
            String text = new String(bytes, StandardCharsets.UTF_8);
            if (text.startsWith("bad")) {
                throw new IllegalArgumentException("cannot decode '" + text + "'");
            }
            return text;
        }
    }

    private static SecretKey newKey(int bits) {
        try {
            KeyGenerator generator = KeyGenerator.getInstance("AES");
            generator.init(bits);
            return generator.generateKey();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static EncryptedCodec<String> codec(String id, SecretKey key) {
        return EncryptedCodec.around(new Text("text")).encryptWith(id, key).build();
    }

    private static Reason reasonOf(Codec<String> codec, byte[] bytes) {
        var failure = catchThrowableOfType(EncryptionException.class, () -> codec.decode(bytes));
        assertThat(failure).as("decoding fails").isNotNull();
        assertThat(failure.toString())
                .doesNotContain(SECRET)
                .doesNotContain(HexFormat.of().formatHex(MATERIAL));
        assertThat(failure.getCause()).isNull();
        return failure.reason();
    }

    /** Made with another implementation of AES-GCM, from the format as it is documented. */
    @Test
    void encode_givenKeyAndNonce_isTheKnownAnswer() throws Exception {
        byte[] nonce = HexFormat.of().parseHex("404142434445464748494a4b");
        var codec = new EncryptedCodec<>(new Text("text"), "2026-11", Map.of("2026-11", KEY), () -> nonce);
        String known = "01" + "07" + "323032362d3131" + "404142434445464748494a4b" + "90dccd464f4cf323f9f32607"
                + "dd0c12839342550eac04af76a40bb4b5";

        assertThat(HexFormat.of().formatHex(codec.encode(SECRET))).isEqualTo(known);
        assertThat(codec("2026-11", KEY).decode(HexFormat.of().parseHex(known))).isEqualTo(SECRET);
    }

    @Test
    void id_namesTheFormat_andNotTheKey() {
        assertThat(codec("2026-11", KEY).id())
                .isEqualTo("a256gcm-1+text")
                .isEqualTo(codec("2026-12", OTHER).id());
        assertThatThrownBy(() -> EncryptedCodec.around(new Text("t".repeat(55))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("54");
        assertThat(EncryptedCodec.around(new Text("t".repeat(54)))
                        .encryptWith("k", KEY)
                        .build()
                        .id())
                .hasSize(64);
    }

    @Test
    void encode_oneValueTwice_differsAndIsTheSame() throws Exception {
        var codec = codec("2026-11", KEY);
        byte[] one = codec.encode(SECRET);
        byte[] other = codec.encode(SECRET);

        assertThat(one).isNotEqualTo(other);
        assertThat(codec.isSame(one, other)).isTrue();
        assertThat(codec.isSame(one, codec.encode("another"))).isFalse();
        assertThat(codec("2026-12", OTHER).isSame(one, one)).isTrue();
        assertThat(codec("2026-12", OTHER).isSame(one, other)).isFalse();
        assertThat(new String(one, StandardCharsets.ISO_8859_1))
                .doesNotContain(SECRET)
                .contains("2026-11");
    }

    @Test
    void decode_everyBitOfEveryByteChanged_isRefused() throws Exception {
        var codec = EncryptedCodec.around(new Text("text"))
                .encryptWith("2026-11", KEY)
                .decryptWith("2026-10", KEY)
                .decryptWith("2026-12", OTHER)
                .build();
        byte[] encrypted = codec.encode(SECRET);

        for (int i = 0; i < encrypted.length; i++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] tampered = encrypted.clone();
                tampered[i] ^= (byte) (1 << bit);
                Reason reason = reasonOf(codec, tampered);
                if (i >= 9) {
                    assertThat(reason).as("byte " + i).isEqualTo(Reason.NOT_AUTHENTIC);
                }
            }
        }
    }

    @Test
    void decode_keyIdExchangedForOneOfTheSameKey_isRefused() throws Exception {
        var codec = EncryptedCodec.around(new Text("text"))
                .encryptWith("2026-11", KEY)
                .decryptWith("2026-10", KEY)
                .build();
        byte[] encrypted = codec.encode(SECRET);
        encrypted[8] = '0';

        assertThat(reasonOf(codec, encrypted)).isEqualTo(Reason.NOT_AUTHENTIC);
    }

    @Test
    void decode_everyLengthButTheRightOne_isRefused() throws Exception {
        var codec = codec("2026-11", KEY);
        byte[] encrypted = codec.encode(SECRET);

        for (int length = 0; length < encrypted.length; length++) {
            assertThat(reasonOf(codec, Arrays.copyOf(encrypted, length))).isIn(Reason.TRUNCATED, Reason.NOT_AUTHENTIC);
        }
        assertThat(reasonOf(codec, Arrays.copyOf(encrypted, encrypted.length + 1)))
                .isEqualTo(Reason.NOT_AUTHENTIC);
    }

    @Test
    void decode_otherKeys_saysWhich() throws Exception {
        byte[] encrypted = codec("2026-11", KEY).encode(SECRET);

        assertThat(reasonOf(codec("2026-11", OTHER), encrypted)).isEqualTo(Reason.NOT_AUTHENTIC);
        assertThat(reasonOf(codec("2026-12", OTHER), encrypted)).isEqualTo(Reason.UNKNOWN_KEY);
        assertThatThrownBy(() -> codec("2026-12", OTHER).decode(encrypted))
                .hasMessageContaining("'2026-11'")
                .hasMessageContaining("[2026-12]");
    }

    @Test
    void decode_writtenAroundAnotherCodec_isRefused() throws Exception {
        byte[] encrypted = codec("2026-11", KEY).encode(SECRET);
        var other = EncryptedCodec.around(new Text("other"))
                .encryptWith("2026-11", KEY)
                .build();

        assertThat(reasonOf(other, encrypted)).isEqualTo(Reason.NOT_AUTHENTIC);
    }

    @Test
    void decode_whatIsNotEncrypted_isRefused() {
        var codec = codec("2026-11", KEY);

        assertThat(reasonOf(codec, "{\"card\":\"4711\"}".getBytes(StandardCharsets.UTF_8)))
                .isEqualTo(Reason.FORMAT);
        byte[] forged = new byte[64];
        forged[0] = 1;
        forged[1] = 3;
        forged[2] = '\n';
        assertThat(reasonOf(codec, forged)).isEqualTo(Reason.FORMAT);
    }

    @Test
    void innerCodec_fails_itsMessageIsNotRepeated() throws Exception {
        var codec = codec("2026-11", KEY);
        byte[] bad = codec.encode("bad " + SECRET);

        assertThat(reasonOf(codec, bad)).isEqualTo(Reason.INNER_CODEC);
        Throwable failure = catchThrowable(() -> codec.encode(""));
        assertThat(failure)
                .isInstanceOf(EncryptionException.class)
                .hasNoCause()
                .hasMessageNotContaining(SECRET)
                .hasMessageContaining("IllegalArgumentException");
    }

    @Test
    void toString_namesIds_andNoKey() {
        assertThat(codec("2026-11", KEY))
                .hasToString("EncryptedCodec[a256gcm-1+text, encrypts with 2026-11, decrypts [2026-11]]");
    }

    @ParameterizedTest
    @ValueSource(ints = {128, 192})
    void builder_shorterKey_isRefused(int bits) {
        assertThatThrownBy(() -> codec("2026-11", newKey(bits)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("256");
    }

    @Test
    void builder_contradictions_areRefused() {
        var builder = EncryptedCodec.around(new Text("text"));
        assertThatThrownBy(builder::build).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> builder.encryptWith("a b", KEY)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.encryptWith("a", new SecretKeySpec(MATERIAL, "HmacSHA256")))
                .isInstanceOf(IllegalArgumentException.class);
        builder.encryptWith("a", KEY);
        assertThatThrownBy(() -> builder.encryptWith("b", KEY)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> builder.decryptWith("a", OTHER)).isInstanceOf(IllegalStateException.class);
    }

    // ---- through an operation

    private final AtomicLong nanos = new AtomicLong();
    private final CaffeineIdempotencyStore store =
            CaffeineIdempotencyStore.create(1000, nanos::get, Instant.parse("2026-01-01T00:00:00Z"));
    private final List<IdempotencyEvent> events = new CopyOnWriteArrayList<>();
    private final Idempotency idempotency =
            Idempotency.builder(store).listener(events::add).build();
    private final AtomicInteger calls = new AtomicInteger();

    private Codec<Receipt> receipts(String id, SecretKey key) {
        return EncryptedCodec.around(idempotency.codec(Receipt.class))
                .encryptWith(id, key)
                .build();
    }

    private Operation<Order, Receipt> charge(Codec<Receipt> codec) {
        return idempotency
                .operation("charge", Order.class, Receipt.class)
                .key(Order::id)
                .codec(codec)
                .calling((order, attempt) -> {
                    calls.incrementAndGet();
                    return new Receipt(SECRET);
                });
    }

    private byte[] stored(Order order) {
        return store.find(new IdempotencyKey("charge", order.id()))
                .record()
                .result()
                .bytes();
    }

    @Test
    void operation_afterRotation_replaysWhatTheOldKeyEncrypted() {
        var order = new Order("o-1", 100);
        Receipt first = charge(receipts("2026-05", OTHER)).execute(order);
        Codec<Receipt> rotated = EncryptedCodec.around(idempotency.codec(Receipt.class))
                .encryptWith("2026-11", KEY)
                .decryptWith("2026-05", OTHER)
                .build();

        assertThat(charge(rotated).execute(order)).isEqualTo(first).isEqualTo(new Receipt(SECRET));
        charge(rotated).execute(new Order("o-2", 100));

        assertThat(calls).hasValue(2);
        assertThat(new String(stored(order), StandardCharsets.ISO_8859_1))
                .contains("2026-05")
                .doesNotContain(SECRET);
        assertThat(new String(stored(new Order("o-2", 100)), StandardCharsets.ISO_8859_1))
                .contains("2026-11");
    }

    @Test
    void operation_keyRemoved_hasNoResultAndCallsNothing() {
        var order = new Order("o-1", 100);
        charge(receipts("2026-05", OTHER)).execute(order);

        assertThatThrownBy(() -> charge(receipts("2026-11", KEY)).execute(order))
                .isInstanceOf(ResultUnavailableException.class)
                .hasMessageNotContaining(SECRET)
                .cause()
                .isInstanceOf(EncryptionException.class)
                .hasMessageContaining("2026-05");
        assertThat(calls).hasValue(1);
    }

    @Test
    void operation_resultCannotBeEncoded_isInDoubtWithoutRepeatingIt() {
        var failing = EncryptedCodec.around(new Text("text"))
                .encryptWith("2026-11", KEY)
                .build();
        var operation = idempotency
                .operation("charge", Order.class, String.class)
                .key(Order::id)
                .codec(failing)
                .calling((order, attempt) -> "");

        assertThatThrownBy(() -> operation.execute(new Order("o-1", 1)))
                .isInstanceOf(InDoubtException.class)
                .hasMessageNotContaining(SECRET)
                .hasStackTraceContaining("EncryptionException")
                .hasRootCauseInstanceOf(EncryptionException.class);
    }

    /** Bytes differ from one encryption to the next: only their values tell an answer from a contradiction. */
    @ParameterizedTest
    @ValueSource(strings = {SECRET, "another"})
    void lateAnswer_afterItWasFound_isAnAlarmOnlyIfItDiffers(String found) throws Exception {
        var order = new Order("o-1", 100);
        var calling = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        Codec<Receipt> codec = receipts("2026-11", KEY);
        var slow = idempotency
                .operation("charge", Order.class, Receipt.class)
                .key(Order::id)
                .codec(codec)
                .recovery(Recovery.lookup((request, attempt) -> Finding.found(new Receipt(found))))
                .lease(Duration.ofHours(1))
                .calling((request, attempt) -> {
                    calling.countDown();
                    assertThat(goOn.await(30, TimeUnit.SECONDS)).isTrue();
                    return new Receipt(SECRET);
                });
        var other = Idempotency.on(store)
                .operation("charge", Order.class, Receipt.class)
                .key(Order::id)
                .codec(codec)
                .recovery(Recovery.lookup((request, attempt) -> Finding.found(new Receipt(found))))
                .calling((request, attempt) -> {
                    throw new AssertionError("a second call");
                });

        var late = CompletableFuture.supplyAsync(() -> slow.execute(order));
        assertThat(calling.await(30, TimeUnit.SECONDS)).isTrue();
        nanos.addAndGet(Duration.ofHours(2).toNanos());
        assertThat(other.execute(order)).isEqualTo(new Receipt(found));
        goOn.countDown();

        assertThat(late.get(30, TimeUnit.SECONDS)).isEqualTo(new Receipt(found.equals(SECRET) ? SECRET : found));
        assertThat(events.stream().filter(event -> event.type().isAlarm()).map(IdempotencyEvent::type))
                .isEqualTo(found.equals(SECRET) ? List.of() : List.of(IdempotencyEvent.Type.CONFLICT));
    }
}
