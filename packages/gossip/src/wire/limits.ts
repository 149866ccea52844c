/** The largest payload that UDP over IPv4 carries. */
export const maxDatagram = 65_507;

/**
 * The most that one datagram may expand to. A datagram of memberlist holds 1,400 bytes before compression; with 12-bit
 * codes, LZW lets 64 KiB grow to about 150 MiB.
 */
export const maxInflatedDatagram = 64 * 1024;

/** The most that one stream message may expand to; memberlist has the same bound since 2026. */
export const maxInflatedStream = 40 * 1024 * 1024;

/** A stream message may always expand to 1 MiB, and beyond that to 64 times its size. */
export const freeInflation = 1024 * 1024;
export const maxInflationRatio = 64;

/** memberlist refuses longer streams (maxPushStateBytes), and longer user messages. */
export const maxStream = 20 * 1024 * 1024;

/** More nodes than memberlist has been run with; the entries of so many nodes fit into `maxStream`. */
export const maxNodes = 20_000;

/** memberlist's MetaMaxSize: an alive message must fit into one datagram. */
export const maxMeta = 512;

/** Names are unbounded in memberlist; an alive message with a longer name would not fit into one datagram beside `maxMeta`. */
export const maxName = 255;

/** The length of a label is one byte, and an empty label has no header. */
export const maxLabel = 255;

/** The count of parts of a compound message is one byte. */
export const maxParts = 255;

/** What a node says of its view of the cluster is a hash of so many bytes. */
export const viewLength = 8;
