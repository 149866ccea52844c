// Needs ESP. First the contract cases of SAs and policies, then two hosts whose VXLAN travels in ESP.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  applyPlan,
  type Namespace,
  type NetnsPath,
  newNamespace,
  plan,
  policyKey,
  readState,
  stateKey,
  type XfrmState,
} from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import { realHost } from '@causeway/datapath/io/testing';
import { encapSocketCases, xfrm, xfrmPolicyCases, xfrmStateCases } from '@causeway/datapath/testing';
import type { Ip } from '@causeway/model';
import { enterThrowawayNetns } from '@causeway/netlink/io/testing/netns';
import { ip, type Pings, ping, report, run } from '../guest/commands.ts';

/** Frames on the underlay meanwhile. `icmp`: IPv4. */
interface Frames {
  readonly esp: number;
  readonly vxlan: number;
  readonly icmp: number;
}

export interface Esp {
  readonly contract: { readonly cases: number; readonly failures: Readonly<Record<string, string>> };
  /** Before any policy. */
  readonly plain: Pings & Frames;
  readonly blocked: Pings & Frames;
  readonly withoutSa: Pings & Frames;
  /** SAs and policies of a host, as iproute2 prints them without keys. */
  readonly golden: string;
  readonly protected: Pings & Frames;
  readonly rekeyed: Pings & { readonly rekeys: number };
  readonly policyDeleted: Pings & Frames;
  readonly policyBack: Pings;
  /** Both hosts drop what is for the port and not protected, by netfilter. */
  readonly guarded: Pings & Frames;
  /** Then all policies of one host are gone, its blocks too: of the one that pings, and of the other. */
  readonly policiesFlushed: readonly [Pings & Frames, Pings & Frames];
  readonly sasFlushed: Pings & Frames;
  readonly replayed: Pings & { readonly replays: number };
  /** The receiver has SAs and policies, and no tunnel: it answers what it has decrypted with ICMP errors that quote it. */
  readonly withoutTunnel: Pings & Frames;
}

const { here, there } = xfrm.ends[4];

const missing = enterThrowawayNetns();
if (missing !== undefined) throw new Error(missing);

/** The errors of the contract cases, by name. */
async function contract(): Promise<Esp['contract']> {
  const failures: Record<string, string> = {};
  const cases = [...xfrmStateCases, ...xfrmPolicyCases, ...encapSocketCases];
  for (const { name, run: runCase } of cases) {
    const host = realHost();
    if (!host.hasEsp) throw new Error('the guest has no ESP');
    try {
      await runCase(host);
    } catch (error) {
      failures[name] = String((error as Error).stack);
    }
    await host.dispose();
  }
  return { cases: cases.length, failures };
}

interface Host {
  readonly name: string;
  readonly address: Ip;
  readonly peer: Ip;
  readonly inner: string;
  readonly mac: string;
}

/** Two hosts with a tunnel each. Their namespaces have names like those of overlays, so that everything there is ours. */
const a: Host = { name: 'cw-aaaaaaaaaa', address: here, peer: there, inner: '10.0.0.1', mac: '02:00:00:00:00:01' };
const b: Host = { name: 'cw-bbbbbbbbbb', address: there, peer: here, inner: '10.0.0.2', mac: '02:00:00:00:00:02' };
const kernel = createKernel();

