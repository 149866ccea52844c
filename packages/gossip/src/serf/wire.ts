// The protocol of serf over bytes: what user messages, exchanges, acks and metas of memberlist carry in a cluster of serf.
export * from './answer.ts';
export { type Coordinate, decodeCoordinate, encodeCoordinate } from './coordinate.ts';
export { encodeFilters, type Filters } from './filter.ts';
export * from './message.ts';
export { decodeTags, encodeTags, type Tags } from './tags.ts';
