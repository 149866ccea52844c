/**
 * What a frame of one datagram has after its header of 20 bytes. It fits a datagram of 1,400 bytes together with the longest label of
 * memberlist (257 bytes), its encryption (29) and its checksum (5).
 */
export const maxBody = 1_089;

/** A batch, so that it fits a body with its interval (10 bytes), or with the head of an answer (11). */
export const maxBatch = 1_078;

/** Rows of one network. A VXLAN network with more hosts or containers than this has other problems first. */
export const maxRows = 65_536;

/** Networks in one digest or vector: 16 of 16 and 16 of 26 bytes are a small packet. */
export const maxVector = 16;

/** Acknowledgements in one frame. */
export const maxAcks = 64;

/** Certificates beside a table key: that of the manager and, while the CA rotates, of a root that another root has signed; and roots. */
export const maxChain = 6;
