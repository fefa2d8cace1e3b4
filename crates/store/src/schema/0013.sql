-- Those who share a document, found by it: they are shown what it shows.
CREATE INDEX binding_shared ON binding (system, kind, scope, remote) WHERE role = 'shared';

-- Where the journal stood when what is shown was written by us; a look that began before tells nothing of it.
ALTER TABLE record ADD COLUMN written INTEGER NOT NULL DEFAULT 0;
