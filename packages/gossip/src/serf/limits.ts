/** serf's UserEventSizeLimit, and the most to which that can be set: name and payload together. */
export const userEventSize = 512;
export const maxUserEventSize = 9 * 1024;

/** serf's QuerySizeLimit: the whole encoded query. */
export const querySize = 1024;

/** serf's QueryResponseSizeLimit: the whole encoded response. */
export const queryResponseSize = 1024;

/** serf's EventBuffer and QueryBuffer: so many times of the clock back, a message that comes again is known. */
export const bufferSize = 512;

/** Events or queries with one time of the clock. More than a few are rare: as many nodes had to send at once. */
export const maxPerTime = 256;

/** serf's MaxQueueDepth: beyond it, messages of other nodes are not passed on. */
export const maxQueued = 4096;

/** Filters of one query, and the names in one filter; a query has at most `querySize` bytes anyhow. */
export const maxFilters = 256;
