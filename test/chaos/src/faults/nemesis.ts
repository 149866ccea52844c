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

/** Bytes above which an MTU hole takes IP packets; a ping with so much data is 28 bytes longer. */
const holeAt = 1_400;
/** A removed member is gone from etcd, and a new one has caught up, within this, ms. */
const replacedWithin = 60_000;
/** A process that an earlier fault has ended runs again within this, ms, or the next fault does without it. */
const startedWithin = 3_000;
/** Time in which one of the tries to connect through a cut is seen to be dropped, ms. */
const knocksFor = 5_000;

/** Brings faults about in a lab, at their times; resolves with what was seen of each when the last is over and undone. */
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
  /** Answers what was seen of the fault. */
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

/** Those of the fault's processes that run. A manager may be about to start its etcd again: its process is waited for. */
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
  // An embedded etcd is its manager's to start.
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

/** Both: everything between the host and the other two is lost. One: what passes between that process and those of the other hosts. */
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
  toll: { readonly loss: number; readonly dropAbove: number },
  begun: () => Promise<void>,
): Promise<Brought> {
  await lab.slow(host, { ...toll, delay: none });
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

/** Whether anything longer than the hole passes at all is up to the cluster: two packets show that none would. */
async function probe(lab: Lab, host: string): Promise<void> {
  const ping = ['ping', '-n', '-q', '-c', '2', '-i', '0.2', '-W', '0.3', '-s', `${holeAt}`, lab.underlay(host)];
  await lab.run(loadHost, ...ping).catch(() => undefined);
}

/**
 * A process that has nothing to say while it is cut off drops no packet: a connection that cannot be made shows that none could.
 * On a busy machine a try may end before its first packet is sent, so tries go on until a packet has been dropped.
 */
async function knock(
  lab: Lab,
  { from, address, port }: { readonly from: string; readonly address: string; readonly port: number },
  dropped: () => Promise<number>,
): Promise<void> {
  const connect = ['timeout', '0.3', 'bash', '-c', `exec 3<>/dev/tcp/${address}/${port}`];
  const deadline = now() + knocksFor;
  do {
    await lab.run(from, ...connect).catch(() => undefined);
  } while ((await dropped()) === 0 && now() < deadline);
}

async function droppedBy(lab: Lab, chain: string): Promise<number> {
  return countedBy(await lab.run(switchHost, 'nft', '-j', 'list', 'chain', 'bridge', 'causeway-lab', chain));
}

/** Manager and etcd are killed and their data is gone; the cluster is told, and the host joins it as a new member. */
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

/** A manager that is not there was removed by an earlier try whose answer was lost. */
async function remove(lab: Lab, host: string): Promise<void> {
  const outcome = await lab.try(loadHost, 'causeway', 'manager', 'remove', host, '--timeout', '3s');
  if (outcome.code !== notFound) await succeed(`causeway manager remove ${host}`, Promise.resolve(outcome));
}
