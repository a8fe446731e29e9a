package dev.idempotency.cli;

import dev.idempotency.Admin;
import dev.idempotency.Admin.Review;
import dev.idempotency.store.AuditEntry;
import dev.idempotency.store.AuditEntry.Phase;
import dev.idempotency.store.IdempotencyRecord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The override requests that wait for a second person, newest first, found in the latest entries of the audit trail.
 *
 * @param requests each with the record that it is about
 * @param isWhole whether the trail was read to its beginning; otherwise an older request may wait, too
 */
record Pending(List<Request> requests, boolean isWhole) {
    private static final int READ_AT_ONCE = 500;
    /** A trail grows for ever, and a page is to be quick. */
    private static final int MOST_READ = 5000;

    /**
     * One of them.
     *
     * @param entry who asks for what, and why
     * @param record as it stands
     */
    record Request(AuditEntry entry, IdempotencyRecord record) {}

    static Pending read(Admin admin) {
        Set<String> ended = new HashSet<>();
        List<AuditEntry> asked = new ArrayList<>();
        AuditEntry last = null;
        int read = 0;
        boolean isWhole = false;
        while (!isWhole && read < MOST_READ) {
            List<AuditEntry> page = admin.audit(null, last, READ_AT_ONCE);
            for (AuditEntry entry : page) {
                if (entry.phase() == Phase.REQUESTED) {
                    asked.add(entry);
                } else if (entry.phase() != Phase.INTENDED) {
                    ended.add(entry.id());
                }
            }
            read += page.size();
            isWhole = page.size() < READ_AT_ONCE;
            last = isWhole ? last : page.get(page.size() - 1);
        }
        asked.removeIf(entry -> ended.contains(entry.id()));
        return new Pending(standing(admin, asked), isWhole);
    }

    /** A request is void as soon as anything has happened to the record. */
    private static List<Request> standing(Admin admin, List<AuditEntry> asked) {
        Map<Object, @Nullable Review> reviews = new HashMap<>();
        List<Request> requests = new ArrayList<>();
        for (AuditEntry entry : asked) {
            if (!reviews.containsKey(entry.key())) {
                reviews.put(entry.key(), admin.review(entry.key()));
            }
            Review review = reviews.get(entry.key());
            if (review != null && OverrideCommands.pending(review, entry.id()) != null) {
                requests.add(new Request(entry, review.record()));
            }
        }
        return requests;
    }
}
