-- What a system showed when it last agreed with another one: one base for each pair and side.
CREATE TABLE base (
  entity INTEGER NOT NULL REFERENCES entity (id),
  system TEXT NOT NULL,
  peer TEXT NOT NULL,
  leaves TEXT NOT NULL,
  PRIMARY KEY (entity, system, peer)
) WITHOUT ROWID;
INSERT INTO base (entity, system, peer, leaves)
  SELECT r.entity, r.system, o.system, r.base
  FROM record r JOIN record o ON o.entity = r.entity AND o.system <> r.system JOIN entity e ON e.id = r.entity
  WHERE r.base IS NOT NULL AND e.kind <> 'stock';
ALTER TABLE record DROP COLUMN base;
ALTER TABLE record DROP COLUMN base_print;

-- Values a person chose for fields that both systems of a pair had changed, until both show them.
CREATE TABLE chosen (
  entity INTEGER NOT NULL REFERENCES entity (id),
  target TEXT NOT NULL,
  path TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (entity, target, path)
) WITHOUT ROWID;

-- What the other system showed when a write was planned, for the same fields.
ALTER TABLE delivery ADD COLUMN basis TEXT;
