import { pingContainer } from '../../guest/containers.ts';
import { overlayOf } from '../../guest/counters.ts';
import type { Sa } from '../../guest/sa-watch.ts';
import { until } from '../../guest/until.ts';
import { onWire } from '../../guest/wire.ts';
import { encryptedPort, reachable, type Scene, sasOf, strangerOf } from './scene.ts';
import { type Frames, framesOf } from './traffic.ts';

/** What was sent from h1 to h2, what arrived, and what the underlay showed meanwhile. */
export interface Attempt extends Frames {
  readonly sent: number;
  readonly received: number;
}

export interface Faults {
  /** Deleted by hand while the agent is paused, and then while the agent works: milliseconds until the policy was back. */
  readonly policyDeleted: Attempt & { readonly backWithin: number };
  /** h1's SA to h2, and all SAs of h1. */
  readonly saDeleted: Attempt & Recovery;
  readonly sasFlushed: Attempt & Recovery;
  readonly rulesetFlushed: Attempt;
  readonly firewallReloaded: Attempt & { readonly meanwhile: Attempt };
  /** h1's agent is killed; then the policy is deleted too. */
  readonly agentDown: Attempt & { readonly withoutPolicy: Attempt };
  /** The FDB names a host that has no SAs. */
  readonly peerUnknown: Attempt;
}

/** What is so when h1's agent goes on. */
export interface Recovery {
  /** Pings from h1 to h2. */
  readonly after: { readonly sent: number; readonly received: number };
  /** SAs that were lost and are there again, with the same keys. */
  readonly madeAgain: number;
}

/** Each by itself; what it breaks is whole again when it is over. */
export const faults: { readonly [Name in keyof Faults]: (scene: Scene) => Promise<Faults[Name]> } = {
  policyDeleted,
  saDeleted,
  sasFlushed,
  rulesetFlushed,
  firewallReloaded,
  agentDown,
  peerUnknown,
};

/** Pings from h1 to h2 in the encrypted network. */
async function attempt({ lab, vault }: Scene, ...options: readonly string[]): Promise<Attempt> {
  const [from, to] = vault.containers;
  const { result, wire } = await onWire(lab, () => pingContainer(lab, from, to, ...options));
  return { sent: result.sent, received: result.received, ...framesOf(wire) };
}

/** Time for an agent to start, ms: much in a guest on a busy machine. */
const startOfAgent = 60_000;

const few = ['-c', '3', '-i', '0.1'];

/** The policy of h1 for what it sends to h2, as iproute2 names it. */
function policyOf({ lab }: Scene): readonly string[] {
  const selector = ['src', `${lab.underlay('h1')}/32`, 'dst', `${lab.underlay('h2')}/32`];
  const ports = ['sport', `${encryptedPort}`, 'dport', `${encryptedPort}`];
  return [...selector, 'proto', 'udp', ...ports, 'dir', 'out'];
}

async function deletePolicy(scene: Scene): Promise<void> {
  await scene.lab.run('h1', 'ip', 'xfrm', 'policy', 'delete', ...policyOf(scene));
}

/** `within`: ms. */
function policyIsBack(scene: Scene, within?: number): Promise<number> {
  const isThere = async (): Promise<boolean> =>
    (await scene.lab.try('h1', 'ip', 'xfrm', 'policy', 'get', ...policyOf(scene))).code === 0;
  return until('the policy is back', isThere, within);
}

async function policyDeleted(scene: Scene): Promise<Faults['policyDeleted']> {
  const { lab } = scene;
  await lab.kill('h1', 'agent', 'STOP');
  await deletePolicy(scene);
  const blocked = await attempt(scene, ...few);
  await lab.kill('h1', 'agent', 'CONT');
  await reachable(scene);
  await deletePolicy(scene);
  const backWithin = await policyIsBack(scene);
  await reachable(scene);
  return { ...blocked, backWithin };
}

