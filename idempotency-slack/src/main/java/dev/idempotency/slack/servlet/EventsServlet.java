package dev.idempotency.slack.servlet;

import dev.idempotency.slack.EventsEndpoint;
import dev.idempotency.slack.SlackRequest;
import dev.idempotency.slack.SlackResponse;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The endpoint as a servlet. It reads the raw body, so no filter before it may read a parameter of the request: that would take a
 * form's body away. Thread-safe.
 *
 * @since 0.1.0
 */
public final class EventsServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;

    private final transient EventsEndpoint endpoint;

    /**
     * A servlet for an endpoint.
     *
     * @param endpoint what answers
     * @throws NullPointerException if {@code endpoint} is null
     */
    public EventsServlet(EventsEndpoint endpoint) {
        this.endpoint = Objects.requireNonNull(endpoint, "endpoint");
    }

    /**
     * Answers whatever the method is.
     *
     * @param request what came in
     * @param response what is answered
     * @throws IOException if the answer could not be written
     */
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Map<String, List<String>> headers = new HashMap<>();
        for (String name : Collections.list(request.getHeaderNames())) {
            headers.put(name, Collections.list(request.getHeaders(name)));
        }
        SlackResponse answer = endpoint.handle(new SlackRequest(
                request.getMethod(),
                headers,
                request.getInputStream(),
                Objects.requireNonNullElse(request.getQueryString(), "")));
        response.setStatus(answer.status());
        answer.headers().forEach(response::setHeader);
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
    }
}
