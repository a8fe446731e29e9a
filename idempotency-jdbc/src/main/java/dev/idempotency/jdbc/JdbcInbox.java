package dev.idempotency.jdbc;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.inbox.DeadLetter;
import dev.idempotency.inbox.InboxClaim;
import dev.idempotency.inbox.InboxDepth;
import dev.idempotency.inbox.InboxMessage;
import dev.idempotency.inbox.InboxStore;
import dev.idempotency.store.AttemptToken;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Messages in their table: one row for each key, and one statement for each step. Thread-safe. */
final class JdbcInbox implements InboxStore {
    private static final String SPAN = "CAST(? AS bigint) * interval '1 microsecond'";
    private static final String LIVE = "stage IN ('WAITING', 'CLAIMED')";
    private static final String HELD = " WHERE queue = ? AND key = ? AND token = ? AND stage = 'CLAIMED'";
    private static final String DEAD = " WHERE queue = ? AND key = ? AND stage = 'DEAD'";

    private final Connections connections;
    private final String offer;
    final String claim;
    private final String renew;
    private final String done;
    private final String retry;
    private final String bury;
    private final String endedBefore;
    private final String deadLetters;
    private final String replay;
    private final String discard;
    private final String depth;
    private final String purge;

    JdbcInbox(Connections connections, Table table, String time) {
        this.connections = connections;
        String t = table.quoted(table.name() + "_inbox");
        String clock = "WITH clock AS MATERIALIZED (SELECT " + time + " AS now)";
        String now = "(SELECT now FROM clock)";
        String update = clock + " UPDATE " + t + " SET ";
        // A key that is done and whose retention is over is as good as purged.
        offer = clock + " INSERT INTO " + t
                + " AS standing (queue, key, stage, payload, attributes, attempts, received_at,"
                + " expires_at, due_at) SELECT ?, ?, 'WAITING', ?, CAST(? AS json), 0, now, now + " + SPAN
                + ", now FROM clock ON CONFLICT (queue, key) DO UPDATE SET stage = 'WAITING', payload = EXCLUDED.payload,"
                + " attributes = EXCLUDED.attributes, token = NULL, attempts = 0, reason = NULL,"
                + " received_at = EXCLUDED.received_at, expires_at = EXCLUDED.expires_at, due_at = EXCLUDED.due_at"
                + " WHERE standing.stage = 'DONE' AND standing.expires_at <= EXCLUDED.received_at";
        claim = clock + ", due AS MATERIALIZED (SELECT queue, key, due_at FROM " + t + " WHERE queue = ? AND " + LIVE
                + " AND due_at <= " + now + " ORDER BY due_at, key LIMIT ? FOR UPDATE SKIP LOCKED),"
                + " numbered AS (SELECT queue, key, row_number() OVER (ORDER BY due_at, key) AS number FROM due)"
                + " UPDATE " + t + " AS standing SET stage = 'CLAIMED',"
                + " token = (string_to_array(?, ','))[numbered.number], attempts = standing.attempts + 1,"
                + " due_at = clock.now + " + SPAN + " FROM numbered, clock"
                + " WHERE standing.queue = numbered.queue AND standing.key = numbered.key"
                + " RETURNING numbered.number, standing.queue, standing.key, payload, attributes, token, attempts,"
                + " received_at, reason, clock.now";
        renew = update + "due_at = " + now + " + " + SPAN + HELD;
        done = update + "stage = 'DONE', payload = NULL, attributes = NULL, reason = NULL" + HELD;
        retry = update + "stage = 'WAITING', due_at = " + now + " + " + SPAN + ", reason = ?" + HELD;
        bury = update + "stage = 'DEAD', due_at = " + now + ", reason = ?" + HELD;
        endedBefore = "SELECT FROM " + t + " WHERE queue = ? AND key = ? AND token = ? AND stage = ?";
        deadLetters = "SELECT queue, key, payload, attributes, attempts, received_at, due_at, reason FROM " + t
                + " WHERE queue = ? AND stage = 'DEAD' AND (due_at, key) > (?, ?) ORDER BY due_at, key LIMIT ?";
        replay = update + "stage = 'WAITING', due_at = " + now + ", attempts = 0, token = NULL, reason = NULL" + DEAD;
        discard = update + "stage = 'DONE', payload = NULL, attributes = NULL, token = NULL, reason = NULL" + DEAD;
        depth = clock + " SELECT clock.now, live.*, (SELECT count(*) FROM " + t
                + " WHERE queue = ? AND stage = 'DEAD') AS dead FROM clock,"
                + " LATERAL (SELECT count(*) FILTER (WHERE due_at <= clock.now) AS ready,"
                + " count(*) FILTER (WHERE stage = 'WAITING' AND due_at > clock.now) AS delayed,"
                + " count(*) FILTER (WHERE stage = 'CLAIMED' AND due_at > clock.now) AS claimed,"
                + " COALESCE(min(received_at), clock.now) AS oldest FROM " + t + " WHERE queue = ? AND " + LIVE
                + ") live";
        purge = clock + ", due AS MATERIALIZED (SELECT queue, key FROM " + t
                + " WHERE stage = 'DONE' AND expires_at <= "
                + now + " ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED)" + " DELETE FROM " + t
                + " AS standing USING due WHERE standing.queue = due.queue AND standing.key = due.key";
    }

