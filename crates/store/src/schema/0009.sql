-- Where each system answers, and which part of what is there it is; no url where that was not kept yet, an empty one where
-- another installation took its place.
ALTER TABLE system ADD COLUMN url TEXT;
ALTER TABLE system ADD COLUMN scope TEXT NOT NULL DEFAULT '';

-- What a person is asked since the last sweep over the kind did not believe what it found; none where it ended well.
ALTER TABLE sweep ADD COLUMN suspicion TEXT;
