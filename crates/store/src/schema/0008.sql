-- An address of a customer's own book may stand for the same remote address as one an order was placed with.
DROP INDEX element_of_remote;
CREATE UNIQUE INDEX element_of_remote ON element (entity, system, remote) WHERE path NOT LIKE 'addresses[book-%';
