-- The change log of all twins, and what has to be as durable as it.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Full names of types and attributes. Ids are dense and never given twice.
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Twins that were ever written to. The log up to and including the revision `cut` is dropped.
CREATE TABLE twins (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    branch TEXT NOT NULL,
    cut INTEGER NOT NULL,
    UNIQUE (tenant, branch)
);

-- The key is the twin's number and, in the lower 44 bits, the last revision in the row.
CREATE TABLE log (
    key INTEGER PRIMARY KEY,
    records BLOB NOT NULL
);

CREATE TABLE positions (
    tenant TEXT NOT NULL,
    branch TEXT NOT NULL,
    follower TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, branch, follower)
) WITHOUT ROWID;
