package dev.idempotency.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.idempotency.Idempotency;
import dev.idempotency.caffeine.CaffeineIdempotencyStore;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.encryption.EncryptedCodec.EncryptionException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import javax.crypto.KeyGenerator;
import javax.crypto.SecretKey;
import org.junit.jupiter.api.Test;

final class EncryptionTest {
    private static SecretKey key() throws Exception {
        var generator = KeyGenerator.getInstance("AES");
        generator.init(256);
        return generator.generateKey();
    }

    @Test
    void example_encryptsWhatTheStoreHolds_andReplaysIt() throws Exception {
        var store = CaffeineIdempotencyStore.create();
        var calls = new AtomicInteger();
        try (var idempotency = Idempotency.on(store)) {
            var request = new ChargeRequest("ORD-1", 1250, "EUR", "Ada");
            var charge = EncryptionSnippets.charging(
                    idempotency,
                    r -> {
                        calls.incrementAndGet();
                        return new Charge("ch-secret", r.amount());
                    },
                    key(),
                    key());

            assertThat(charge.execute(request)).isEqualTo(charge.execute(request));
            assertThat(calls).hasValue(1);
            byte[] stored = store.find(charge.keyOf(request)).record().result().bytes();
            assertThat(new String(stored, StandardCharsets.ISO_8859_1))
                    .contains("2026-11")
                    .doesNotContain("ch-secret");
        }
    }

    @Test
    void reasons_ofTheGuide_areThoseOfTheCode() {
        assertThat(Markdown.of("docs/encryption.md").table("Reason", "What happened").stream()
                        .map(row -> row.get(0)))
                .containsExactlyElementsOf(Arrays.stream(EncryptionException.Reason.values())
                        .map(Enum::name)
                        .toList());
    }
}
