import {
  applyPlan,
  espVxlanName,
  type Failure,
  hostNetns,
  isOverlayNetns,
  type Kernel,
  type Namespace,
  newNamespace,
  type Op,
  overlayNetns,
  readState,
  sharedSlots,
} from '@causeway/datapath';
import type { FoundIpsec } from '@causeway/encryption';
import { encryptedVxlanPort, type NetworkId, type SentNetwork } from '@causeway/model';

/** What protects the encrypted networks of a host, in its own namespace. */
export type Ipsec = FoundIpsec & Pick<Namespace, 'portGuards'>;

/** SAs, policies, sockets and guards that are ours. One read for one decision: between the two, nothing else adds SAs of ours. */
export async function readIpsec(kernel: Pick<Kernel, 'read'>): Promise<Ipsec> {
  const scopes = new Map([[hostNetns, { links: [], of: sharedSlots, sysctls: [] }]]);
  const state = await readState(kernel, new Map([[hostNetns, newNamespace()]]), scopes);
  return state.get(hostNetns) ?? newNamespace();
}

/**
 * Carries out the ops. If the kernel refuses a block or an SA, nothing is done that relies on it: a policy would name an SA that is
 * not there, and an SA would go whose successor is not there. Without a socket for ESP in UDP, the rest works: see `planHost`.
 */
export async function applyIpsec(kernel: Pick<Kernel, 'apply'>, ops: readonly Op[]): Promise<readonly Failure[]> {
  const end = ops.findLastIndex(isRelied) + 1;
  const refused = await applyPlan(kernel, ops.slice(0, end));
  if (refused.some(({ op }) => isRelied(op))) return refused;
  return [...refused, ...(await applyPlan(kernel, ops.slice(end)))];
}

/** Whether the op sets the guard. Nothing relies on it: the blocks suffice, and not every kernel has nftables. */
export function isGuard(op: Op): boolean {
  return op.op === 'portGuard.set';
}

/** Whether the op sets a block. */
export function isBlock(op: Op): boolean {
  return op.op === 'xfrmPolicy.set' && op.policy.action.kind === 'block';
}

/** Whether an overlay of this host has a tunnel that must be protected, also if another program has made the tunnel. */
export async function hasEncryptedTunnel(kernel: Pick<Kernel, 'read' | 'ownNetns'>): Promise<boolean> {
  for (const netns of (await kernel.ownNetns()).filter(isOverlayNetns)) {
    const found = await kernel.read(netns, { links: [espVxlanName], of: [], sysctls: [] });
    const tunnel = found?.links.get(espVxlanName);
    if (tunnel?.kind === 'vxlan' && tunnel.port === encryptedVxlanPort) return true;
  }
  return false;
}

function isRelied(op: Op): boolean {
  return isBlock(op) || op.op === 'xfrmState.add';
}

/**
 * Networks of these whose tunnel in the kernel sends in ESP, while the table says that frames are sent in the clear. The agent that
 * made the tunnel ended before it had written the changed table down.
 */
export async function outdatedTables(
  kernel: Pick<Kernel, 'read'>,
  tables: Iterable<{ readonly network: Pick<SentNetwork, 'id' | 'driver'> }>,
): Promise<readonly NetworkId[]> {
  const outdated: NetworkId[] = [];
  for (const { network } of tables) {
    if (network.driver !== 'overlay' && network.driver !== 'dual-overlay') continue;
    const found = await kernel.read(overlayNetns(network.id), { links: [espVxlanName], of: [], sysctls: [] });
    const tunnel = found?.links.get(espVxlanName);
    if (tunnel?.kind === 'vxlan' && tunnel.bridgePort?.flood === true) outdated.push(network.id);
  }
  return outdated;
}
