import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, signalChild } from '@causeway/lab/io';
import { AgentServiceClient } from '@causeway/proto/gen/causeway/v1/agent_service.grpc-client.js';
import type { GetAgentStatusResponse } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { callUnary, plaintext } from '@causeway/proto/io';
import type { Cluster } from './cluster.ts';
import { loadHost, managerHosts } from './topology.ts';

export interface OutageFigure {
  /** How long no manager ran, ms. */
  readonly span: number;
  readonly sent: number;
  readonly lost: number;
  /**
   * Number of kernel writes by the agents of both hosts, from before the first manager was killed to the end of the
   * span.
   */
  readonly writes: number;
}

/** The hosts of the containers that send to each other. The agents of these hosts are killed. */
const hosts = [managerHosts[2], loadHost] as const;
const container = 'flow';
/** How long an agent may take until it has read its ledger, ms. */
const restartLimit = 30_000;
/** Seconds between two packets: the shortest interval that ping(8) keeps. With a shorter one it waits for each reply. */
const interval = '0.002';

/** Kills all managers for this time while two containers send to each other. Half way, their hosts' agents are killed. */
export async function outage({ lab }: Cluster, span: number): Promise<OutageFigure> {
  const [from, to] = [await attach(lab, hosts[0]), await attach(lab, hosts[1])];
  const end = await traffic(lab, from.host, to.address);
  const writesOf = async (host: string): Promise<number> => Number((await fromLedger(lab, host)).kernelWrites);
  const atFirst = await Promise.all(hosts.map(writesOf));
  await Promise.all(managerHosts.map((host) => lab.kill(host, 'manager', 'KILL')));
  const began = performance.now();
  await sleep(span / 2);
  // An agent counts from its start, so the writes of the killed agents are read before the kill.
  let byKilled = 0;
  for (const host of hosts) {
    byKilled += await writesOf(host);
    await lab.kill(host, 'agent', 'KILL');
    await lab.startProcess(host, 'agent');
  }
  await sleep(Math.max(0, began + span - performance.now()));
  const atLast = await Promise.all(hosts.map(writesOf));
  const lasted = performance.now() - began;
  await Promise.all(managerHosts.map((host) => lab.startProcess(host, 'manager')));
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  return { span: lasted, ...(await end()), writes: byKilled + sum(atLast) - sum(atFirst) };
}

async function attach(lab: Lab, host: string): Promise<{ readonly host: string; readonly address: string }> {
  await lab.run(host, 'ip', 'netns', 'add', container);
  const where = ['--name', `${container}-${host}`, '--netns', `/run/netns/${container}`];
  const words = ['endpoint', 'attach', 'blue', ...where, '--wait', 'applied'];
  const { addresses } = await lab.json<{ readonly addresses: readonly string[] }>(host, ...words);
  return { host, address: addresses[0]?.replace(/\/.*/, '') ?? '' };
}

/** Sends five hundred packets a second until the returned function is called, which returns the counts. */
async function traffic(
  lab: Lab,
  host: string,
  address: string,
): Promise<() => Promise<{ readonly sent: number; readonly lost: number }>> {
  const ping = ['ping', '-n', '-q', '-i', interval, '-W', '5', address];
  const { child, outcome } = await lab.start(host, ['ip', 'netns', 'exec', container, ...ping]);
  let said = '';
  child.stderr?.on('data', (text: string) => {
    said += text;
  });
  const missing = async (): Promise<{ readonly sent: number; readonly lost: number }> => {
    const before = said.length;
    // On SIGQUIT ping(8) prints its counts and continues.
    await signalChild(child.pid, 'SIGQUIT');
    const deadline = performance.now() + 5_000;
    let counts: readonly string[] = [];
    while (counts.length === 0 && performance.now() < deadline) {
      await sleep(20);
      counts = /(\d+)\/(\d+) packets,/.exec(said.slice(before)) ?? [];
    }
    const [, received, sent] = counts;
    if (sent === undefined || received === undefined) throw new Error(`ping said: ${said}`);
    return { sent: Number(sent), lost: Number(sent) - Number(received) };
  };
  return async () => {
    // A packet under way is missing in one count and present in the next. A lost packet is missing in all.
    const counts = [];
    for (let count = 0; count < 50; count++) counts.push(await missing());
    await signalChild(child.pid, 'SIGINT');
    await outcome;
    return { sent: counts.at(-1)?.sent ?? 0, lost: Math.min(...counts.map(({ lost }) => lost)) };
  };
}

/** The agent's status once it has its networks. Without a manager it can have them only from its ledger. */
async function fromLedger(lab: Lab, host: string): Promise<GetAgentStatusResponse> {
  const socket = `unix:${lab.runPath(host, 'causeway/agent.sock')}`;
  const deadline = performance.now() + restartLimit;
  while (performance.now() < deadline) {
    const client = new AgentServiceClient(socket, plaintext);
    try {
      const status = await callUnary(client.getAgentStatus.bind(client), {}, { timeout: 2_000 });
      if (status.networks.length > 0) return status;
    } catch {
      // The agent is still starting.
    } finally {
      client.close();
    }
    await sleep(100);
  }
  throw new Error(`${host}'s agent has nothing from its ledger`);
}
