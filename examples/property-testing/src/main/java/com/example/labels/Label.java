package com.example.labels;

/** A label that was paid for. */
public record Label(String trackingNumber) {}
