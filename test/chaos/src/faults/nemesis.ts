import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, succeed } from '@causeway/lab/io';
import { milliseconds } from '@causeway/runtime';
import type { Leaders } from '../cluster.ts';
import { now } from '../now.ts';
import { loadHost, managerHosts, managersOf, switchHost } from '../topology.ts';
import { untilDone } from '../until-done.ts';
import type { Injection } from './floors.ts';
import { type Fault, printFault } from './plan.ts';
import { continueProcesses, killProcesses, stopProcesses } from './processes.ts';
import { countedBy, dropRules, portOf, tableOf } from './rules.ts';

export interface NemesisParts {
  readonly lab: Lab;
  leaders(): Promise<Leaders>;
  say(message: string): void;
}

/** IP packets of more bytes than this are dropped by an MTU hole. A ping with this much data is 28 bytes longer. */
const holeAt = 1_400;
/** Within this time, ms, a removed member must be gone from etcd, and a new member must have caught up. */
const replacedWithin = 60_000;
/** How long to wait for a process that an earlier fault has ended, ms. After that the next fault goes on without it. */
const startedWithin = 3_000;
/** How long connections through a cut are tried until a packet is seen to be dropped, ms. */
const knocksFor = 5_000;

/** Makes the faults in a lab at their times. Resolves when all are undone, to what was observed of each. */
export async function runFaults(parts: NemesisParts, faults: readonly Fault[]): Promise<readonly Injection[]> {
  const began = now();
  const at = (time: number): Promise<void> => sleep(Math.max(0, began + time - now()));
  return await Promise.all(
    faults.map(async (fault) => {
      await at(fault.from);
      const name = printFault(fault);
      parts.say(name);
      const { manager } = await parts.leaders();
      const from = now();
      const brought = await bring(parts, fault);
      await at(fault.to);
      const seen = { ended: 0, stopped: 0, dropped: 0, ...(await brought.undo()) };
      return { ...fault, name, from, to: now(), ...seen, metLeader: meetsManager(fault) && fault.host === manager };
    }),
  );
}

type Seen = Partial<Pick<Injection, 'ended' | 'stopped' | 'dropped'>>;

interface Brought {
  /** Undoes the fault. Returns what was observed of it. */
  undo(): Promise<Seen>;
}

function meetsManager({ target }: Fault): boolean {
  return target !== 'agent' && target !== 'etcd';
}

function bring({ lab }: NemesisParts, fault: Fault): Promise<Brought> {
  switch (fault.kind) {
    case 'kill':
      return kill(lab, fault);
    case 'pause':
      return pause(lab, fault);
    case 'cut':
      return cut(lab, fault);
    case 'black-hole':
      return cutHost(lab, fault.host, false);
    case 'one-way':
      return cutHost(lab, fault.host, true);
    case 'loss':
      return slow(lab, fault.host, { loss: 40, dropAbove: 0 }, async () => undefined);
    case 'mtu-hole':
      return slow(lab, fault.host, { loss: 0, dropAbove: holeAt }, () => probe(lab, fault.host));
    case 'wipe':
      return wipe(lab, fault);
  }
}

type Processes = readonly ('manager' | 'etcd' | 'agent')[];

function kindsOf({ target }: Fault): Processes {
  if (target === 'both') return ['manager', 'etcd'];
  return target === 'link' ? [] : [target];
}

/** The running processes of the fault. Waits for them, because a manager may be about to start its etcd again. */
async function pidsOf(lab: Lab, fault: Fault): Promise<readonly number[]> {
  const kinds = kindsOf(fault);
  const deadline = now() + startedWithin;
  for (;;) {
    const all = await Promise.all(kinds.map((kind) => lab.processes(fault.host, kind)));
    if (all.every((processes) => processes.length > 0) || now() > deadline) return all.flat().map(({ pid }) => pid);
    await sleep(50);
  }
}

async function kill(lab: Lab, fault: Fault): Promise<Brought> {
  const ended = await killProcesses(await pidsOf(lab, fault));
  // A manager starts its embedded etcd itself.
  const own = kindsOf(fault).filter((kind) => kind !== 'etcd' || lab.plan.etcd === 'separate');
  return {
    async undo() {
      for (const kind of own) await lab.startProcess(fault.host, kind);
      return { ended };
    },
  };
}

async function pause(lab: Lab, fault: Fault): Promise<Brought> {
  const pids = await pidsOf(lab, fault);
  const stopped = await stopProcesses(pids);
  return {
    async undo() {
      continueProcesses(pids);
      return { stopped };
    },
  };
}

