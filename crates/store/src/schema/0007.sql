-- What the file called each system when its rules were last followed.
CREATE TABLE system (
  uid TEXT PRIMARY KEY,
  name TEXT NOT NULL
) WITHOUT ROWID;
