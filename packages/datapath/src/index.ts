/** Desired and found state (state, drivers), the ops between them (plan, kinds), and the kernel (kernel, apply). */

export type { NetnsIdentity } from '@causeway/netlink';
export type { Announcement } from './announce/announcement.ts';
export { type NewAddress, newAddresses } from './announce/new-addresses.ts';
export { applyPlan, type Failure, readState, teardown } from './apply.ts';
export { ChangeSet, type Changes } from './changes.ts';
export { type Difference, differences, differencesSliced } from './difference.ts';
export { newNamespace } from './draft.ts';
export { buildNetwork, buildPeers } from './drivers/build.ts';
export type { NetworkOnHost, Sandbox } from './drivers/driver.ts';
export { type GatewayRank, gatewayPriorities, routeMetric } from './drivers/gateway.ts';
export { bridgeName, hostEnd, overlayNetns, vxlanName } from './drivers/overlay-names.ts';
export { Peers } from './drivers/peers.ts';
export { isBareInode } from './identity.ts';
export * from './kernel.ts';
export type { FdbTarget } from './kinds/fdb.ts';
export type { Bridge, BridgePort, Link, LinkChange, Veth, VethPeer, Vxlan } from './kinds/link/link.ts';
export type { Route } from './kinds/route.ts';
export { Secret } from './kinds/secret.ts';
export { interfaceSysctl } from './kinds/sysctl.ts';
export type { Namespace, Op, OpKind } from './kinds/table.ts';
export { additive, deviceOf, isStructural } from './op.ts';
export { isOverlayNetns } from './owner.ts';
export { plan, planSliced } from './plan.ts';
export { printOp, printState } from './print.ts';
export { namedPart } from './scope.ts';
export { finish, type Sliced } from './sliced.ts';
export * from './state.ts';
