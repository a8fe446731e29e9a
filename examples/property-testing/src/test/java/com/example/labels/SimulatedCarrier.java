package com.example.labels;

import dev.idempotency.testkit.Effect;
import dev.idempotency.testkit.ProviderBehavior;
import dev.idempotency.testkit.Reply;
import dev.idempotency.testkit.app.ProviderWire;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** The carrier's API on the kit's provider, in place of the HTTP client. */
record SimulatedCarrier(ProviderWire wire) implements Carrier {
    /** As its documentation says: no idempotency keys, and a list that lags. */
    static final ProviderBehavior BEHAVIOR = ProviderBehavior.none().withLookup(Duration.ofSeconds(2));

    @Override
    public Bought buy(String reference, int grams) throws IOException {
        Reply reply = wire.send(null, reference, Integer.toString(grams));
        if (reply instanceof Reply.Created created) {
            return bought(created.effect());
        }
        throw new StatusException(
                reply instanceof Reply.Declined ? 402 : reply instanceof Reply.RateLimited ? 429 : 500);
    }

    private static Bought bought(Effect effect) {
        return new Bought(effect.effectId(), effect.reference(), Integer.parseInt(effect.payload()));
    }

    @Override
    public List<Bought> byReference(String reference) throws IOException {
        return wire.lookup(reference).stream().map(SimulatedCarrier::bought).toList();
    }

    @Override
    public List<Bought> byWeight(int grams) throws IOException {
        return wire.search(effect -> effect.payload().equals(Integer.toString(grams))).stream()
                .map(SimulatedCarrier::bought)
                .toList();
    }
}
