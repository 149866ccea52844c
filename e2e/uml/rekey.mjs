// Runs in a User-Mode Linux guest whose kernel has ESP. Three hosts with the rekey protocol, which change their keys while pings
// run; the agent of one host is paused, and that of another ends in the middle of its work. Prints one line of JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { applyPlan, newNamespace, plan, readState } from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import {
  formatStoredKeys,
  parseStoredKeys,
  planHost,
  rekeyPeriod,
  Secrets,
  withGeneration,
} from '@causeway/encryption';
import { createNodeKey } from '@causeway/encryption/io';
import { encryptedVxlanPort } from '@causeway/model';
import { enterThrowawayNetns } from '@causeway/netlink/io/testing/netns';
import { ip, ping, run } from './tools.mjs';

const missing = enterThrowawayNetns();
if (missing !== undefined) throw new Error(missing);

const kernel = createKernel();
const noKeys = { keyring: { version: 0, generations: [], made: new Map() }, keys: new Map() };

/** A host in a namespace whose name is like that of an overlay, so that everything there is ours. */
class Host {
  peers = new Map();
  receipts = new Map();
  isPaused = false;
  wanted;
  /** Generations of a node's key in the kernel at a time, at most. */
  most = 0;
  #stored = formatStoredKeys(noKeys);
  #secrets = new Secrets();

  constructor(number) {
    this.netns = `cw-${`${number}`.repeat(10)}`;
    this.node = `${number}`.repeat(16);
    this.index = 0x100 + number;
    this.address = `192.0.2.${number}`;
    this.inner = `10.0.0.${number}`;
    this.mac = `02:00:00:00:00:0${number}`;
  }