async function saDeleted(scene: Scene): Promise<Faults['saDeleted']> {
  const { lab } = scene;
  const sent = (await sasOf(scene, 'h1')).filter(({ dst }) => dst === lab.underlay('h2'));
  await lab.kill('h1', 'agent', 'STOP');
  for (const { src, dst, spi } of sent) {
    await lab.run('h1', 'ip', 'xfrm', 'state', 'delete', 'src', src, 'dst', dst, 'proto', 'esp', 'spi', spi);
  }
  return recovery(scene, sent);
}

async function sasFlushed(scene: Scene): Promise<Faults['sasFlushed']> {
  const all = await sasOf(scene, 'h1');
  await scene.lab.kill('h1', 'agent', 'STOP');
  await scene.lab.run('h1', 'ip', 'xfrm', 'state', 'flush');
  return recovery(scene, all);
}

/** While h1's agent is paused, and after that. */
async function recovery(scene: Scene, lost: readonly Sa[]): Promise<Faults['saDeleted']> {
  const { lab, vault } = scene;
  const [from, to] = vault.containers;
  const blocked = await attempt(scene, ...few);
  const { result, wire } = await onWire(lab, async () => {
    await lab.kill('h1', 'agent', 'CONT');
    await reachable(scene);
    return pingContainer(lab, from, to, ...few);
  });
  const there = await sasOf(scene, 'h1');
  const madeAgain = lost.filter(({ dst, spi }) => there.some((sa) => sa.dst === dst && sa.spi === spi)).length;
  const { readable, vxlan } = framesOf(wire);
  const after = { sent: result.sent, received: result.received };
  return { ...blocked, readable: blocked.readable + readable, vxlan: blocked.vxlan + vxlan, after, madeAgain };
}

async function rulesetFlushed(scene: Scene): Promise<Attempt> {
  await scene.lab.run('h1', 'nft', 'flush', 'ruleset');
  await scene.lab.run('h1', 'iptables-legacy', '--flush');
  return attempt(scene, ...few);
}

/** As firewalld does: while it loads its rules it drops everything, then it replaces all rules in one step. */
async function firewallReloaded(scene: Scene): Promise<Faults['firewallReloaded']> {
  const load = async (policy: 'DROP' | 'ACCEPT'): Promise<void> => {
    const chains = ['INPUT', 'FORWARD', 'OUTPUT'].map((chain) => `:${chain} ${policy}`);
    const rules = ['*filter', ...chains, '-A INPUT -i lo -j ACCEPT', 'COMMIT', ''];
    await scene.lab.feed('h1', ['iptables-legacy-restore'], rules.join('\n'));
  };
  await load('DROP');
  const meanwhile = await attempt(scene, ...few).finally(() => load('ACCEPT'));
  return { ...(await attempt(scene, ...few)), meanwhile };
}

async function agentDown(scene: Scene): Promise<Faults['agentDown']> {
  const { lab } = scene;
  await lab.kill('h1', 'agent');
  const outcome = await attempt(scene, ...few);
  await deletePolicy(scene);
  const withoutPolicy = await attempt(scene, ...few);
  await lab.startProcess('h1', 'agent');
  await policyIsBack(scene, startOfAgent);
  await reachable(scene);
  return { ...outcome, withoutPolicy };
}

async function peerUnknown(scene: Scene): Promise<Attempt> {
  const { lab, vault } = scene;
  const stranger = ['dst', strangerOf(scene)];
  await lab.kill('h1', 'agent', 'STOP');
  const entry = ['fdb', 'replace', vault.containers[1].mac, 'dev', 'vxlan1', 'self', 'permanent', ...stranger];
  await lab.run('h1', 'bridge', '-n', overlayOf(vault.network), ...entry);
  // Otherwise nothing would leave because the address has no MAC.
  const neighbour = ['lladdr', '02:00:00:00:00:09', 'nud', 'permanent', 'dev', 'eth0'];
  await lab.run('h1', 'ip', 'neigh', 'replace', strangerOf(scene), ...neighbour);
  const outcome = await attempt(scene, ...few);
  await lab.kill('h1', 'agent', 'CONT');
  await reachable(scene);
  return outcome;
}
