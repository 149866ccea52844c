export type { Why } from './guard/refusals.ts';
export { Ed25519, type Signatures, type Signer, signerOf } from './keys/signatures.ts';
export {
  decodeVouched,
  encodeVouched,
  keyIdOf,
  type TableKey,
  type VouchedKey,
  verifyVouched,
  vouch,
} from './keys/vouched-key.ts';
export type { Parts, Settings } from './node/context.ts';
export type { Effect, Input } from './node/effect.ts';
export type { Peer } from './node/peer.ts';
export { TablesNode } from './node/tables-node.ts';
export { LiveSet } from './table/live-set.ts';
export { NetworkTable } from './table/network-table.ts';
export { type Capability, capabilityTag, formatCapability, ownCapability, parseCapability } from './wire/capability.ts';
export { isFrame } from './wire/frame.ts';
export { formatPosition, lastStep, type Position } from './wire/position.ts';
export { type EncodedRow, encodeRow, type RowChange, type TableRow } from './wire/row.ts';
