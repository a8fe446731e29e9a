package com.example.labels;

import java.io.IOException;
import java.util.List;

/** The carrier's API, as its HTTP client offers it: buying, and a list that shows a label two seconds after it was bought. */
public interface Carrier {
    /** A label on the carrier's side. */
    record Bought(String trackingNumber, String reference, int grams) {}

    /** An answer of the carrier that has no label in it. */
    final class StatusException extends IOException {
        private static final long serialVersionUID = 1L;
        private final int status;

        public StatusException(int status) {
            super("the carrier answered " + status);
            this.status = status;
        }

        public int status() {
            return status;
        }
    }

    /** Buys a label; the reference is printed on it, and the carrier does not look whether it is new. */
    Bought buy(String reference, int grams) throws IOException;

    /** All labels with this reference. */
    List<Bought> byReference(String reference) throws IOException;

    /** All labels of this weight. */
    List<Bought> byWeight(int grams) throws IOException;
}