    @Override
    public Offered offer(InboxMessage message, Duration retention) {
        long span = Bounds.positive("retention", retention);
        int written = update(
                "offer",
                offer,
                message.queue(),
                message.key().value(),
                message.payload(),
                AttributesJson.write(message.attributes()),
                span);
        return written == 1 ? Offered.ACCEPTED : Offered.DUPLICATE;
    }

    /** What another try has written already is acknowledged only once the standby has it. */
    private int update(String step, String sql, Object... values) {
        int rows = write(step, sql, values);
        if (rows == 0) {
            connections.confirm(step);
        }
        return rows;
    }

    private int write(String step, String sql, Object... values) {
        return connections.plain(step, connection -> {
            try (PreparedStatement statement = bound(connection, sql, values)) {
                int rows = statement.executeUpdate();
                if (rows > 0) {
                    connections.requireReplicated(step, statement.getWarnings());
                }
                return rows;
            }
        });
    }

    private static PreparedStatement bound(Connection connection, String sql, Object... values) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        int i = 1;
        for (Object value : values) {
            statement.setObject(i++, value);
        }
        return statement;
    }

    @Override
    public List<InboxClaim> claim(String queue, int limit, Duration lease) {
        Bounds.requireLimit(limit);
        long span = Bounds.positive("lease", lease);
        String tokens = Stream.generate(AttemptToken::random)
                .limit(limit)
                .map(AttemptToken::value)
                .collect(Collectors.joining(","));
        return connections.plain("claim", connection -> {
            try (PreparedStatement statement = bound(connection, claim, queue, limit, tokens, span);
                    ResultSet row = statement.executeQuery()) {
                // In the order of their numbers, which an UPDATE does not answer in.
                var claims = new InboxClaim[limit];
                while (row.next()) {
                    claims[row.getInt("number") - 1] = new InboxClaim(
                            message(row),
                            new AttemptToken(row.getString("token")),
                            row.getInt("attempts"),
                            Rows.instant(row, "received_at"),
                            Rows.instant(row, "now"),
                            row.getString("reason"));
                }
                return Arrays.stream(claims).filter(Objects::nonNull).toList();
            }
        });
    }

    private static InboxMessage message(ResultSet row) throws SQLException {
        return new InboxMessage(
                new IdempotencyKey(row.getString("queue"), row.getString("key")),
                row.getBytes("payload"),
                AttributesJson.read(row.getString("attributes")));
    }

    @Override
    public boolean renew(InboxClaim claim, Duration lease) {
        IdempotencyKey key = claim.message().key();
        return update(
                        "renew",
                        renew,
                        Bounds.positive("lease", lease),
                        key.scope(),
                        key.value(),
                        claim.token().value())
                == 1;
    }

    @Override
    public boolean done(InboxClaim claim) {
        return end("done", done, "DONE", claim);
    }

    @Override
    public boolean retry(InboxClaim claim, Duration delay, String reason) {
        return end("retry", retry, "WAITING", claim, Bounds.notNegative("delay", delay), reason);
    }

    @Override
    public boolean bury(InboxClaim claim, String reason) {
        return end("bury", bury, "DEAD", claim, reason);
    }

    private boolean end(String step, String sql, String stage, InboxClaim claim, Object... values) {
        IdempotencyKey key = claim.message().key();
        String token = claim.token().value();
        Object[] all = Stream.concat(Stream.of(values), Stream.of(key.scope(), key.value(), token))
                .toArray();
        return update(step, sql, all) == 1
                || connections.plain(step, connection -> {
                    try (PreparedStatement statement =
                                    bound(connection, endedBefore, key.scope(), key.value(), token, stage);
                            ResultSet row = statement.executeQuery()) {
                        return row.next();
                    }
                });
    }

    @Override
    public List<DeadLetter> deadLetters(String queue, @Nullable DeadLetter after, int limit) {
        Bounds.requireLimit(limit);
        Instant time = after == null ? Instant.EPOCH : after.buriedAt();
        String value = after == null ? "" : after.message().key().value();
        return connections.plain("dead letters", connection -> {
            try (PreparedStatement statement =
                            bound(connection, deadLetters, queue, time.atOffset(ZoneOffset.UTC), value, limit);
                    ResultSet row = statement.executeQuery()) {
                List<DeadLetter> page = new ArrayList<>();
                while (row.next()) {
                    page.add(new DeadLetter(
                            message(row),
                            row.getInt("attempts"),
                            Rows.instant(row, "received_at"),
                            Rows.instant(row, "due_at"),
                            row.getString("reason")));
                }
                return page;
            }
        });
    }

    @Override
    public boolean replay(IdempotencyKey key) {
        return update("replay", replay, key.scope(), key.value()) == 1;
    }

    @Override
    public boolean discard(IdempotencyKey key) {
        return update("discard", discard, key.scope(), key.value()) == 1;
    }

    @Override
    public InboxDepth depth(String queue) {
        return connections.plain("depth", connection -> {
            try (PreparedStatement statement = bound(connection, depth, queue, queue);
                    ResultSet row = statement.executeQuery()) {
                row.next();
                return new InboxDepth(
                        row.getLong("ready"),
                        row.getLong("delayed"),
                        row.getLong("claimed"),
                        row.getLong("dead"),
                        Duration.between(Rows.instant(row, "oldest"), Rows.instant(row, "now")));
            }
        });
    }

    @Override
    public int purge(int limit) {
        Bounds.requireLimit(limit);
        return update("purge", purge, limit);
    }
}
