package com.example.shop;

import java.util.UUID;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** The control: the same call to the same provider without the library, as it is often written. */
@RestController
class Unprotected {
    private final ChargeClient client;

    Unprotected(ChargeClient client) {
        this.client = client;
    }

    @PostMapping("/unprotected")
    @ResponseStatus(HttpStatus.CREATED)
    Charge pay(@RequestBody Order order) {
        return client.charge(order, UUID.randomUUID().toString());
    }
}
