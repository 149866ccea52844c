import type { NetnsPath } from '@causeway/datapath';
import type { ProcessKind } from '@causeway/lab';
import { Lab, machineLabs } from '@causeway/lab/io';
import { say } from './work.ts';

export interface Host {
  readonly name: string;
  /** VTEP. */
  readonly underlay: string;
  /** Process id of the host's agent, as seen from outside the host. */
  readonly pid: number;
  /** Path of the socket of the host's agent, as seen from outside the host. */
  readonly socket: string;
  /** Converts a path inside the host to the path from outside. */
  readonly path: (inside: string) => NetnsPath;
  /** Runs a command in the host and returns its output. */
  readonly exec: (command: readonly string[], input?: string) => Promise<string>;
}

/** A lab as the benches use it. Process ids and paths are those from outside the hosts. */
export interface BenchLab {
  readonly hosts: readonly Host[];
  readonly manager: number;
  readonly etcd: number;
}

/** Makes a lab like `causeway lab up`, and removes it whatever happens to the work or to this process. */
export async function withLab<Result>(
  name: string,
  hosts: number,
  work: (lab: BenchLab) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  const interrupted = (): void => {
    abort.abort(new Error('interrupted'));
    const down = machineLabs.down(name).catch(() => undefined);
    void down.then(() => process.exit(130));
  };
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  let lab: Lab | undefined;
  try {
    const began = performance.now();
    lab = await Lab.replace({ name, hosts }, { signal: abort.signal });
    say(`${hosts} hosts up in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return await work(await view(lab));
  } finally {
    await lab?.down();
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

async function view(lab: Lab): Promise<BenchLab> {
  const pidOf = async (host: string, kind: ProcessKind): Promise<number> =>
    (await lab.processes(host, kind))[0]?.pid ?? 0;
  const hosts = lab.hosts.map(async (name): Promise<Host> => {
    const pid = await pidOf(name, 'agent');
    return {
      name,
      underlay: lab.underlay(name),
      pid,
      socket: lab.runPath(name, 'causeway/agent.sock'),
      path: (inside) => `/proc/${pid}/root${inside}` as NetnsPath,
      exec: (command, input = '') => lab.feed(name, command, input),
    };
  });
  const [first = ''] = lab.hosts;
  const [manager, etcd] = [await pidOf(first, 'manager'), await pidOf(first, 'etcd')];
  return { hosts: await Promise.all(hosts), manager, etcd };
}

/** Makes `count` namespaces c0, c1, … in the host, for containers. */
export async function makeContainers(host: Host, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, i) => `netns add c${i}\n`);
  await host.exec(['ip', '-batch', '-'], lines.join(''));
}

export function container(i: number): string {
  return `/run/netns/c${i}`;
}
