package com.example.shop;

/** What the provider has charged. */
record Charge(String id, String reference, long amount) {}
