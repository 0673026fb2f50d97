/**
 * How much a page of a listing reads: so many rows of what its index lists are looked at, whether or not the other
 * filters want them. A page that has not found enough by then ends there, with a cursor that goes on behind the last row
 * that was looked at. At about 1 µs a row on SQLite and 2 on PostgreSQL, more where a topic has to be looked up.
 */
export const maxLookedAt = 10_000

/** Topics or endpoints of a tenant whose newest rows are merged: two seeks for each. Of a tenant with more, everybody's rows are walked over. */
export const maxGroups = 10_000

/** Of one event, where a listing asks for the state of its deliveries: an event for many has very many. */
export const maxStatesOfEvent = 100