function layOut(): void {
  for (const { name } of [a, b]) ip('netns', 'add', name);
  ip('-n', a.name, 'link', 'add', 'e0', 'type', 'veth', 'peer', 'name', 'e0', 'netns', b.name);
  for (const [host, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const on = (...args: string[]): string => ip('-n', host.name, ...args);
    on('address', 'add', `${host.address}/24`, 'dev', 'e0');
    for (const link of ['lo', 'e0']) on('link', 'set', link, 'up');
    const ports = ['dstport', `${xfrm.encryptedPort}`, 'srcport', `${xfrm.encryptedPort}`, `${xfrm.encryptedPort + 1}`];
    const tunnel = ['id', '7', ...ports, 'local', host.address, 'nolearning'];
    on('link', 'add', 'vx0', 'address', host.mac, 'mtu', '1400', 'type', 'vxlan', ...tunnel);
    on('link', 'set', 'vx0', 'up');
    on('address', 'add', `${host.inner}/24`, 'dev', 'vx0');
    on('neighbour', 'add', other.inner, 'lladdr', other.mac, 'dev', 'vx0', 'nud', 'permanent');
    run('bridge', '-n', host.name, 'fdb', 'add', other.mac, 'dev', 'vx0', 'self', 'dst', host.peer);
  }
}

/** The SA of a generation from one host to the other. Each direction and generation has a key of its own. */
function sa(from: Host, generation: number, direction: 'in' | 'out'): XfrmState {
  const side = from === a ? 1 : 2;
  const id = { src: from.address, dst: from.peer, spi: generation * 0x0100_0000 + side };
  return xfrm.state({ direction, ...id, key: xfrm.saKey(generation * 2 + side) });
}

interface Content {
  /** Generations that the host receives. */
  readonly receive?: readonly number[];
  /** The generation that it sends; absent: none. */
  readonly send?: number;
  /** The generation that its policy names; absent: the one that it sends. */
  readonly policy?: number;
}

function desiredOf(host: Host, { receive = [], send, policy = send }: Content): Namespace {
  const other = host === a ? b : a;
  const desired = newNamespace();
  const states = receive.map((generation) => sa(other, generation, 'in'));
  if (send !== undefined) states.push(sa(host, send, 'out'));
  const policies = [xfrm.block('in'), xfrm.block('out')];
  if (receive.length > 0) policies.push(xfrm.demand('in', host.peer, host.address));
  if (policy !== undefined)
    policies.push(xfrm.demand('out', host.address, host.peer, { spi: sa(host, policy, 'out').spi }));
  for (const state of states) desired.xfrmStates.set(stateKey(state), state);
  for (const each of policies) desired.xfrmPolicies.set(policyKey(each), each);
  return desired;
}

/** Makes the kernel of the hosts as desired, and proves that nothing is left to do. */
async function reconcile(content: Content, ...hosts: readonly Host[]): Promise<void> {
  for (const host of hosts.length === 0 ? [a, b] : hosts) {
    const path = `/run/netns/${host.name}` as NetnsPath;
    const desired = new Map([[path, desiredOf(host, content)]]);
    const scopes = new Map([[path, { links: [], of: ['xfrmStates', 'xfrmPolicies'], sysctls: [] } as const]]);
    const failures = await applyPlan(kernel, plan(await readState(kernel, desired, scopes), desired));
    const left = plan(await readState(kernel, desired, scopes), desired);
    if (failures.length + left.length > 0) throw new Error(JSON.stringify({ failures, left }));
  }
}

const pingFromA = (...options: readonly string[]): Promise<Pings> => ping(a.name, b.inner, ...options);

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 20; tries++) if (await holds()) return;
  throw new Error('it never came to hold');
}

/** Frames on the wire while `work` runs: ESP, and VXLAN that anybody can read. */
async function onWire(work: () => Promise<Pings>): Promise<Pings & Frames> {
  const file = '/run/wire.pcap';
  const capture = spawn('ip', [
    'netns',
    'exec',
    b.name,
    'tcpdump',
    '--immediate-mode',
    '-U',
    '-Z',
    'root',
    '-nni',
    'e0',
    '-w',
    file,
  ]);
  await once(capture.stderr, 'data');
  const result = await work();
  await sleep(100);
  capture.kill('SIGINT');
  await once(capture, 'close');
  const count = (filter: string): number => run('tcpdump', '-nnr', file, filter).split('\n').filter(Boolean).length;
  return { ...result, esp: count('esp'), vxlan: count(`udp port ${xfrm.encryptedPort}`), icmp: count('icmp') };
}

/**
 * What a guard does, without nftables, which the guest's kernel does not have for IP. The match "policy" looks at the same two fields of
 * a packet as the expressions of a guard: at the decision of the policies in its route, and at the SAs that it came with.
 */
function guard({ name }: Host): void {
  const port = ['-p', 'udp', '--dport', `${xfrm.encryptedPort}`];
  for (const [chain, direction] of [
    ['INPUT', 'in'],
    ['OUTPUT', 'out'],
  ] as const) {
    const isUnprotected = ['-m', 'policy', '--dir', direction, '--pol', 'none'];
    ip('netns', 'exec', name, 'iptables-legacy', '-A', chain, ...port, ...isUnprotected, '-j', 'DROP');
  }
}

