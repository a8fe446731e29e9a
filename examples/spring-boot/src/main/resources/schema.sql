CREATE TABLE IF NOT EXISTS shop_order (
    order_id  text PRIMARY KEY,
    amount    bigint NOT NULL,
    state     text NOT NULL,
    charge_id text
);

CREATE TABLE IF NOT EXISTS points (
    number   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text   NOT NULL,
    points   bigint NOT NULL
);
