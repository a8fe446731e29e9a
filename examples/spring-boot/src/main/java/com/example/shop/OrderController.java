package com.example.shop;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Takes orders. A client that got no answer sends the same order again, as often as it likes. */
@RestController
class OrderController {
    private final Checkout checkout;

    OrderController(Checkout checkout) {
        this.checkout = checkout;
    }

    @PostMapping("/orders")
    @ResponseStatus(HttpStatus.CREATED)
    Charge pay(@RequestBody Order order) {
        return checkout.pay(order);
    }
}