/** The kernel's count of packets that an SA of the host dropped for this reason. */
function dropped(host: Host, reason: string): number {
  const text = ip('netns', 'exec', host.name, 'cat', '/proc/net/xfrm_stat');
  return Number(new RegExp(`^${reason}\\s+(\\d+)`, 'm').exec(text)?.[1]);
}

/** Both ends receive the next generation, then both send it, then both forget the last one. */
async function rekey(from: number, to: number): Promise<void> {
  await reconcile({ receive: [from, to], send: from });
  await reconcile({ receive: [from, to], send: to });
  await sleep(100);
  await reconcile({ receive: [to], send: to });
}

const contractOutcome = await contract();
layOut();
// The capture must see what the hunt for plain frames looks for.
const plain = await onWire(() => pingFromA('-c', '3', '-i', '0.1'));
await reconcile({});
const blocked = await onWire(() => pingFromA('-c', '3', '-i', '0.1'));

// The policies demand an SA that is not there yet: the first packets make larval SAs, which the real ones must replace.
await reconcile({ receive: [1], policy: 1 });
const withoutSa = await onWire(() => pingFromA('-c', '3', '-i', '0.1'));
await reconcile({ receive: [1], send: 1 });
const golden = [ip('-n', a.name, 'xfrm', 'state', 'list', 'nokeys'), ip('-n', a.name, 'xfrm', 'policy', 'list')].join(
  '\n',
);
await until(async () => (await pingFromA('-c', '1')).received === 1);
const protectedPings = await onWire(() => pingFromA('-c', '20', '-i', '0.02'));

let generation = 1;
const pings = pingFromA('-c', '3000', '-i', '0.002');
let isOver = false;
void pings.then(() => {
  isOver = true;
});
for (; !isOver && generation < 14; generation++) await rekey(generation, generation + 1);
const rekeyed = { ...(await pings), rekeys: generation - 1 };

const { selector } = xfrm.demand('out', a.address, a.peer);
const ports = ['proto', 'udp', 'dport', `${selector.dport}`];
const byHand = ['src', selector.src, 'dst', selector.dst, ...ports, 'dir', 'out'];
ip('-n', a.name, 'xfrm', 'policy', 'delete', ...byHand);
const policyDeleted = await onWire(() => pingFromA('-c', '3', '-i', '0.1'));
await reconcile({ receive: [generation], send: generation }, a);
const policyBack = await pingFromA('-c', '5', '-i', '0.05');

const few = (): Promise<Pings & Frames> => onWire(() => pingFromA('-c', '3', '-i', '0.1'));
const policiesFlushed = async (host: Host): Promise<Pings & Frames> => {
  ip('-n', host.name, 'xfrm', 'policy', 'flush');
  const found = await few();
  await reconcile({ receive: [generation], send: generation }, host);
  return found;
};
guard(a);
guard(b);
const guarded = await few();
const flushed = [await policiesFlushed(a), await policiesFlushed(b)] as const;
ip('-n', a.name, 'xfrm', 'state', 'flush');
const sasFlushed = await few();
generation++;
await reconcile({ receive: [generation], send: generation });

run('tc', '-n', a.name, 'qdisc', 'add', 'dev', 'e0', 'root', 'netem', 'duplicate', '100%');
const before = dropped(b, 'XfrmInStateSeqError');
const replayed = await pingFromA('-c', '50', '-i', '0.01');
const replays = dropped(b, 'XfrmInStateSeqError') - before;

run('tc', '-n', a.name, 'qdisc', 'delete', 'dev', 'e0', 'root');
ip('-n', b.name, 'link', 'delete', 'vx0');
const withoutTunnel = await onWire(() => pingFromA('-c', '3', '-i', '0.1'));

kernel.close();
report<Esp>({
  contract: contractOutcome,
  plain,
  blocked,
  withoutSa,
  golden,
  protected: protectedPings,
  rekeyed,
  policyDeleted,
  policyBack,
  guarded,
  policiesFlushed: flushed,
  sasFlushed,
  replayed: { ...replayed, replays },
  withoutTunnel,
});
