-- The first format.
CREATE TABLE entity (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  label TEXT NOT NULL
);
CREATE INDEX entity_by_label ON entity (kind, label);

CREATE TABLE binding (
  system TEXT NOT NULL,
  kind TEXT NOT NULL,
  scope TEXT NOT NULL,
  remote TEXT NOT NULL,
  entity INTEGER NOT NULL REFERENCES entity (id),
  role TEXT NOT NULL CHECK (role IN ('main', 'alias', 'shared'))
);
-- The last barrier: one document, one entity; one entity, one main document in a system.
CREATE UNIQUE INDEX binding_of_remote ON binding (system, kind, scope, remote) WHERE role <> 'shared';
CREATE UNIQUE INDEX binding_main ON binding (entity, system) WHERE role = 'main';

CREATE TABLE element (
  entity INTEGER NOT NULL REFERENCES entity (id),
  system TEXT NOT NULL,
  path TEXT NOT NULL,
  remote TEXT NOT NULL,
  PRIMARY KEY (entity, system, path)
) WITHOUT ROWID;
CREATE UNIQUE INDEX element_of_remote ON element (entity, system, remote);

CREATE TABLE record (
  entity INTEGER NOT NULL REFERENCES entity (id),
  system TEXT NOT NULL,
  seen TEXT NOT NULL,
  seen_print BLOB NOT NULL,
  base TEXT,
  base_print BLOB,
  version TEXT,
  revision INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (entity, system)
);

CREATE TABLE lane (
  entity INTEGER PRIMARY KEY REFERENCES entity (id),
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  why TEXT,
  ready_at INTEGER NOT NULL,
  lease_until INTEGER NOT NULL DEFAULT 0,
  epoch INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  dirty INTEGER NOT NULL DEFAULT 0,
  since INTEGER NOT NULL
);
CREATE INDEX lane_ready ON lane (ready_at) WHERE state = 'ready';
CREATE INDEX lane_state ON lane (kind, state);

CREATE TABLE wait (
  entity INTEGER NOT NULL REFERENCES entity (id),
  on_entity INTEGER NOT NULL REFERENCES entity (id),
  PRIMARY KEY (entity, on_entity)
) WITHOUT ROWID;
CREATE INDEX wait_on ON wait (on_entity);

CREATE TABLE cursor (
  system TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (system, kind)
) WITHOUT ROWID;

CREATE TABLE delivery (
  id INTEGER PRIMARY KEY,
  lane INTEGER NOT NULL REFERENCES entity (id),
  target TEXT NOT NULL,
  guard TEXT NOT NULL,
  change TEXT NOT NULL,
  reason TEXT NOT NULL,
  progress TEXT NOT NULL,
  sending INTEGER NOT NULL DEFAULT 0,
  over INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0,
  epoch INTEGER NOT NULL DEFAULT 0,
  doubtful INTEGER NOT NULL DEFAULT 0,
  strays_at INTEGER,
  pre_image TEXT,
  at INTEGER NOT NULL
);
-- The last barrier: one write at a time in a lane.
CREATE UNIQUE INDEX delivery_open ON delivery (lane) WHERE over = 0;
CREATE INDEX delivery_sending ON delivery (id) WHERE sending = 1;
CREATE INDEX delivery_strays ON delivery (lane) WHERE strays_at IS NOT NULL;
CREATE INDEX delivery_of_lane ON delivery (lane, id);

CREATE TABLE journal (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  delivery INTEGER,
  event TEXT NOT NULL,
  system TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX journal_of_lane ON journal (lane, seq);

CREATE TABLE evidence (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX evidence_of_lane ON evidence (lane, seq);

CREATE TABLE plan (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
);
