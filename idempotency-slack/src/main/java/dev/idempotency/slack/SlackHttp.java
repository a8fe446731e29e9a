package dev.idempotency.slack;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Slack's Web API over HTTP: how a method is asked for, and what an answer says. */
final class SlackHttp {
    static final String RATE_LIMITED = "ratelimited";
    static final String NO_ANSWER = "no_answer";
    static final Duration DEFAULT_RETRY_AFTER = Duration.ofSeconds(30);
    private static final long LONGEST_RETRY_AFTER = Duration.ofHours(1).toSeconds();

    /** Errors about the app and its token, which only a person can repair; Slack has done nothing. */
    private static final Set<String> FOR_A_PERSON = Set.of(
            "access_denied",
            "accesslimited",
            "account_inactive",
            "deprecated_endpoint",
            "ekm_access_denied",
            "enterprise_is_restricted",
            "forbidden_team",
            "invalid_auth",
            "method_deprecated",
            "missing_args",
            "missing_scope",
            "no_permission",
            "not_allowed_token_type",
            "not_authed",
            "org_login_required",
            "team_access_not_granted",
            "token_expired",
            "token_revoked",
            "two_factor_setup_required");

    /**
     * Errors about the request by which Slack says that it has done nothing, as documented for its methods
     * (docs.slack.dev/reference/methods); docs/slack-errors.md has the table. What is in neither list, such as
     * {@code fatal_error}, says nothing.
     */
    private static final Set<String> ABOUT_THE_REQUEST = Set.of(
            "bad_timestamp",
            "cant_delete_message",
            "cant_update_message",
            "edit_window_closed",
            "invalid_attachments",
            "invalid_name",
            "message_not_found",
            "msg_too_large",
            "no_item_specified",
            "not_reactable",
            "request_timeout",
            "too_many_emoji",
            "too_many_reactions",
            "as_user_not_supported",
            "attachment_payload_limit_exceeded",
            "block_mismatch",
            "cannot_reply_to_message",
            "channel_is_archived",
            "channel_not_found",
            "duplicate_channel_not_found",
            "duplicate_message_not_found",
            "invalid_arg_name",
            "invalid_arguments",
            "invalid_array_arg",
            "invalid_blocks",
            "invalid_blocks_format",
            "invalid_charset",
            "invalid_cursor",
            "invalid_form_data",
            "invalid_limit",
            "invalid_metadata_format",
            "invalid_metadata_schema",
            "invalid_post_type",
            "invalid_ts_latest",
            "invalid_ts_oldest",
            "is_archived",
            "markdown_text_conflict",
            "message_limit_exceeded",
            "messages_tab_disabled",
            "metadata_must_be_sent_from_app",
            "metadata_too_large",
            "method_not_supported_for_channel_type",
            "missing_argument",
            "missing_post_type",
            "msg_blocks_too_long",
            "msg_too_long",
            "no_text",
            "not_in_channel",
            "restricted_action",
            "restricted_action_non_threadable_channel",
            "restricted_action_read_only_channel",
            "restricted_action_thread_locked",
            "restricted_action_thread_only_channel",
            "slack_connect_canvas_sharing_blocked",
            "slack_connect_file_link_sharing_blocked",
            "slack_connect_lists_sharing_blocked",
            "team_not_found",
            "thread_not_found",
            "too_many_attachments",
            "too_many_contact_cards",
            "unknown_method",
            "user_not_found");

    private SlackHttp() {}

    static Set<String> refusalsForAPerson() {
        return FOR_A_PERSON;
    }

    static Set<String> refusalsAboutTheRequest() {
        return ABOUT_THE_REQUEST;
    }

    /** The base ends with a slash; arguments that are null are left out. */
    static HttpRequest request(
            URI base,
            String method,
            String token,
            Map<String, ? extends @Nullable Object> arguments,
            Duration timeout) {
        return HttpRequest.newBuilder(base.resolve(method))
                .timeout(timeout)
                // Over plain HTTP the JDK would ask for HTTP/2 by an upgrade, which many gateways refuse.
                .version(HttpClient.Version.HTTP_1_1)
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
                .POST(HttpRequest.BodyPublishers.ofString(form(arguments)))
                .build();
    }

    private static String form(Map<String, ? extends @Nullable Object> arguments) {
        return arguments.entrySet().stream()
                .filter(argument -> argument.getValue() != null)
                .map(argument -> encoded(argument.getKey()) + "=" + encoded(String.valueOf(argument.getValue())))
                .collect(Collectors.joining("&"));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(WellFormed.text(text), StandardCharsets.UTF_8);
    }

    /**
     * What Slack answered.
     *
     * @param json empty where it was none
     * @param error Slack's word for what went wrong, or one of this class; null when it is done
     * @param retryAfter for how long not to ask again
     */
    record Answer(JsonNode json, @Nullable String error, Duration retryAfter) {
        static Answer of(HttpResponse<byte[]> response) {
            return of(
                    response.statusCode(),
                    response.headers().firstValue("Retry-After").orElse(""),
                    response.body());
        }

        static Answer of(int status, String retryAfter, byte[] body) {
            JsonNode json = json(body);
            return new Answer(json, error(status, json), wait(retryAfter));
        }

        private static JsonNode json(byte[] body) {
            try {
                return Objects.requireNonNullElse(SlackEvent.JSON.readTree(body), SlackEvent.JSON.createObjectNode());
            } catch (IOException e) {
                return SlackEvent.JSON.createObjectNode();
            }
        }

        private static @Nullable String error(int status, JsonNode json) {
            if (status == 429) {
                return RATE_LIMITED;
            }
            if (status != 200) {
                return "http_" + status;
            }
            if (json.path("ok").asBoolean(false)) {
                return null;
            }
            String error = json.path("error").asText("");
            // Goes into messages and logs.
            return error.matches("[a-z0-9_.:-]{1,80}") ? oneWord(error) : NO_ANSWER;
        }

        private static Duration wait(String retryAfter) {
            return retryAfter.matches("[0-9]{1,9}")
                    ? Duration.ofSeconds(Math.min(LONGEST_RETRY_AFTER, Long.parseLong(retryAfter)))
                    : DEFAULT_RETRY_AFTER;
        }

        boolean isRateLimited() {
            return RATE_LIMITED.equals(error);
        }

        private static String oneWord(String error) {
            // Some methods are documented with an underscore.
            return error.equals("rate_limited") ? RATE_LIMITED : error;
        }

        /** Slack has done nothing, and says so. */
        boolean isRefusal() {
            return isForAPerson() || (error != null && ABOUT_THE_REQUEST.contains(error));
        }

        /** It will be refused until a person changes something. */
        boolean isForAPerson() {
            return error != null && FOR_A_PERSON.contains(error);
        }
    }
}
