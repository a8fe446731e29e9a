package com.example.shop;

import dev.idempotency.DeclinedException;
import dev.idempotency.InDoubtException;
import dev.idempotency.InFlightException;
import dev.idempotency.MismatchException;
import dev.idempotency.NotExecutedException;
import dev.idempotency.ResultUnavailableException;
import dev.idempotency.store.StoreException;
import java.net.URI;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** What a client hears of an order that was not simply charged: what is known of it, and whether to send it again. */
@RestControllerAdvice
class Problems {
    // tag::problems[]
    @ExceptionHandler
    ResponseEntity<ProblemDetail> inDoubt(InDoubtException e) {
        return again(HttpStatus.ACCEPTED, "in-doubt", "Taken; whether it is paid is not known yet.");
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> inFlight(InFlightException e) {
        return again(HttpStatus.CONFLICT, "in-flight", "The same order is being paid just now.");
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> store(StoreException e) {
        return again(HttpStatus.SERVICE_UNAVAILABLE, "unavailable", "Nothing was sent to the provider.");
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> notExecuted(NotExecutedException e) {
        return e.isClosed()
                ? outcome(HttpStatus.CONFLICT, "not-executed", "The order was not paid, and will not be.")
                : again(HttpStatus.SERVICE_UNAVAILABLE, "not-sent", "The order was not paid.");
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> declined(DeclinedException e) {
        return outcome(HttpStatus.PAYMENT_REQUIRED, "declined", e.reason());
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> mismatch(MismatchException e) {
        return outcome(HttpStatusCode.valueOf(422), "mismatch", "The order was sent before with other data.");
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> resultUnavailable(ResultUnavailableException e) {
        return outcome(HttpStatus.GONE, "result-unavailable", "The order was paid; the receipt is no longer here.");
    }
    // end::problems[]

    private static ResponseEntity<ProblemDetail> again(HttpStatusCode status, String type, String detail) {
        return ResponseEntity.status(status)
                .header(HttpHeaders.RETRY_AFTER, "5")
                .body(problem(status, type, detail));
    }

    private static ResponseEntity<ProblemDetail> outcome(HttpStatusCode status, String type, String detail) {
        return ResponseEntity.status(status).body(problem(status, type, detail));
    }

    private static ProblemDetail problem(HttpStatusCode status, String type, String detail) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail);
        problem.setType(URI.create("urn:shop:" + type));
        return problem;
    }
}
