-- What each record of the catalogue refers to, as its system tells it: looked up by what it points to, it need not be searched for.
CREATE TABLE refers (
  system TEXT NOT NULL,
  kind TEXT NOT NULL,
  scope TEXT NOT NULL,
  remote TEXT NOT NULL,
  entity INTEGER NOT NULL,
  PRIMARY KEY (system, kind, remote, scope, entity)
) WITHOUT ROWID;
CREATE INDEX refers_from ON refers (entity, system);

INSERT OR IGNORE INTO refers (system, kind, scope, remote, entity)
SELECT r.system, json_extract(t.value, '$.kind'), json_extract(t.value, '$.to.Remote.scope'),
       json_extract(t.value, '$.to.Remote.id'), r.entity
FROM record r JOIN lane l ON l.entity = r.entity, json_tree(r.seen) t
WHERE l.kind IN ('category', 'product', 'variant') AND t.type = 'object'
  AND json_extract(t.value, '$.kind') IN ('category', 'product', 'variant')
  AND json_extract(t.value, '$.to.Remote.id') IS NOT NULL;