/**
 * "both": cuts all traffic between the host and the other two. Otherwise cuts what the process exchanges with the other
 * hosts.
 */
async function cut(lab: Lab, { target, host }: Fault): Promise<Brought> {
  const others = managerHosts.filter((other) => other !== host);
  if (target !== 'manager' && target !== 'etcd') {
    for (const b of others) await lab.cut({ a: host, b, oneWay: false });
    return {
      async undo() {
        const dropped = await droppedBy(lab, 'cut');
        for (const other of others) await lab.heal(host, other);
        return { dropped };
      },
    };
  }
  const addresses = others.map((other) => lab.underlay(other));
  const table = tableOf(target).split(' ');
  const dropped = async (): Promise<number> => countedBy(await lab.run(host, 'nft', '-j', 'list', 'table', ...table));
  await lab.feed(host, ['nft', '-f', '-'], dropRules(target, addresses));
  await knock(lab, { from: host, address: addresses[0] ?? '', port: portOf(target) }, dropped);
  return {
    async undo() {
      const seen = { dropped: await dropped() };
      await lab.run(host, 'nft', 'delete', 'table', ...table);
      return seen;
    },
  };
}

async function cutHost(lab: Lab, host: string, oneWay: boolean): Promise<Brought> {
  await lab.cut({ a: host, oneWay });
  return {
    async undo() {
      const dropped = await droppedBy(lab, 'cut');
      await lab.heal(host);
      return { dropped };
    },
  };
}

async function slow(
  lab: Lab,
  host: string,
  slowness: { readonly loss: number; readonly dropAbove: number },
  begun: () => Promise<void>,
): Promise<Brought> {
  await lab.slow(host, { ...slowness, delay: none });
  await begun();
  return {
    async undo() {
      const dropped = await droppedBy(lab, `slow-${host}`);
      await lab.slow(host, { loss: 0, dropAbove: 0, delay: none });
      return { dropped };
    },
  };
}

const none = milliseconds(0);

/**
 * Sends two packets that are longer than the hole. The cluster itself may send none, and a hole must be seen to drop
 * some.
 */
async function probe(lab: Lab, host: string): Promise<void> {
  const ping = ['ping', '-n', '-q', '-c', '2', '-i', '0.2', '-W', '0.3', '-s', `${holeAt}`, lab.underlay(host)];
  await lab.run(loadHost, ...ping).catch(() => undefined);
}

/**
 * Tries to connect through the cut. A process that sends nothing while it is cut off has no packets dropped; a failed
 * connection shows that the cut works. On a busy machine a try may end before its first packet is sent, so tries continue
 * until a packet has been dropped.
 */
async function knock(
  lab: Lab,
  { from, address, port }: { readonly from: string; readonly address: string; readonly port: number },
  dropped: () => Promise<number>,
): Promise<void> {
  // A shell whose stdin is a socket, as here, otherwise reads ~/.bashrc first, which may take longer than the try.
  const connect = ['timeout', '0.3', 'bash', '--norc', '-c', `exec 3<>/dev/tcp/${address}/${port}`];
  const deadline = now() + knocksFor;
  do {
    await lab.run(from, ...connect).catch(() => undefined);
  } while ((await dropped()) === 0 && now() < deadline);
}

async function droppedBy(lab: Lab, chain: string): Promise<number> {
  return countedBy(await lab.run(switchHost, 'nft', '-j', 'list', 'chain', 'bridge', 'causeway-lab', chain));
}

/**
 * Kills manager and etcd and deletes their data. The manager is removed from the cluster, and the host joins as a new
 * member.
 */
async function wipe(lab: Lab, fault: Fault): Promise<Brought> {
  const { host } = fault;
  const pids = await pidsOf(lab, fault);
  const ended = await killProcesses(pids);
  await lab.wipe(host, 'manager');
  await untilDone(replacedWithin, () => remove(lab, host));
  await lab.startProcess(host, 'manager');
  await untilDone(replacedWithin, async () => {
    const names = await managersOf(lab);
    if (!names.includes(host)) throw new Error(`${host} is no manager yet; there are: ${names.join(', ')}`);
  });
  return { undo: async () => ({ ended }) };
}

const notFound = 3;

/** An unknown manager is no error: an earlier try, whose answer was lost, has removed it. */
async function remove(lab: Lab, host: string): Promise<void> {
  const outcome = await lab.try(loadHost, 'causeway', 'manager', 'remove', host, '--timeout', '3s');
  if (outcome.code !== notFound) await succeed(`causeway manager remove ${host}`, Promise.resolve(outcome));
}
