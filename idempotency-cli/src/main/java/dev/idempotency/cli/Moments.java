package dev.idempotency.cli;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/**
 * Times as people read them: in UTC, which stands in logs and at providers, and in the zone of whoever looks.
 *
 * @param zone of whoever looks
 */
record Moments(ZoneId zone) {
    private static final DateTimeFormatter SAME_DAY = DateTimeFormatter.ofPattern("HH:mm:ss zzz", Locale.ENGLISH);
    private static final DateTimeFormatter OTHER_DAY =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss zzz", Locale.ENGLISH);

    Html time(Instant at) {
        var time = Html.of(
                        "time",
                        at.truncatedTo(ChronoUnit.SECONDS)
                                .toString()
                                .replace('T', ' ')
                                .replace("Z", " UTC"))
                .attribute("datetime", at.toString());
        return zone.getRules().getOffset(at).equals(ZoneOffset.UTC)
                ? time
                : time.add(Html.of("span", " (" + local(at) + ")").attribute("class", "local"));
    }

    private String local(Instant at) {
        var here = at.atZone(zone);
        boolean isSameDay = here.toLocalDate().equals(at.atZone(ZoneOffset.UTC).toLocalDate());
        return here.format(isSameDay ? SAME_DAY : OTHER_DAY);
    }
}
