package com.example.shop;

import java.net.URI;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The properties {@code shop.*}.
 *
 * @param providerUrl the address of the payment provider that {@code /charges} is added to
 * @param lease how long a reservation holds without being renewed
 * @param waitForStore how long a run waits for a connection to the records
 */
@ConfigurationProperties("shop")
record ShopSettings(
        URI providerUrl,
        @DefaultValue("30s") Duration lease,
        @DefaultValue("5s") Duration waitForStore) {}
