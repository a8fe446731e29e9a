package com.example.shop;

/** What a customer wants to pay: the request of the operation {@code charge}. */
record Order(String orderId, long amount, String currency, String customer) {}
