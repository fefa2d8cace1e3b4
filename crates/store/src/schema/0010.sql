-- Where systems said to look, until somebody has looked; how often, so that what is said meanwhile is not taken for seen.
CREATE TABLE hint (
  system TEXT NOT NULL,
  kind   TEXT NOT NULL,
  scope  TEXT NOT NULL,
  remote TEXT NOT NULL,
  times  INTEGER NOT NULL,
  heard  INTEGER NOT NULL,
  PRIMARY KEY (system, kind, scope, remote)
) STRICT, WITHOUT ROWID;
