package dev.idempotency.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.idempotency.IdempotencyKey;
import dev.idempotency.store.Evidence;
import dev.idempotency.store.IdempotencyRecord;
import dev.idempotency.store.RecoveryTerms;
import dev.idempotency.store.State;
import dev.idempotency.store.StoreClass;
import dev.idempotency.store.StoreException;
import dev.idempotency.store.UnknownFormatException;
import dev.idempotency.store.Write;
import dev.idempotency.testkit.ManualClock;
import io.lettuce.core.cluster.SlotHash;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What stands in Redis: names, times to live, bytes. */
final class RedisKeysTest {
    private static final IdempotencyKey KEY = new IdempotencyKey("charge-card", "ORD-1");

    private final String prefix = "test:" + UUID.randomUUID();
    private final Layout layout = new Layout(prefix);

    private String ask(String... command) {
        return Redises.Standalone.SERVER.ask(command);
    }

    private String name() {
        return new String(layout.record(KEY), StandardCharsets.UTF_8);
    }

    private long timeToLive() {
        return Long.parseLong(ask("PTTL", name()));
    }

    @Test
    void record_live_hasNoTimeToLive() {
        try (var store = Redises.standalone().prefix(prefix).build()) {
            assertThat(store.storeClass()).isEqualTo(StoreClass.LOSSY);
            var standing = Records.reserved(store, KEY);
            assertThat(timeToLive()).isEqualTo(-1);
            for (var settled : new State[] {State.COMPLETED, State.CLOSED, State.OPEN}) {
                for (var live : new State[] {State.IN_DOUBT, State.IN_FLIGHT}) {
                    standing = Records.moved(store, standing, settled);
                    assertThat(timeToLive()).as(settled.name()).isBetween(1L, Records.RETENTION.toMillis() + 1);
                    standing = Records.moved(store, standing, live);
                    assertThat(timeToLive()).as(live.name()).isEqualTo(-1);
                }
            }
        }
    }

    @Test
    void record_settled_isTheOnlyKeyAndIsRemovedByRedis() {
        try (var store = Redises.standalone().prefix(prefix).build()) {
            var reserved = Records.reserved(store, KEY);
            var write = Records.move(reserved, State.COMPLETED, Duration.ZERO);
            var brief = new Write(write.next(), true, false, true, null, Duration.ofMillis(50), Duration.ZERO);

            Records.written(store.replace(reserved, brief));

            Redises.until(
                    "nothing is left", () -> ask("KEYS", "{" + prefix + "*").isEmpty());
        }
    }

    @Test
    void record_tombstone_isIndexedUntilItsResultIsDropped() {
        try (var store = Redises.standalone().prefix(prefix).build()) {
            var reserved = Records.reserved(store, KEY);
            var write = Records.move(reserved, State.COMPLETED, Duration.ofMinutes(1));
            var brief = new Write(write.next(), true, false, true, null, Duration.ofMillis(50), Duration.ofMinutes(1));
            var done = Records.written(store.replace(reserved, brief));
            Redises.until(
                    "the result has expired",
                    () -> done.isExpired(store.find(KEY).now()));
            var before = timeToLive();

            assertThat(store.purge(10)).isEqualTo(1);

            assertThat(store.purge(10)).isZero();
            assertThat(store.find(KEY).record())
                    .isEqualTo(done.with().result(null).build());
            assertThat(timeToLive()).isBetween(1L, before);
            assertThat(ask("KEYS", "{" + prefix + "*")).isEqualTo(name());
        }
    }

    /** A lease and a waiting period may be longer than asked for, a window shorter: never the other way round. */
    @Test
    void record_spansBelowAMicrosecond_areRoundedToTheSafeSide() {
        var odd = Duration.ofSeconds(30, 1);
        var clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
        try (var connection = Redises.Standalone.CLIENT.connect()) {
            var store = new SteppedClock(Redises.standalone(), prefix, connection.async(), clock);
            var first = Records.reservation(KEY).next();
            var terms = new RecoveryTerms(first.terms().policy(), first.terms().whenMissing(), odd, odd);
            var next = first.with().terms(terms).build();

            store.reserve(new Write(next, true, true, true, odd, Records.RETENTION, Duration.ZERO));

            var record = store.find(KEY).record();
            assertThat(record.times().leaseUntil()).isEqualTo(clock.instant().plusNanos(30_000_001_000L));
            assertThat(record.terms().quiescence()).isEqualTo(Duration.ofNanos(30_000_001_000L));
            assertThat(record.terms().resendWithin()).isEqualTo(Duration.ofSeconds(30));
            store.close();
        }
    }

    @Test
    void shards_areEqualPartsOfTheSlots() {
        for (var shard = 0; shard < Layout.SHARDS; shard++) {
            assertThat(SlotHash.getSlot(layout.unresolved(shard)) / (SlotHash.SLOT_COUNT / Layout.SHARDS))
                    .isEqualTo(shard);
            assertThat(SlotHash.getSlot(layout.due(shard))).isEqualTo(SlotHash.getSlot(layout.unresolved(shard)));
        }
        var used = new HashSet<Integer>();
        for (var i = 0; i < 2_000; i++) {
            var key = new IdempotencyKey("{any}", "{" + i + "}");
            assertThat(SlotHash.getSlot(layout.record(key)))
                    .isEqualTo(SlotHash.getSlot(layout.unresolved(layout.shardOf(key))));
            used.add(layout.shardOf(key));
        }
        assertThat(used).hasSize(Layout.SHARDS);
    }

