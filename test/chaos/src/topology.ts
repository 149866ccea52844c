import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EtcdKind, LabStatus } from '@causeway/lab';
import { Lab } from '@causeway/lab/io';
import { milliseconds } from '@causeway/runtime';
import { untilDone } from './until-done.ts';

/** h1 to h3 each have a manager with its etcd member. h4 makes the load. */
export const managerHosts = ['h1', 'h2', 'h3'] as const;
export type ManagerHost = (typeof managerHosts)[number];
export const loadHost = 'h4';
export type LabHostName = ManagerHost | typeof loadHost;
/** The host through which all traffic of the underlay passes. It can be entered like any other host. */
export const switchHost = 'switch';

/** Cooldown of the lab's managers: longer than an agent is paused, and short enough to wait until all is free again. */
export const cooldown = milliseconds(10_000);

/** On a host that runs a manager. */
/** In each manager's host: the credential that its etcd asks for. */
const identities: Readonly<Record<EtcdKind, string>> = {
  embedded: '/var/lib/causeway/manager/identity',
  separate: '/var/lib/causeway/etcd-identity',
};

/** Within this time every manager of a new lab must have joined, ms. */
const joinedWithin = 60_000;

export function makeLab(name: string, subnet: string, etcd: EtcdKind, say: (message: string) => void): Promise<Lab> {
  const [hosts, managers] = [managerHosts.length + 1, managerHosts.length];
  return Lab.replace({ name, hosts, managers, etcd, subnet, cooldown }, { progress: say });
}

/** Options by which the observer reaches etcd. `folder`: where it finds the credential that etcd asks for. */
export async function etcdOptions(lab: Lab, etcd: EtcdKind, folder: string): Promise<readonly string[]> {
  const urls = managerHosts.map((host) => `https://${lab.underlay(host)}:2379`).join(',');
  const identity = join(folder, 'identity');
  mkdirSync(identity, { mode: 0o700 });
  for (const file of ['identity.pem', 'ca.pem']) {
    const text = await lab.run(managerHosts[0], 'cat', join(identities[etcd], file));
    writeFileSync(join(identity, file), text, { mode: 0o600 });
  }
  return ['--etcd', urls, '--identity', identity];
}

/**
 * Waits until every manager has joined the cluster and its etcd member runs. A host is ready earlier, as soon as one manager
 * answers its agent, and members join one after the other.
 *
 * @throws Error that lists the cluster's managers if it takes longer than a minute
 */
export async function joined(lab: Lab): Promise<void> {
  await untilDone(joinedWithin, async () => {
    const names = await managersOf(lab);
    const members = await Promise.all(managerHosts.map((host) => lab.processes(host, 'etcd')));
    const without = managerHosts.filter((host, n) => !names.includes(host) || members[n]?.length === 0);
    if (without.length > 0) throw new Error(`no manager with an etcd member on ${without.join(', ')} yet`);
  });
}

/** Names of the managers that the cluster lists. */
export async function managersOf(lab: Lab): Promise<readonly string[]> {
  const names = await lab.run(loadHost, 'causeway', 'manager', 'list', '-o', 'name', '--timeout', '3s');
  return names.split('\n').filter((name) => name !== '');
}

/** Processes that do not run, as "h1 etcd". */
export function stoppedIn({ hosts }: LabStatus): readonly string[] {
  return hosts.flatMap(({ name, processes }) => {
    return processes.filter(({ running }) => !running).map(({ kind }) => `${name} ${kind}`);
  });
}

/** Logs of all processes, on this machine. */
export function logsOf({ hosts }: LabStatus): readonly string[] {
  return hosts.flatMap(({ processes }) => processes.map(({ log }) => log));
}