  /** One round. `ops`: after so many the agent ends, and only its file is left. */
  async work(ops = Number.POSITIVE_INFINITY) {
    const found = await this.found();
    this.most = Math.max(this.most, generations(found));
    const { node, index, address, published, peers } = this;
    const stored = parseStoredKeys(this.#stored).value;
    const own = { cluster: '0123456789abcdef', node, index, address };
    const view = { own, stored, secrets: this.#secrets, published, peers, period: rekeyPeriod };
    const next = planHost(view, found, this.wanted, Date.now());
    let { keyring } = next;
    const { keys } = stored;
    if (next.create !== undefined) {
      keyring = withGeneration(keyring, next.create, Date.now());
      keys.set(next.create.generation, createNodeKey());
      this.wanted = undefined;
    }
    this.#stored = formatStoredKeys({ keyring, keys });
    const desired = new Map([[this.#path, { ...newNamespace(), ...next.desired }]]);
    const planned = plan(await this.#read(), desired);
    const failures = await applyPlan(kernel, planned.slice(0, ops));
    if (failures.length > 0) throw new Error(JSON.stringify(failures));
    if (planned.length > ops) return this.#end();
    this.receipts = next.receipts;
    if (next.publish !== undefined) this.record = next.publish;
  }

  /** What the managers bring. */
  hears(other) {
    const { record } = this;
    this.published = record && { version: record.version, newest: record.generations.at(-1).generation };
    const receipt = other.receipts.get(this.node);
    if (other.record === undefined) return;
    this.peers.set(other.node, { keys: other.record, address: other.address, ...(receipt && { receipt }) });
  }

  async found() {
    return (await this.#read()).get(this.#path) ?? newNamespace();
  }

  get generation() {
    return parseStoredKeys(this.#stored).value.keyring.generations.at(-1)?.generation ?? 0;
  }

  #end() {
    this.#secrets = new Secrets();
    this.receipts = new Map();
    for (const [node, { receipt: _, ...known }] of this.peers) this.peers.set(node, known);
  }

  get #path() {
    return `/run/netns/${this.netns}`;
  }

  #read() {
    const scopes = new Map([[this.#path, { links: [], of: ['xfrmStates', 'xfrmPolicies'], sysctls: [] }]]);
    return readState(kernel, new Map([[this.#path, newNamespace()]]), scopes);
  }
}

/** The largest number of generations that a node has in these SAs. */
function generations({ xfrmStates }) {
  const byNode = new Map();
  for (const { direction, src, dst, spi } of xfrmStates.values()) {
    const [sender, receiver] = [spi >>> 28, (spi >>> 24) & 15];
    for (const [node, each] of direction === 'in'
      ? [
          [src, sender],
          [dst, receiver],
        ]
      : [])
      byNode.set(node, (byNode.get(node) ?? new Set()).add(each));
  }
  return Math.max(0, ...[...byNode.values()].map(({ size }) => size));
}

const hosts = [1, 2, 3].map((number) => new Host(number));
const [a, b, c] = hosts;

function layOut() {
  ip('link', 'add', 'switch', 'type', 'bridge');
  ip('link', 'set', 'switch', 'up');
  for (const { netns, address, inner, mac } of hosts) {
    ip('netns', 'add', netns);
    ip('link', 'add', `p${inner}`, 'type', 'veth', 'peer', 'name', 'e0', 'netns', netns);
    ip('link', 'set', `p${inner}`, 'master', 'switch', 'up');
    const on = (...args) => ip('-n', netns, ...args);
    on('address', 'add', `${address}/24`, 'dev', 'e0');
    for (const link of ['lo', 'e0']) on('link', 'set', link, 'up');
    const tunnel = ['id', '7', 'dstport', `${encryptedVxlanPort}`, 'local', address, 'nolearning'];
    on('link', 'add', 'vx0', 'address', mac, 'mtu', '1400', 'type', 'vxlan', ...tunnel);
    on('link', 'set', 'vx0', 'up');
    on('address', 'add', `${inner}/24`, 'dev', 'vx0');
    for (const other of hosts.filter((each) => each.netns !== netns)) {
      on('neighbour', 'add', other.inner, 'lladdr', other.mac, 'dev', 'vx0', 'nud', 'permanent');
      run('bridge', '-n', netns, 'fdb', 'add', other.mac, 'dev', 'vx0', 'self', 'dst', other.address);
    }
  }
}

async function rounds(count, { ends = false } = {}) {
  for (let i = 0; i < count; i++) {
    for (const host of hosts.filter(({ isPaused }) => !isPaused)) {
      for (const other of hosts) if (other !== host) host.hears(other);
      await host.work(ends && host === b ? i % 3 : undefined);
      await sleep(1);
    }
  }
}

/** All hosts that are not paused change their keys, so often. */
async function rekeys(count, options) {
  for (let i = 0; i < count; i++) {
    for (const host of hosts) host.wanted = host.isPaused ? undefined : 'requested';
    await rounds(8, options);
  }
}

layOut();
await rounds(8);
// The first packet may find a larval SA.
for (const host of [b, c])
  for (let tries = 0; tries < 20; tries++) if ((await ping(a.netns, host.inner, '-c', '1')).received) break;

let isOver = false;
const pings = Promise.all([b, c].map(({ inner }) => ping(a.netns, inner, '-i', '0.005', '-w', '20'))).finally(() => {
  isOver = true;
});
await rekeys(4);
c.isPaused = true;
const before = { live: a.generation, paused: c.generation };
await rekeys(4);
await rekeys(2, { ends: true });
await rounds(12);
const whilePaused = { live: a.generation - before.live, paused: c.generation - before.paused };
c.isPaused = false;
await rekeys(4);
const isInTime = !isOver;
const [toLive, toPaused] = await pings;
await rounds(12);

const left = await Promise.all(hosts.map(async (host) => [...(await host.found()).xfrmStates.values()].length));
const most = Math.max(...hosts.map((host) => host.most));
kernel.close();
const result = {
  toLive,
  toPaused,
  whilePaused,
  most,
  left,
  isInTime,
  newest: hosts.map(({ generation }) => generation),
};
console.log(`uml: result ${JSON.stringify(result)}`);
