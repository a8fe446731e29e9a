package com.example.labels;

import java.time.Instant;
import java.util.Set;

/**
 * A parcel that wants a label.
 *
 * @param orderId one label for each order
 * @param grams its weight
 * @param contents what is in it, in no particular order
 * @param askedAt when the caller asked; another time with each retry
 */
public record LabelRequest(String orderId, int grams, Set<String> contents, Instant askedAt) {}
