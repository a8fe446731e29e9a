-- Version 1 of the schema. ${schema} and ${table} are placeholders, as Flyway and Liquibase have them too.
CREATE TABLE "${schema}"."${table}" (
    scope                 text COLLATE "C" NOT NULL,
    key                   text COLLATE "C" NOT NULL,
    generation            integer          NOT NULL,
    fingerprint_algorithm text,
    fingerprint           text,
    state                 text             NOT NULL,
    version               bigint           NOT NULL,
    token                 text             NOT NULL,
    attempt               integer          NOT NULL,
    native_key            text             NOT NULL,
    recovery              text             NOT NULL,
    when_missing          text             NOT NULL,
    quiescence_micros     bigint,
    resend_within_micros  bigint,
    result_kind           text,
    result_codec          text,
    result                bytea,
    request_codec         text,
    request               bytea,
    evidence              json             NOT NULL,
    created_at            timestamptz      NOT NULL,
    first_sent_at         timestamptz      NOT NULL,
    state_since           timestamptz      NOT NULL,
    lease_until           timestamptz,
    expires_at            timestamptz      NOT NULL,
    forget_at             timestamptz      NOT NULL,
    -- When the purge looks at it: the end of the result; once that is dropped, the end of the record.
    purge_at              timestamptz      NOT NULL,
    PRIMARY KEY (scope, key)
);

CREATE INDEX "${table}_purge" ON "${schema}"."${table}" (purge_at);

CREATE INDEX "${table}_unresolved" ON "${schema}"."${table}" (state_since, scope, key)
    WHERE state IN ('IN_FLIGHT', 'IN_DOUBT');

-- What people have decided: inserted and selected, never updated or deleted. GRANT no more than INSERT and SELECT on it.
CREATE TABLE "${schema}"."${table}_audit" (
    number                bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id                    text             NOT NULL,
    phase                 text             NOT NULL CHECK (phase IN ('REQUESTED', 'INTENDED', 'APPLIED', 'REFUSED')),
    at                    timestamptz      NOT NULL,
    scope                 text COLLATE "C" NOT NULL,
    key                   text COLLATE "C" NOT NULL,
    version               bigint           NOT NULL,
    token                 text             NOT NULL,
    generation            integer          NOT NULL,
    act                   text             NOT NULL,
    who                   text             NOT NULL,
    why                   text             NOT NULL,
    evidence              text             NOT NULL,
    fingerprint_algorithm text,
    fingerprint           text,
    detail                text             NOT NULL,
    UNIQUE (id, phase)
);

CREATE INDEX "${table}_audit_key" ON "${schema}"."${table}_audit" (scope, key, number);

-- Messages, each kept once. What is done keeps its key until its retention is over, and loses its payload.
CREATE TABLE "${schema}"."${table}_inbox" (
    queue                 text COLLATE "C" NOT NULL,
    key                   text COLLATE "C" NOT NULL,
    stage                 text             NOT NULL CHECK (stage IN ('WAITING', 'CLAIMED', 'DEAD', 'DONE')),
    payload               bytea,
    attributes            json,
    token                 text,
    attempts              integer          NOT NULL,
    reason                text,
    received_at           timestamptz      NOT NULL,
    expires_at            timestamptz      NOT NULL,
    -- When it can be claimed: the end of the delay, or of the lease. Of a dead letter: when it was buried.
    due_at                timestamptz      NOT NULL,
    PRIMARY KEY (queue, key)
);

CREATE INDEX "${table}_inbox_due" ON "${schema}"."${table}_inbox" (queue, due_at, key)
    WHERE stage IN ('WAITING', 'CLAIMED');

CREATE INDEX "${table}_inbox_dead" ON "${schema}"."${table}_inbox" (queue, due_at, key) WHERE stage = 'DEAD';

CREATE INDEX "${table}_inbox_purge" ON "${schema}"."${table}_inbox" (expires_at) WHERE stage = 'DONE';

-- The latest version of things, deletions too.
CREATE TABLE "${schema}"."${table}_version" (
    scope                 text COLLATE "C" NOT NULL,
    key                   text COLLATE "C" NOT NULL,
    number                bigint           NOT NULL,
    deleted               boolean          NOT NULL,
    tie_break             text COLLATE "C" NOT NULL,
    expires_at            timestamptz      NOT NULL,
    PRIMARY KEY (scope, key)
);

CREATE INDEX "${table}_version_purge" ON "${schema}"."${table}_version" (expires_at);

-- The store reads its version here.
COMMENT ON TABLE "${schema}"."${table}" IS 'idempotency records, schema version 1';
