package dev.idempotency.slack.testkit;

/**
 * How far a run is.
 *
 * @param isTold whether everything was delivered or given up, and nothing more will come
 * @param deliveries how many deliveries were planned so far
 * @param wanted how many are to be planned
 * @param outstanding how many of them are neither acknowledged nor given up
 * @param failing how many of those have failed, and have more than one attempt left
 * @param lastChance how many of those have one attempt left: if the app is away then, Slack gives them up
 * @param lastUnderWay how many last attempts are being made just now
 * @param events what people did so far that asks for a reply
 * @param effects what the app has posted so far
 * @param missing events that have no reply yet
 * @param wrong duplicates and unasked posts so far
 * @param lateAcks attempts so far that the app did not answer in time
 *
 * @since 0.1.0
 */
public record DeliveryStatus(
        boolean isTold,
        int deliveries,
        int wanted,
        int outstanding,
        int failing,
        int lastChance,
        int lastUnderWay,
        int events,
        int effects,
        int missing,
        int wrong,
        int lateAcks) {}
