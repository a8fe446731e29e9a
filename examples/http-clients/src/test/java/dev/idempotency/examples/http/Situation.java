package dev.idempotency.examples.http;

/** What becomes of the first request for a write, which the server has read to its end. Every later one is answered with 200. */
enum Situation {
    CLOSED_NEW("closed, new connection", false, ""),
    CLOSED_USED("closed, used connection", true, ""),
    RESET_USED("reset, used connection", true, ""),
    TIMEOUT("408", false, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
    UNAVAILABLE("503, Retry-After: 0", false, "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"),
    REDIRECT("307", false, "HTTP/1.1 307 Elsewhere\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");

    private final String column;
    private final boolean onUsedConnection;
    private final String answer;

    Situation(String column, boolean onUsedConnection, String answer) {
        this.column = column;
        this.onUsedConnection = onUsedConnection;
        this.answer = answer;
    }

    /** The column of the guide's table. */
    String column() {
        return column;
    }

    /** Whether the connection has had a request and an answer before. */
    boolean isOnUsedConnection() {
        return onUsedConnection;
    }

    /** Empty where the connection ends without a byte of an answer. */
    String answer() {
        return answer;
    }
}
