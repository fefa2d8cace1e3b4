-- When systems last said where to look, kind by kind, and what was found since without a word of theirs.
CREATE TABLE hearing (
  system TEXT NOT NULL,
  kind   TEXT NOT NULL,
  heard  INTEGER,
  missed INTEGER NOT NULL,
  since  INTEGER,
  latest INTEGER,
  PRIMARY KEY (system, kind)
) STRICT, WITHOUT ROWID;
