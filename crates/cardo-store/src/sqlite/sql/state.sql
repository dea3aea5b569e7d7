-- What is projected from the log: the state and the history of all twins.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- How far each twin is projected and compacted. Where `compacting` is not 0, the runs up to that
-- number are being compacted, and their rows of entities below `cursor` are in blocks already.
CREATE TABLE twins (
    twin INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    next_run INTEGER NOT NULL,
    compacting INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    next_block INTEGER NOT NULL
);

CREATE TABLE entities (
    twin INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (twin, seq)
) WITHOUT ROWID;

CREATE TABLE documents (
    twin INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (twin, kind, id)
) WITHOUT ROWID;

CREATE TABLE offsets (
    twin INTEGER NOT NULL,
    source TEXT NOT NULL,
    offset TEXT NOT NULL,
    PRIMARY KEY (twin, source)
) WITHOUT ROWID;

-- Arrivals: one run a projection, cut into chunks in the order of the entities' hashes. Run 0 is
-- settled: compaction has put there what is too little for a block.
CREATE TABLE runs (
    twin INTEGER NOT NULL,
    run INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (twin, run)
) WITHOUT ROWID;

CREATE TABLE arrivals (
    id INTEGER PRIMARY KEY,
    twin INTEGER NOT NULL,
    run INTEGER NOT NULL,
    first INTEGER NOT NULL,
    groups BLOB NOT NULL
);
CREATE INDEX arrivals_by_place ON arrivals (twin, run, first);

-- Compacted history: at most 512 rows of one entity, of one series where `attribute` is not -1.
-- Blocks that still grow are not sealed.
CREATE TABLE blocks (
    twin INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    number INTEGER NOT NULL,
    attribute INTEGER NOT NULL,
    dataset TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    groups BLOB NOT NULL,
    PRIMARY KEY (twin, entity, sealed, number)
) WITHOUT ROWID;

-- The same statement stands in `state.rs`, for files that were made before.
CREATE INDEX blocks_by_time ON blocks (twin, entity, attribute, dataset, last, first);
