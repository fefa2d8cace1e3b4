-- People whose text was erased, and their orders: nothing that tells of them is taken in again.
CREATE TABLE erased (
  entity INTEGER PRIMARY KEY REFERENCES entity (id),
  at INTEGER NOT NULL
);

CREATE INDEX evidence_by_age ON evidence (at);
