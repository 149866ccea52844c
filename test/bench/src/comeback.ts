import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { contextOf, contextOptions } from '@causeway/identity/io';
import { ManagerClient } from './clients.ts';
import { atMost, count, type Figure, ms, seconds } from './figure.ts';
import { LightAgent } from './light-agent.ts';
import { print } from './print.ts';
import type { ProbeTask } from './probe.ts';
import { cpuOf } from './proc.ts';
import { Servers } from './servers.ts';
import { nodeSettings } from './session.ts';
import { inParallel, numbers, pause, say, timed } from './work.ts';

/** Agents that connect at once before anything is measured. */
const workers = 64;
/** An agent tries so often before it waits for its next turn. */
const triesInTurn = 2;
const shortPause = (): number => 50 + Math.random() * 50;

/** All managers are killed and start again, and so all agents come back: does the leader keep its lease, and does it answer? */
export async function benchComeback(agents: number): Promise<Figure[]> {
  const servers = await Servers.create();
  const credential = servers.members.credential('operator', 'probe');
  const task: ProbeTask = { address: servers.address, tls: contextOptions(credential) };
  const probe = new Worker(new URL('./probe.js', import.meta.url), { workerData: task });
  const longestPing = async (): Promise<number> => {
    probe.postMessage('');
    const [longest] = (await once(probe, 'message')) as [number];
    return longest;
  };
  const client = new ManagerClient(servers.address, servers.members.forwarder());
  const hosts = numbers(agents).map((i) => new Host(servers, i));
  try {
    await servers.startManager();
    await inParallel(workers, hosts, (host) => host.start());
    say(`${agents} sessions`);
    await servers.killManager();
    const all = timed(() => Promise.all(hosts.map((host) => host.comeBack())));
    await servers.startManager();
    const began = await ledSince(client);
    await longestPing();
    const took = await all;
    const cpu = cpuOf([servers.manager]);
    const longest = await longestPing();
    const isLeaderLost = (await ledSince(client)) !== began;
    const tries = hosts.reduce((sum, host) => sum + host.tries, 0);
    say(`${agents} agents are back after ${print(seconds(took))}`);
    return [
      {
        what: `leaderships lost while ${agents} agents come back after a crash of the manager`,
        ours: count(isLeaderLost ? 1 : 0),
        beside: `all are back ${print(seconds(took))} after the crash`,
        target: atMost(0),
      },
      {
        what: 'longest time until the manager answers a ping, from when it leads until all are back',
        ours: ms(longest),
        beside: `${(tries / agents).toFixed(2)} connections for each agent`,
      },
      {
        what: 'CPU time of the manager for each agent that comes back, with its start',
        ours: ms((cpu * 1_000) / agents),
        beside: `${print(ms((cpu * 1_000) / took))} in each second`,
      },
    ];
  } finally {
    for (const host of hosts) host.close();
    client.close();
    await probe.terminate();
    await servers.close();
  }
}

async function ledSince(client: ManagerClient): Promise<bigint | undefined> {
  return (await client.status(30_000)).leader?.sinceMs;
}

/** A host whose agent comes back as an agent does (services/agent, session-pauses.ts). */
class Host {
  tries = 0;
  readonly #make: () => LightAgent;
  #agent: LightAgent;
  #isClosed = false;

  constructor({ address, members }: Servers, i: number) {
    const node = nodeSettings(i);
    const context = contextOf(members.credential('agent', node.id));
    this.#make = () => new LightAgent(address, context, node);
    this.#agent = this.#make();
  }

  /** Resolves when the host has a session. */
  start(): Promise<void> {
    return this.#insist(0);
  }

  /** Resolves when the host has a session again. */
  async comeBack(): Promise<void> {
    const span = this.#agent.returnWithin;
    this.tries = 0;
    this.#agent.close();
    await pause(span * Math.random());
    await this.#insist(span);
  }

  async #insist(span: number): Promise<void> {
    while (!this.#isClosed) {
      this.tries += 1;
      this.#agent = this.#make();
      try {
        return await this.#agent.start();
      } catch {
        this.#agent.close();
        await pause(this.tries % triesInTurn === 0 ? Math.max(span, 5 * shortPause()) : shortPause());
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#agent.close();
  }
}