    /** The layout outlives every process: this name and these bytes are what earlier versions have written. */
    @Test
    void layout_nameAndBytes_neverChange() {
        assertThat(new String(new Layout("idempotency").record(KEY), StandardCharsets.UTF_8))
                .isEqualTo(NAME);
        var value = HexFormat.of().parseHex(VALUE);
        var record = RecordFormat.decode(KEY, value);

        assertThat(record.state()).isEqualTo(State.COMPLETED);
        assertThat(record.version()).isEqualTo(7);
        assertThat(record.nativeKey()).isEqualTo("native");
        assertThat(record.evidence()).hasSize(1);
        assertThat(record.result()).isNotNull();
        assertThat(record.times().leaseUntil()).isNull();
        assertThat(HexFormat.of().formatHex(encoded(record))).isEqualTo(VALUE);
    }

    private static final String NAME = "{idempotency:16.72}:11:charge-cardORD-1";
    private static final String VALUE =
            "014300000000000000070123456789abcdef0123456789abcdef0006475ef64cf3460006475ef65c35860006475ef66b77c600000000000000000006475ef67aba060006475ef689fc460006475ef66b77c60000003c0203066e6174697665010a6a63732d7368613235360462656566030201c09fab030000010dc6e6b3b2efeb910302037768790100046a736f6e027b7d010474657874026e6f";

    static byte[] encoded(IdempotencyRecord record) {
        var times = ByteBuffer.allocate(56);
        times.putLong(RecordFormat.micros(record.times().createdAt()))
                .putLong(RecordFormat.micros(record.times().firstSentAt()))
                .putLong(RecordFormat.micros(record.times().stateSince()))
                .putLong(0)
                .putLong(RecordFormat.micros(record.times().expiresAt()))
                .putLong(RecordFormat.micros(record.times().forgetAt()))
                .putLong(RecordFormat.micros(record.times().stateSince()));
        var all = new ByteArrayOutputStream();
        all.write(1);
        all.writeBytes(RecordFormat.head(record));
        all.writeBytes(times.array());
        all.writeBytes(RecordFormat.body(record));
        return all.toByteArray();
    }

    @Test
    void constants_all_haveAPlace() {
        var standing = Records.reservation(KEY).next();
        for (var state : State.values()) {
            assertThat(RecordFormat.head(standing.with().state(state).build())).hasSize(25);
        }
        for (var kind : Evidence.Kind.values()) {
            var line = new Evidence(kind, Instant.EPOCH, 1, "", null);
            assertThat(RecordFormat.body(standing.with().evidence(List.of(line)).build()))
                    .isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"02", "", "01", "014f00", "ffffffffffffffffffffffffff"})
    void decode_somethingElse_saysSo(String bytes) {
        assertThatThrownBy(() -> RecordFormat.decode(KEY, HexFormat.of().parseHex(bytes)))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("charge-card:ORD-1");
    }

    @Test
    void steps_onANewerFormat_areRefusedAndChangeNothing() {
        try (var store = Redises.standalone().prefix(prefix).build()) {
            assertThat(ask("SET", name(), "\u0002 a later format")).isEqualTo("OK");

            assertThatThrownBy(() -> store.reserve(Records.reservation(KEY)))
                    .isInstanceOfSatisfying(
                            UnknownFormatException.class,
                            e -> assertThat(e.mayHaveWritten()).isFalse())
                    .hasMessageContaining("update this process");
            assertThat(ask("GET", name())).isEqualTo("\u0002 a later format");
        }
    }

    /** The server's clock is set back: no record's time goes back with it. */
    @ParameterizedTest
    @EnumSource(names = {"IN_DOUBT", "COMPLETED"})
    void time_setBack_staysWithTheLastWrite(State state) {
        var clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
        var connection = Redises.Standalone.CLIENT.connect();
        var store = new SteppedClock(Redises.standalone(), prefix, connection.async(), clock);
        var reserved = Records.reserved(store, KEY);
        clock.advance(Duration.ofMinutes(1));
        var latest = clock.instant();
        var moved = Records.moved(store, reserved, state);
        assertThat(moved.times().stateSince()).isEqualTo(latest);
        clock.turnBack(Duration.ofSeconds(30));

        assertThat(store.find(KEY).now()).isEqualTo(latest);
        assertThat(store.reserve(Records.reservation(KEY)).now()).isEqualTo(latest);
        var next = Records.moved(store, moved, State.CLOSED);
        assertThat(next.times().stateSince()).isEqualTo(latest);
        clock.set(latest.plusSeconds(1));
        assertThat(store.find(KEY).now()).isEqualTo(latest.plusSeconds(1));
        store.close();
        connection.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a{b", "a}b", "a b"})
    void prefix_thatWouldBreakTheHashTag_isRefused(String wrong) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Redises.standalone().prefix(wrong))
                .withMessageContaining("prefix");
    }

    @Test
    void builder_nonsense_isRefused() {
        var builder = Redises.standalone();
        assertThatIllegalArgumentException().isThrownBy(() -> builder.timeout(Duration.ZERO));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.waitForReplicas(0, Duration.ofSeconds(1)));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.waitForReplicas(1, Duration.ZERO));
    }
}
