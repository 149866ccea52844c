// Needs ESP. Two hosts of which one is behind a NAT that gives it another port; the NAT gives a third port; the agents are killed, and
// the process that holds a socket. Then two hosts with an IPv6 underlay, with plain ESP and with ESP in UDP.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  applyPlan,
  type Failure,
  type NetnsPath,
  newNamespace,
  plan,
  policyKey,
  readState,
  stateKey,
  type UdpPorts,
  type XfrmState,
} from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import { xfrm } from '@causeway/datapath/testing';
import { encryptedVxlanPort, Ip } from '@causeway/model';
import { enterThrowawayNetns } from '@causeway/netlink/io/testing/netns';
import { ip, type Pings, ping, report, run } from '../guest/commands.ts';
import type { Told } from '../guest/keyed-host.ts';
import { fromLine, toLine } from '../guest/lines.ts';
import { natCommands, type PortNat } from '../guest/nat.ts';
import type { AgentHears, AgentSaid } from '../guest/nat-agent.ts';
import { until } from '../guest/until.ts';

/** Frames on the underlay meanwhile. */
interface Frames {
  readonly udp: number;
  readonly esp: number;
  readonly vxlan: number;
}

export interface Nat {
  /** `ports`: with which the host outside sends to the host behind the NAT. */
  readonly behindNat: { readonly ports: string; readonly toOutside: Pings & Frames; readonly toInside: Pings };
  /** While pings run, the NAT gives the host another port. */
  readonly followed: {
    readonly pings: Pings;
    readonly ports: string;
    readonly ops: readonly string[];
    readonly isSameSa: boolean;
    /** The counter of the SA goes on. */
    readonly isCountedOn: boolean;
    readonly toInside: Pings;
  };
  /**
   * While pings run, both agents are killed. `holders`: processes that hold a socket, on each host. `isKeptAlive`: when nothing is
   * sent any more, the host behind the NAT sends keepalives.
   */
  readonly withoutAgents: {
    readonly pings: Pings;
    readonly holders: readonly number[];
    readonly isKeptAlive: boolean;
  };
  /** What the next agents have changed. */
  readonly again: { readonly pings: Pings; readonly ops: readonly string[] };
  /** The process that holds the socket of the host behind the NAT is killed. */
  readonly withoutSocket: Pings;
  readonly socketBack: Pings;
  readonly rekeyed: { readonly pings: Pings; readonly ports: string; readonly isSameSa: boolean };
  readonly failures: readonly Failure[];
  /** `largest`: pings of the largest size that passes unfragmented. */
  readonly six: { readonly esp: Pings; readonly inUdp: Pings; readonly socket: string; readonly largest: Pings };
}

interface Host {
  readonly number: number;
  readonly netns: string;
  readonly address: Ip;
  /** The address at which the other host reaches it. */
  readonly seenAs: Ip;
  readonly inner: string;
}

const missing = enterThrowawayNetns();
if (missing !== undefined) throw new Error(missing);

function host(number: number, address: string, seenAs = address): Host {
  const netns = `cw-${`${number}`.repeat(10)}`;
  return { number, netns, address: Ip(address), seenAs: Ip(seenAs), inner: `10.0.0.${number}` };
}

const [a, b, nat] = [host(1, '10.1.0.2', '192.0.2.10'), host(2, '192.0.2.2'), 'cw-cccccccccc'];
/** What the underlay of 1500 bytes leaves for ESP in UDP over IPv6, and so also for all else here. */
const mtu = 1388;

function inside(netns: string, ...command: readonly string[]): string {
  return ip('netns', 'exec', netns, ...command);
}

