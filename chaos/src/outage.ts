import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { labPaths, signalChild } from '@causeway/ctl/lab';
import { AgentServiceClient } from '@causeway/proto/gen/causeway/v1/agent_service.grpc-client.js';
import type { GetAgentStatusResponse } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { callUnary, plaintext } from '@causeway/proto/io';
import type { Cluster } from './cluster.ts';
import { type Lab, loadHost, managerHosts } from './lab.ts';

export interface OutageFigure {
  /** How long no manager ran, ms. */
  readonly span: number;
  readonly sent: number;
  readonly lost: number;
  /** By the agents that were killed and started in it, to their kernels. */
  readonly writes: number;
}

/** Where containers are that send to each other; also where the agents are killed. */
const hosts = [managerHosts[2], loadHost] as const;
const container = 'flow';
/** Of an agent, until it has read its ledger, ms. */
const restartLimit = 30_000;

/** All managers killed for so long while two containers send to each other, their hosts' agents killed half way. */
export async function outage({ lab }: Cluster, span: number): Promise<OutageFigure> {
  const [from, to] = [await attach(lab, hosts[0]), await attach(lab, hosts[1])];
  const stop = await traffic(lab, from.host, to.address);
  await Promise.all(managerHosts.map((host) => lab.kill(host, 'manager', 'KILL')));
  const began = performance.now();
  await sleep(span / 2);
  for (const host of hosts) {
    await lab.kill(host, 'agent', 'KILL');
    await lab.start(host, 'agent');
  }
  await sleep(Math.max(0, began + span - performance.now()));
  const statuses = await Promise.all(hosts.map((host) => fromLedger(lab, host)));
  const lasted = performance.now() - began;
  await Promise.all(managerHosts.map((host) => lab.start(host, 'manager')));
  const { sent, received } = await stop();
  const writes = statuses.reduce((sum, { kernelWrites }) => sum + Number(kernelWrites), 0);
  // One may be on its way when ping is told to end.
  return { span: lasted, sent, lost: Math.max(0, sent - received - 1), writes };
}

async function attach(lab: Lab, host: string): Promise<{ readonly host: string; readonly address: string }> {
  await lab.run(host, ['ip', 'netns', 'add', container]);
  const where = ['--name', `${container}-${host}`, '--netns', `/run/netns/${container}`];
  const command = ['causeway', 'endpoint', 'attach', 'blue', ...where, '--wait', 'applied', '-o', 'json'];
  const { addresses } = JSON.parse(await lab.run(host, command)) as { readonly addresses: readonly string[] };
  return { host, address: addresses[0]?.replace(/\/.*/, '') ?? '' };
}

/** Two thousand packets a second, until asked how it went. */
async function traffic(
  lab: Lab,
  host: string,
  address: string,
): Promise<() => Promise<{ readonly sent: number; readonly received: number }>> {
  const ping = ['ping', '-n', '-q', '-i', '0.0005', '-W', '5', address];
  const { command, args, env } = await lab.commandIn(host, ['ip', 'netns', 'exec', container, ...ping]);
  const child = spawn(command, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  return async () => {
    await signalChild(child.pid, 'SIGINT');
    await ended;
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(said) ?? [];
    if (sent === undefined || received === undefined) throw new Error(`ping said: ${said}`);
    return { sent: Number(sent), received: Number(received) };
  };
}

/** What the agent says once it has its networks, which without a manager it can only have from its ledger. */
async function fromLedger(lab: Lab, host: string): Promise<GetAgentStatusResponse> {
  const socket = `unix:${labPaths.run(lab.plan.name, host)}/causeway/agent.sock`;
  const deadline = performance.now() + restartLimit;
  while (performance.now() < deadline) {
    const client = new AgentServiceClient(socket, plaintext.client());
    try {
      const status = await callUnary(client.getAgentStatus.bind(client), {}, { timeout: 2_000 });
      if (status.networks.length > 0) return status;
    } catch {
      // It is still starting.
    } finally {
      client.close();
    }
    await sleep(100);
  }
  throw new Error(`${host}'s agent has nothing from its ledger`);
}
