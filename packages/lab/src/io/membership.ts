import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { identityDirectory, identityPaths } from '@causeway/identity/io';
import {
  dataOf,
  type EnrollmentOrder,
  enrollWords,
  initCommandOf,
  type MemberProcess,
  managerAddress,
  newMemberOf,
} from '../commands.ts';
import { type LabHost, managersOf } from '../plan.ts';
import { hostEnvironment } from './environment.ts';
import { enterArguments, enterNetworkArguments } from './namespace.ts';
import { run } from './process.ts';
import { initOf, type LabRecord, paths } from './state.ts';

/** Founds the cluster at the first manager's host, and gives all hosts the credential of its operator. */
export async function foundCluster(lab: LabRecord): Promise<void> {
  const [first] = managersOf(lab.plan);
  if (first === undefined) throw new TypeError('a lab has a manager');
  const command = [...enterArguments(initOf(lab, first)), ...initCommandOf(first)];
  await run('nsenter', command, { env: hostEnvironment(lab) });
  const from = paths.operator(lab.plan.name, first.name);
  const files = await readdir(from);
  for (const host of lab.plan.hosts) {
    if (host === first) continue;
    const to = paths.operator(lab.plan.name, host.name);
    await mkdir(to, { mode: 0o700 });
    for (const file of files) await copyFile(join(from, file), join(to, file));
  }
}

/** Whether the process has a credential in its data directory. */
export function isMember(lab: LabRecord, { host, kind }: MemberProcess): boolean {
  return existsSync(identityPaths(identityDirectory(`${rootOf(lab, host)}${dataOf(kind)}`)).identity);
}

/**
 * Makes processes members of the cluster, with tokens of its operator; waits for a manager. One program does it for all: it
 * runs in the network of the first host, and writes to the hosts' directories from outside.
 */
export async function enroll(lab: LabRecord, members: readonly MemberProcess[]): Promise<void> {
  const [first] = members;
  if (first === undefined) return;
  const order: EnrollmentOrder = {
    managers: managersOf(lab.plan).map(managerAddress),
    operator: paths.operator(lab.plan.name, first.host.name),
    members: members.map((member) => newMemberOf(member, rootOf(lab, member.host))),
  };
  const command = [...enterNetworkArguments(initOf(lab, first.host)), join(paths.bin(lab.plan.name), 'causeway')];
  const options = { env: hostEnvironment(lab), input: JSON.stringify(order) };
  await run('nsenter', [...command, ...enrollWords], options);
}

/** The host's root directory, as seen from this machine. */
export function rootOf(lab: LabRecord, host: LabHost): string {
  return `/proc/${initOf(lab, host).pid}/root`;
}