function layOut(): void {
  for (const netns of [a.netns, b.netns, nat]) ip('netns', 'add', netns);
  ip('-n', nat, 'link', 'add', 'in', 'type', 'veth', 'peer', 'name', 'e0', 'netns', a.netns);
  ip('-n', nat, 'link', 'add', 'out', 'type', 'veth', 'peer', 'name', 'e0', 'netns', b.netns);
  for (const [netns, device, address] of [
    [a.netns, 'e0', `${a.address}/24`],
    [nat, 'in', '10.1.0.1/24'],
    [nat, 'out', `${a.seenAs}/24`],
    [b.netns, 'e0', `${b.address}/24`],
  ] as const) {
    ip('-n', netns, 'address', 'add', address, 'dev', device);
    for (const link of ['lo', device]) ip('-n', netns, 'link', 'set', link, 'up');
  }
  ip('-n', a.netns, 'route', 'add', 'default', 'via', '10.1.0.1');
  inside(nat, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  tunnel(a, b);
  tunnel(b, a);
}

function tunnel(from: Host, to: Host): void {
  const mac = ({ number }: Host): string => `02:00:00:00:00:0${number}`;
  const on = (...args: readonly string[]): string => ip('-n', from.netns, ...args);
  const port = `${encryptedVxlanPort}`;
  const ports = ['dstport', port, 'srcport', port, `${encryptedVxlanPort + 1}`];
  const vxlan = ['type', 'vxlan', 'id', '7', ...ports, 'local', from.address, 'nolearning'];
  on('link', 'add', 'vx0', 'address', mac(from), 'mtu', `${mtu}`, ...vxlan);
  on('link', 'set', 'vx0', 'up');
  on('address', 'add', `${from.inner}/24`, 'dev', 'vx0');
  on('neighbour', 'add', to.inner, 'lladdr', mac(to), 'dev', 'vx0', 'nud', 'permanent');
  run('bridge', '-n', from.netns, 'fdb', 'add', mac(to), 'dev', 'vx0', 'self', 'dst', to.seenAs);
}

/** The NAT gives the UDP port 4500 of the host behind it this port, both ways. */
function mapTo(port: number): void {
  const mapping: PortNat = { inner: a.address, outer: a.seenAs, port, device: 'out', behind: 'others' };
  for (const command of natCommands(mapping)) run('tc', '-n', nat, ...command);
}

/** The agent of a host, in a process of its own. */
class Agent {
  readonly host: Host;
  readonly ops: string[] = [];
  readonly failures: Failure[] = [];
  told: Told | undefined;
  readonly #port: number;
  #child: ChildProcessByStdio<Writable, Readable, null>;
  #lines: Interface;

  constructor(of: Host, port: number) {
    this.host = of;
    this.#port = port;
    [this.#child, this.#lines] = this.#start();
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await ended;
  }

  restart(): void {
    [this.#child, this.#lines] = this.#start();
  }

  /** What the managers bring. Resolves when it is done. */
  async hears(message: AgentHears): Promise<void> {
    const said = once(this.#lines, 'line');
    this.#child.stdin.write(toLine(message));
    const { told, ops, failures } = fromLine<AgentSaid>(String((await said)[0]));
    this.told = { ...told, address: this.host.seenAs };
    this.ops.push(...ops);
    this.failures.push(...failures);
  }

  #start(): [ChildProcessByStdio<Writable, Readable, null>, Interface] {
    const program = fileURLToPath(new URL('../guest/nat-agent.js', import.meta.url));
    const { netns, number, address } = this.host;
    const words = [process.execPath, program, `${number}`, address, `${this.#port}`, `/run/keys-${number}`];
    const child = spawn('ip', ['netns', 'exec', netns, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
    return [child, createInterface({ input: child.stdout })];
  }
}

async function rounds(count: number, wanted: AgentHears = {}): Promise<void> {
  for (let i = 0; i < count; i++) {
    await first.hears({ ...(second.told && { told: second.told }), ...(i === 0 && wanted) });
    await second.hears(first.told === undefined ? {} : { told: first.told });
  }
}

const fromA = (...options: readonly string[]): Promise<Pings> => ping(a.netns, b.inner, '-i', '0.02', ...options);
const fromB = (...options: readonly string[]): Promise<Pings> => ping(b.netns, a.inner, '-i', '0.02', ...options);

/** What iproute2 prints of the SA with which the host outside sends. */
function sent(): { readonly ports: string; readonly spi: string | undefined; readonly packets: number } {
  const text = ip('-n', b.netns, '-s', 'xfrm', 'state', 'list', 'src', b.address, 'nokeys');
  const [, from, to] = /sport (\d+) dport (\d+)/.exec(text) ?? [];
  const packets = Number(/lifetime current:\s+\d+\(bytes\), (\d+)\(packets\)/.exec(text)?.[1]);
  return { ports: `${from}>${to}`, spi: /spi (0x[0-9a-f]+)/.exec(text)?.[1], packets };
}

/** Frames before the host outside while `work` runs. */
async function onWire(work: () => Promise<Pings>): Promise<Pings & Frames> {
  const file = '/run/wire.pcap';
  const words = ['--immediate-mode', '-U', '-Z', 'root', '-nni', 'e0', '-w', file];
  const capture = spawn('ip', ['netns', 'exec', b.netns, 'tcpdump', ...words]);
  await once(capture.stderr, 'data');
  const result = await work();
  await sleep(100);
  capture.kill('SIGINT');
  await once(capture, 'close');
  const count = (filter: string): number => run('tcpdump', '-nnr', file, filter).split('\n').filter(Boolean).length;
  return { ...result, udp: count('udp port 4500'), esp: count('esp'), vxlan: count(`udp port ${encryptedVxlanPort}`) };
}

/** Whether a keepalive of one byte passes the NAT within twice the time after which the kernel sends one. */
async function isKeptAlive(): Promise<boolean> {
  const keepalive = 'udp src port 62000 and udp[4:2] = 9';
  const words = ['timeout', '40', 'tcpdump', '--immediate-mode', '-Z', 'root', '-nni', 'e0', '-c', '1', keepalive];
  const capture = spawn('ip', ['netns', 'exec', b.netns, ...words], { stdio: 'ignore' });
  const [code] = await once(capture, 'close');
  return code === 0;
}

/** Processes that hold a socket at port 4500 of a host. */
function holders({ netns }: Host): readonly number[] {
  const text = inside(netns, 'ss', '-Hunap', 'sport = :4500');
  return [...text.matchAll(/pid=(\d+)/g)].map(([, pid]) => Number(pid));
}

layOut();
mapTo(61_000);
const [first, second] = [new Agent(a, 4500), new Agent(b, 0)];
await rounds(8);
await until('a ping passes the NAT', async () => (await fromA('-c', '1')).received === 1);
const behindNat = {
  toOutside: await onWire(() => fromA('-c', '20')),
  toInside: await fromB('-c', '20'),
  ports: sent().ports,
};

// Only packets from behind the NAT show the new port.
await rounds(1);
const [before, knownOps] = [sent(), second.ops.length];
mapTo(62_000);
const pings = await fromA('-c', '200');
const after = sent();
const toInside = await fromB('-c', '20');
await rounds(1);
const followed = {
  ...{ pings, toInside, ports: after.ports },
  ops: second.ops.slice(knownOps).map((op) => op.split(' ').slice(1, 4).join(' ')),
  isSameSa: after.spi === before.spi,
  isCountedOn: after.packets >= before.packets + pings.received,
};

const whileDown = fromA('-c', '200');
await Promise.all([first.kill(), second.kill()]);
const withoutAgents = {
  pings: await whileDown,
  holders: [holders(a).length, holders(b).length],
  isKeptAlive: await isKeptAlive(),
};

const known = [first.ops.length, second.ops.length];
for (const agent of [first, second]) agent.restart();
await rounds(4);
const again = {
  ops: [...first.ops.slice(known[0]), ...second.ops.slice(known[1])],
  pings: await fromA('-c', '5'),
};

for (const pid of holders(a)) process.kill(pid);
await until('the socket is gone', async () => holders(a).length === 0);
const withoutSocket = await fromA('-c', '3');
await rounds(2);
const socketBack = await fromA('-c', '5');
await rounds(8, { wanted: 'requested' });
const rekeyed = { pings: await fromA('-c', '20'), ports: sent().ports, isSameSa: sent().spi === before.spi };
await Promise.all([first.kill(), second.kill()]);
const failures = [...first.failures, ...second.failures];

const kernel = createKernel();
const [c, d] = [host(3, '2001:db8::1'), host(4, '2001:db8::2')];
const ways = [
  [c, d],
  [d, c],
] as const;
for (const { netns } of [c, d]) ip('netns', 'add', netns);
ip('-n', c.netns, 'link', 'add', 'e0', 'type', 'veth', 'peer', 'name', 'e0', 'netns', d.netns);
for (const [from, to] of ways) {
  ip('-n', from.netns, 'address', 'add', `${from.address}/64`, 'dev', 'e0', 'nodad');
  for (const link of ['lo', 'e0']) ip('-n', from.netns, 'link', 'set', link, 'up');
  tunnel(from, to);
}

/** Protects what the two send each other, with SAs of this generation. */
async function protect(generation: number, encap?: UdpPorts): Promise<void> {
  const sa = (from: Host, to: Host, direction: 'in' | 'out'): XfrmState =>
    xfrm.state({
      ...{ direction, src: from.address, dst: to.address, spi: generation * 256 + from.number },
      ...{ key: xfrm.saKey(generation * 16 + from.number), ...(encap && { encap }) },
    });
  for (const [from, to] of ways) {
    const desired = newNamespace();
    const [out, into] = [sa(from, to, 'out'), sa(to, from, 'in')];
    for (const state of [out, into]) desired.xfrmStates.set(stateKey(state), state);
    const demanded = [
      xfrm.demand('in', to.address, from.address),
      xfrm.demand('out', from.address, to.address, { spi: out.spi }),
    ];
    const policies = [xfrm.block('in', 6), xfrm.block('out', 6), ...demanded];
    for (const policy of policies) desired.xfrmPolicies.set(policyKey(policy), policy);
    if (encap !== undefined) desired.encapSockets.set(from.address, true);
    const path = `/run/netns/${from.netns}` as NetnsPath;
    const [wanted, of] = [new Map([[path, desired]]), ['xfrmStates', 'xfrmPolicies', 'encapSockets'] as const];
    const scopes = new Map([[path, { links: [], of, sysctls: [] }]]);
    const refused = await applyPlan(kernel, plan(await readState(kernel, wanted, scopes), wanted));
    const left = plan(await readState(kernel, wanted, scopes), wanted);
    if (refused.length + left.length > 0) throw new Error(JSON.stringify({ refused, left }));
  }
}

const fromC = (...options: readonly string[]): Promise<Pings> => ping(c.netns, d.inner, '-i', '0.02', ...options);

async function sixPings(generation: number, encap?: UdpPorts): Promise<Pings> {
  await protect(generation, encap);
  await until('a ping passes over IPv6', async () => (await fromC('-c', '1')).received === 1);
  return fromC('-c', '20');
}

const six = {
  esp: await sixPings(1),
  inUdp: await sixPings(2, { sport: 4500, dport: 4500 }),
  socket: inside(c.netns, 'ss', '-Huna', 'sport = :4500').trim().split(/\s+/)[3] ?? '',
  // Headers of IP and ICMP: 28 bytes.
  largest: await fromC('-c', '3', '-M', 'do', '-s', `${mtu - 28}`),
};
kernel.close();
report<Nat>({ behindNat, followed, withoutAgents, again, withoutSocket, socketBack, rekeyed, failures, six });
process.exit(0);
