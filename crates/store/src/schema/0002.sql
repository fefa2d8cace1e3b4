-- Orders from before the flow's first day that a person let through, for good.
CREATE TABLE admitted (
  entity INTEGER PRIMARY KEY REFERENCES entity (id),
  at INTEGER NOT NULL
);
