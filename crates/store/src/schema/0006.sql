-- Passes that wrote something, in the order of their numbers; a delivery names the one that sent it last.
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  command TEXT NOT NULL
);
ALTER TABLE delivery ADD COLUMN run INTEGER REFERENCES run (id);
CREATE INDEX delivery_of_run ON delivery (run) WHERE run IS NOT NULL;

-- Writes that a person took back: what the system was given for its peer's value, until the peer shows another one.
CREATE TABLE undone (
  entity INTEGER NOT NULL REFERENCES entity (id),
  system TEXT NOT NULL,
  peer TEXT NOT NULL,
  path TEXT NOT NULL,
  change TEXT NOT NULL,
  PRIMARY KEY (entity, system, peer, path)
) WITHOUT ROWID;
