package dev.idempotency.docs;

import dev.idempotency.slack.SlackIntake;
import dev.idempotency.slack.SocketModeClient;

final class SlackSocketSnippets {
    private SlackSocketSnippets() {}

    static SocketModeClient client(SlackIntake intake) {
        // tag::socket[]
        SocketModeClient client = SocketModeClient.builder(intake, System.getenv("SLACK_APP_TOKEN"))
                .connections(2) // the sudden death of one leaves no gap
                .start();
        // end::socket[]
        return client;
    }
}
