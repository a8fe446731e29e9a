package dev.idempotency.docs;

import dev.idempotency.Idempotency;
import dev.idempotency.Operation;
import dev.idempotency.docs.QuickstartSnippets.Charge;
import dev.idempotency.docs.QuickstartSnippets.ChargeRequest;
import dev.idempotency.encryption.EncryptedCodec;
import javax.crypto.SecretKey;

final class EncryptionSnippets {
    private EncryptionSnippets() {}

    interface Provider {
        Charge charge(ChargeRequest request) throws Exception;
    }

    static Operation<ChargeRequest, Charge> charging(
            Idempotency idempotency, Provider provider, SecretKey newKey, SecretKey oldKey) {
        // tag::encrypt[]
        var encrypted = EncryptedCodec.around(idempotency.codec(Charge.class)) // JSON
                .encryptWith("2026-11", newKey)
                .decryptWith("2026-05", oldKey)
                .build();

        var charge = idempotency
                .operation("charge-card", ChargeRequest.class, Charge.class)
                .key(ChargeRequest::orderId)
                .codec(encrypted)
                .calling((r, attempt) -> provider.charge(r));
        // end::encrypt[]
        return charge;
    }
}
