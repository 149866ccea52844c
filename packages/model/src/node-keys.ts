import type { NodeId } from './id.ts';

/**
 * What a host publishes of its keys for encrypted networks. The node signs the whole with the key of its certificate, so neither
 * a manager nor another host can give it other keys. docs/decisions/0029-rekey.md says how generations come and go.
 */
export interface NodeKeys {
  readonly node: NodeId;
  /** The node's number in SPIs. The managers allocate it: `firstNodeIndex` to `lastNodeIndex`. */
  readonly index: number;
  /** Rises with each change that the node makes. */
  readonly version: number;
  /** Oldest first. Peers may send with these. */
  readonly generations: readonly KeyGeneration[];
  /** The node's certificate in DER, and the issuers that it sends in a handshake. */
  readonly chain: readonly Uint8Array[];
  readonly signature: Uint8Array;
}

export interface KeyGeneration {
  /** Counts up from 1. A number is never given to another key, as long as the managers remember the last one. */
  readonly generation: number;
  /** X25519 (RFC 7748), 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Unix time, ms, by the clock of the node. */
  readonly createdAt: number;
  /**
   * The node needs ESP in UDP: the port at which peers reach it. An SA is ESP in UDP if either generation that it follows from has
   * a port, so both ends agree on it at all times. Absent: the node takes plain ESP.
   */
  readonly encapPort?: number;
}

/** An SPI below 256 is reserved (RFC 4303 §2.1), and the other parts of an SPI may be zero. */
export const firstNodeIndex = 0x100;
/** An SPI has 24 bits for the index of the sender. */
export const lastNodeIndex = 0xff_ffff;

/** The largest version and generation of a record. A host that changes its keys each second gets there in a century. */
export const lastKeyNumber = 0xffff_ffff;
/**
 * A host believes no manager that tells it of a larger version or generation of its own: it counts on from what it is told, and with
 * a number at the end it could not publish another record, whatever the next manager says.
 */
export const lastToldNumber = 0x7fff_ffff;

/** Whether the value can be a version or a generation. */
export function isKeyNumber(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= lastKeyNumber;
}

/** Whether the value can be the index of a node. */
export function isNodeIndex(value: number): boolean {
  return Number.isInteger(value) && value >= firstNodeIndex && value <= lastNodeIndex;
}
