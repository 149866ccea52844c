import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, type ManagerHost, managerHosts } from '../lab.ts';
import { now } from '../now.ts';
import { type Fault, printFault, type Target } from './plan.ts';

const ports = { etcdClient: 2379, etcdPeer: 2380 };

/** Brings faults about in a lab, at their times; resolves when the last is over and undone. */
export async function runFaults(lab: Lab, faults: readonly Fault[], say: (message: string) => void): Promise<void> {
  const began = now();
  const at = (time: number): Promise<void> => sleep(Math.max(0, began + time - now()));
  await Promise.all(
    faults.map(async (fault) => {
      await at(fault.from);
      say(printFault(fault));
      const undo = await bring(lab, fault);
      await at(fault.to);
      await undo();
    }),
  );
}

/** Brings one about; the way to undo it. */
async function bring(lab: Lab, { kind, target, host }: Fault): Promise<() => Promise<void>> {
  const processes = target === 'both' ? (['manager', 'etcd'] as const) : ([target] as const);
  const each = async (act: (process: 'manager' | 'etcd') => Promise<void>): Promise<void> => {
    await Promise.all(processes.map(act));
  };
  switch (kind) {
    case 'kill':
      await each((process) => lab.kill(host, process, 'KILL'));
      return () => each((process) => lab.start(host, process));
    case 'pause':
      await each((process) => lab.kill(host, process, 'STOP'));
      return () => each((process) => lab.kill(host, process, 'CONT'));
    case 'cut':
      return await cut(lab, target, host);
  }
}

/** Of both: everything between it and the other two. Of one: what that one says to those of the other hosts, and they to it. */
async function cut(lab: Lab, target: Target, host: ManagerHost): Promise<() => Promise<void>> {
  const others = managerHosts.filter((other) => other !== host);
  if (target === 'both') {
    for (const other of others) await lab.cut(host, other);
    return async () => {
      for (const other of others) await lab.heal(host, other);
    };
  }
  const table = `inet chaos-${target}`;
  await lab.run(
    host,
    ['nft', '-f', '-'],
    dropRules(
      table,
      target,
      others.map((other) => lab.underlay(other)),
    ),
  );
  return async () => void (await lab.run(host, ['nft', 'delete', 'table', ...table.split(' ')]));
}

/**
 * A manager is cut off from etcd members elsewhere by what it sends to their client port and they answer; an etcd member
 * from its peers by both ends of their port.
 */
function dropRules(table: string, target: Target, others: readonly string[]): string {
  const them = `{ ${others.join(', ')} }`;
  const port = target === 'manager' ? ports.etcdClient : ports.etcdPeer;
  const rules = [
    `out ip daddr ${them} tcp dport ${port} drop`,
    `in ip saddr ${them} tcp sport ${port} drop`,
    ...(target === 'etcd'
      ? [`out ip daddr ${them} tcp sport ${port} drop`, `in ip saddr ${them} tcp dport ${port} drop`]
      : []),
  ];
  return [
    `add table ${table}`,
    `add chain ${table} out { type filter hook output priority 0; }`,
    `add chain ${table} in { type filter hook input priority 0; }`,
    ...rules.map((rule) => `add rule ${table} ${rule}`),
    '',
  ].join('\n');
}
