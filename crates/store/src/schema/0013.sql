-- Those who share a document, found by it: they are shown what it shows.
CREATE INDEX binding_shared ON binding (system, kind, scope, remote) WHERE role = 'shared';

-- Where the journal stood when what is shown was written by us; a look that began before tells nothing of it.
ALTER TABLE record ADD COLUMN written INTEGER NOT NULL DEFAULT 0;

-- Addresses that orders were placed with may be one there: they differ by a telephone, or by a comma.
DROP INDEX element_of_remote;
CREATE UNIQUE INDEX element_of_remote ON element (entity, system, remote) WHERE path NOT LIKE 'addresses[%';
