// Needs ESP. Three hosts with the rekey protocol, which change their keys while pings run; the agent of one host is paused, and
// that of another ends in the middle of its work.
import { setTimeout as sleep } from 'node:timers/promises';
import { applyPlan, type Namespace, type NetnsPath, newNamespace, plan, readState } from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import { encryptedVxlanPort, type Ip } from '@causeway/model';
import { enterThrowawayNetns } from '@causeway/netlink/io/testing/netns';
import { ip, type Pings, ping, report, run } from '../guest/commands.ts';
import { type Ipsec, type IpsecKernel, KeyedHost } from '../guest/keyed-host.ts';

export interface Rekey {
  /** From a host to one whose agent ends again and again, and to one whose agent is paused. */
  readonly toLive: Pings;
  readonly toPaused: Pings;
  /** How many generations the hosts made meanwhile. */
  readonly whilePaused: { readonly live: number; readonly paused: number };
  /** Generations of one node in a kernel at a time, at most. */
  readonly most: number;
  /** SAs of each host at the end. */
  readonly left: readonly number[];
  /** The pings ran until after the last rekey. */
  readonly isInTime: boolean;
}

const missing = enterThrowawayNetns();
if (missing !== undefined) throw new Error(missing);

const kernel = createKernel();

/** A host in a namespace whose name is like that of an overlay, so that everything there is ours. */
class Host implements IpsecKernel {
  readonly netns: string;
  readonly inner: string;
  readonly mac: string;
  readonly keyed: KeyedHost;
  isPaused = false;
  /** After so many ops the agent ends. */
  ops = Number.POSITIVE_INFINITY;
  /** Generations of a node's key in the kernel at a time, at most. */
  most = 0;

  constructor(number: number) {
    this.netns = `cw-${`${number}`.repeat(10)}`;
    this.inner = `10.0.0.${number}`;
    this.mac = `02:00:00:00:00:0${number}`;
    this.keyed = new KeyedHost(number, `192.0.2.${number}`, this);
  }

  async found(): Promise<Namespace> {
    const found = (await this.#read()).get(this.#path) ?? newNamespace();
    this.most = Math.max(this.most, generations(found));
    return found;
  }

  async become(ipsec: Ipsec): Promise<boolean> {
    const desired = new Map([[this.#path, { ...newNamespace(), ...ipsec }]]);
    const planned = plan(await this.#read(), desired);
    const failures = await applyPlan(kernel, planned.slice(0, this.ops));
    if (failures.length > 0) throw new Error(JSON.stringify(failures));
    return planned.length <= this.ops;
  }

  get #path(): NetnsPath {
    return `/run/netns/${this.netns}` as NetnsPath;
  }

  #read(): Promise<ReadonlyMap<NetnsPath, Namespace>> {
    const scope = { links: [], of: ['xfrmStates', 'xfrmPolicies'], sysctls: [] } as const;
    return readState(kernel, new Map([[this.#path, newNamespace()]]), new Map([[this.#path, scope]]));
  }
}

/** The largest number of generations that a node has in these SAs. */
function generations({ xfrmStates }: Ipsec): number {
  const byNode = new Map<Ip, Set<number>>();
  for (const { direction, src, dst, spi } of xfrmStates.values()) {
    const [sender, receiver] = [spi >>> 28, (spi >>> 24) & 15];
    if (direction !== 'in') continue;
    byNode.set(src, (byNode.get(src) ?? new Set()).add(sender));
    byNode.set(dst, (byNode.get(dst) ?? new Set()).add(receiver));
  }
  return Math.max(0, ...[...byNode.values()].map(({ size }) => size));
}

const [a, b, c] = [new Host(1), new Host(2), new Host(3)];
const hosts = [a, b, c];

function layOut(): void {
  ip('link', 'add', 'switch', 'type', 'bridge');
  ip('link', 'set', 'switch', 'up');
  for (const { netns, keyed, inner, mac } of hosts) {
    const { address } = keyed.own;
    ip('netns', 'add', netns);
    ip('link', 'add', `p${inner}`, 'type', 'veth', 'peer', 'name', 'e0', 'netns', netns);
    ip('link', 'set', `p${inner}`, 'master', 'switch', 'up');
    const on = (...args: string[]): string => ip('-n', netns, ...args);
    on('address', 'add', `${address}/24`, 'dev', 'e0');
    for (const link of ['lo', 'e0']) on('link', 'set', link, 'up');
    const ports = ['dstport', `${encryptedVxlanPort}`, 'srcport', `${encryptedVxlanPort}`, `${encryptedVxlanPort + 1}`];
    const tunnel = ['id', '7', ...ports, 'local', address, 'nolearning'];
    on('link', 'add', 'vx0', 'address', mac, 'mtu', '1400', 'type', 'vxlan', ...tunnel);
    on('link', 'set', 'vx0', 'up');
    on('address', 'add', `${inner}/24`, 'dev', 'vx0');
    for (const other of hosts.filter((each) => each.netns !== netns)) {
      on('neighbour', 'add', other.inner, 'lladdr', other.mac, 'dev', 'vx0', 'nud', 'permanent');
      run('bridge', '-n', netns, 'fdb', 'add', other.mac, 'dev', 'vx0', 'self', 'dst', other.keyed.own.address);
    }
  }
}

interface Accidents {
  /** The agent of one host ends in the middle of its work. */
  readonly ends?: boolean;
}

async function rounds(count: number, { ends = false }: Accidents = {}): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const host of hosts.filter(({ isPaused }) => !isPaused)) {
      for (const other of hosts) if (other !== host) host.keyed.hears(other.keyed);
      host.ops = ends && host === b ? i % 3 : Number.POSITIVE_INFINITY;
      await host.keyed.work();
      await sleep(1);
    }
  }
}

/** All hosts that are not paused change their keys, so often. */
async function rekeys(count: number, accidents?: Accidents): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const host of hosts) host.keyed.wanted = host.isPaused ? undefined : 'requested';
    await rounds(8, accidents);
  }
}

layOut();
await rounds(8);
// The first packet may find a larval SA.
for (const host of [b, c])
  for (let tries = 0; tries < 20; tries++) if ((await ping(a.netns, host.inner, '-c', '1')).received) break;

let isOver = false;
const pingAll = ({ inner }: Host): Promise<Pings> => ping(a.netns, inner, '-i', '0.005', '-w', '20');
const pings = Promise.all([pingAll(b), pingAll(c)]).finally(() => {
  isOver = true;
});
await rekeys(4);
c.isPaused = true;
const before = { live: a.keyed.generation, paused: c.keyed.generation };
await rekeys(4);
await rekeys(2, { ends: true });
await rounds(12);
const whilePaused = { live: a.keyed.generation - before.live, paused: c.keyed.generation - before.paused };
c.isPaused = false;
await rekeys(4);
const isInTime = !isOver;
const [toLive, toPaused] = await pings;
await rounds(12);

const left = await Promise.all(hosts.map(async (host) => [...(await host.found()).xfrmStates.values()].length));
const most = Math.max(...hosts.map((host) => host.most));
kernel.close();
report<Rekey>({ toLive, toPaused, whilePaused, most, left, isInTime });
