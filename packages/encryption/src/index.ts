export { type FoundIpsec, foundPeer } from './host/found.ts';
export type { HostView, PeerOfHost } from './host/host-view.ts';
export { type HostPlan, planHost } from './host/plan-host.ts';
export { blocks } from './host/policies.ts';
export { PossibleSas } from './host/possible-sas.ts';
export { dueAt, rekeyPeriod } from './limits.ts';
export { publicHalf, sharedSecret } from './node-key.ts';
export { type Pair, samePair, spiOf } from './pair.ts';
export { type NewGeneration, withGeneration } from './protocol/generations.ts';
export {
  type Delay,
  emptyKeyring,
  type Keyring,
  type NodeView,
  type Receipt,
  type RekeyReason,
} from './protocol/view.ts';
export { type SaPurpose, saKeyOf } from './sa-key-of.ts';
export { signKeys, type Unsigned, verifyKeys } from './signed-keys.ts';
export { formatStoredKeys, noStoredKeys, parseStoredKeys, type StoredKeys } from './stored-keys.ts';
