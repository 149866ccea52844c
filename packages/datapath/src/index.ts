/** What is wanted and found (state, drivers), what is to be done about it (plan, op), and where (kernel, apply). */

export type { NetnsIdentity } from '@causeway/netlink';
export { applyPlan, type Failure, readState, teardown } from './apply.ts';
export { ChangeSet, type Changes, type EntryKeys } from './changes.ts';
export { type Difference, differences, differencesSliced } from './difference.ts';
export { buildNetwork, buildPeers } from './drivers/build.ts';
export type { NetworkOnHost, Sandbox } from './drivers/driver.ts';
export { type GatewayRank, gatewayPriorities, routeMetric } from './drivers/gateway.ts';
export { bridgeName, hostEnd, overlayNetns, vxlanName } from './drivers/overlay-names.ts';
export { Peers } from './drivers/peers.ts';
export { isBareInode } from './identity.ts';
export * from './kernel.ts';
export * from './op.ts';
export { isOverlayNetns } from './owner.ts';
export { plan, planSliced } from './plan.ts';
export { printOp, printState } from './print.ts';
export type { Sliced } from './sliced.ts';
export * from './state.ts';
