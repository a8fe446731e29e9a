package dev.idempotency;

import dev.idempotency.ProviderProfile.KeyFormat;
import java.time.Duration;

/**
 * Profiles of well-known providers, each with the page that its facts come from. Where a provider publishes no window,
 * the profile has none, and you must give it the one that your contract says.
 *
 * @since 0.1.0
 */
public final class Providers {
    /** Stripe's first API: keys of up to 255 characters, kept at least 24 hours; replays the first response, 500s too. */
    public static final ProviderProfile STRIPE_V1 = ProviderProfile.of(
            "Stripe v1", "https://docs.stripe.com/api/idempotent_requests", KeyFormat.uuid(), Duration.ofHours(24));

    /** Stripe's second API: kept 30 days; repeats failed work, so that the answer may differ from the first. */
    public static final ProviderProfile STRIPE_V2 = ProviderProfile.of(
            "Stripe v2", "https://docs.stripe.com/error-low-level", KeyFormat.uuid(), Duration.ofDays(30));

    /** PayPal's Orders v2: up to 108 characters, kept 6 hours; answers with the latest status. */
    public static final ProviderProfile PAYPAL_ORDERS_V2 = ProviderProfile.of(
            "PayPal Orders v2",
            "https://developer.paypal.com/docs/api/orders/v2/",
            KeyFormat.uuid(),
            Duration.ofHours(6));

    /** Checkout.com: kept 24 hours; only successful responses are replayed. */
    public static final ProviderProfile CHECKOUT_COM = ProviderProfile.of(
            "Checkout.com",
            "https://www.checkout.com/docs/payments/manage-payments/idempotency",
            KeyFormat.uuid(),
            Duration.ofHours(24));

    /** Qonto: kept 30 minutes, and a different body still gets the first response. */
    public static final ProviderProfile QONTO = ProviderProfile.of(
            "Qonto",
            "https://docs.qonto.com/get-started/general/idempotent-requests",
            KeyFormat.uuid(),
            Duration.ofMinutes(30));

    /** Adyen: up to 64 characters; the window that is published has changed, so it has to be given. */
    public static final ProviderProfile ADYEN = ProviderProfile.withoutWindow(
            "Adyen", "https://docs.adyen.com/development-resources/api-idempotency", KeyFormat.uuid());

    /** Square: up to 45 characters; no window is published. */
    public static final ProviderProfile SQUARE =
            ProviderProfile.withoutWindow("Square", "https://developer.squareup.com", KeyFormat.uuid());

    /** BlueSnap: up to 64 letters, digits and hyphens; no window is published. */
    public static final ProviderProfile BLUESNAP =
            ProviderProfile.withoutWindow("BlueSnap", "https://developers.bluesnap.com", KeyFormat.uuid());

    private Providers() {}
}
