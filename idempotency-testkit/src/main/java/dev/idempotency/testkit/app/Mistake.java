package dev.idempotency.testkit.app;

/**
 * What an application can do wrong around the library, in the words that a failing test says it in.
 *
 * @since 0.1.0
 */
public enum Mistake {
    /** The key is drawn anew each time. */
    RANDOM_KEY(
            "the key of one and the same request differs from one moment to the next: something random or the time is in it"),
    /** The key has a field that a retry does not repeat. */
    VOLATILE_KEY(
            "a retry of the request has another key: a field that changes with each try, such as a time stamp, is in it"),
    /** One key for several writes. */
    COARSE_KEY("different requests have one key: the second would be refused, or be told the outcome of the first"),
    /** The fingerprint differs although the request is the same. */
    UNSTABLE_PAYLOAD("the payload of one and the same request differs from one try to the next: its form is not"
            + " deterministic (an unordered collection, a time, something random)"),
    /** The fingerprint is the same although the requests differ. */
    BLIND_PAYLOAD("different requests have one key and one fingerprint: what tells them apart is in neither"),
    /** A failure that says nothing is taken for proof. */
    AMBIGUOUS_CALLED_DEFINITE(
            "the write had happened, and the failure of its call was taken for proof that it had not: a"
                    + " timeout, a reset or a 5xx is ambiguous"),
    /** The client under the call sends again by itself. */
    CLIENT_REPEATS(
            "one attempt sent more than one request: something below the call repeats it (a retrying HTTP client,"
                    + " a proxy, a retry inside of the adapter)"),
    /** A call past the library. */
    FAILS_OPEN("the provider was called outside of an attempt: when the library refuses, nothing may be sent"),
    /** The native key that the provider gets is not the attempt's. */
    OWN_NATIVE_KEY("the same write was sent with two native keys: the call does not send attempt.nativeKey()"),
    /** The profile promises more than the provider keeps. */
    WINDOW_TOO_LONG(
            "the same native key was sent again after the provider had forgotten it: the window of the profile is"
                    + " longer than the provider's"),
    /** "Nothing there" was believed too early. */
    QUIESCENCE_TOO_SHORT(
            "\"the provider has nothing\" was believed while the first request could still arrive, or could not be"
                    + " seen yet: the quiescence is shorter than pause, transit and lag together"),
    /** The lookup misses what is there. */
    LOOKUP_MISSES(
            "the lookup said missing although the provider showed the write: it does not find what the call sent"),
    /** A lookup that failed was taken for "nothing there". */
    LOOKUP_ERROR_IS_MISSING("the lookup failed, and that was taken for \"the provider has nothing\""),
    /** The lookup, or the call, answers with the write of another request. */
    ANSWER_OF_ANOTHER("the answer is that of another request: the lookup goes by something that two requests can share,"
            + " such as the amount"),
    /** An answer, and nothing behind it. */
    ANSWER_WITHOUT_EFFECT("the caller was given an answer that no write of this request stands behind"),
    /** The failure to record was hidden. */
    RECORD_FAILURE_SWALLOWED(
            "the caller was given an answer although its record is not complete: a failure to record was"
                    + " swallowed on the way to the store"),
    /** The record is gone while callers still retry. */
    RETENTION_TOO_SHORT("the record was forgotten while callers still retry: the retention is shorter than that"),
    /** A lower level than asked for. */
    LEVEL_TOO_LOW("the guarantee is weaker than the test asks for"),
    /** Something else. */
    UNEXPLAINED("one request has more than one write");

    private final String sentence;

    Mistake(String sentence) {
        this.sentence = sentence;
    }

    /**
     * What is wrong, and where to look.
     *
     * @return one sentence for people
     */
    public String sentence() {
        return sentence;
    }
}
