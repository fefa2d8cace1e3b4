-- Records that hang on another one and have no name of their own: the stock of a variant.
CREATE TABLE satellite (
  entity INTEGER PRIMARY KEY REFERENCES entity (id),
  kind TEXT NOT NULL,
  main INTEGER NOT NULL REFERENCES entity (id)
);
CREATE UNIQUE INDEX satellite_of_main ON satellite (main, kind);
CREATE INDEX binding_of_entity ON binding (entity);

-- Where the journal stood when the figures were asked for; 0 where nobody minds.
ALTER TABLE record ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0;

-- What orders take from stock, by the names their shop uses, until the ERP has reserved it.
CREATE TABLE commitment (
  lane INTEGER NOT NULL REFERENCES entity (id),
  system TEXT NOT NULL,
  scope TEXT NOT NULL,
  remote TEXT NOT NULL,
  alias TEXT,
  quantity TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'reserved', 'served', 'outside')),
  -- Where in the journal it was reserved; 0 before.
  reserved INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX commitment_of_order ON commitment (lane, scope, remote);
CREATE INDEX commitment_of_variant ON commitment (system, scope, remote) WHERE state IN ('open', 'reserved');
CREATE INDEX commitment_of_alias ON commitment (system, scope, alias) WHERE state IN ('open', 'reserved');
