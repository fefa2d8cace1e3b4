-- What a system does not have any more: missing among its keys, and not there when asked for by itself.
CREATE TABLE tombstone (
  entity INTEGER NOT NULL REFERENCES entity (id),
  system TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- A person said that it is right so.
  accepted INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (entity, system)
) WITHOUT ROWID;

-- The sweep over the keys of one kind in one system that is under way, and when earlier ones ended.
CREATE TABLE sweep (
  system TEXT NOT NULL,
  kind TEXT NOT NULL,
  walk TEXT,
  met BLOB NOT NULL,
  ended INTEGER,
  ended_deep INTEGER,
  PRIMARY KEY (system, kind)
) WITHOUT ROWID;
