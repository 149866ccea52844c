import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NetnsPath } from '@causeway/datapath';
import { say, timed } from './work.ts';

const causeway = fileURLToPath(new URL('../../../services/ctl/bin/causeway.js', import.meta.url));

/** `causeway lab status -o json`, as far as it is used. */
interface Status {
  readonly hosts: readonly {
    readonly name: string;
    readonly underlay: string;
    readonly processes: readonly { readonly kind: 'agent' | 'manager' | 'etcd'; readonly pid: number }[];
  }[];
}

export interface Host {
  readonly name: string;
  /** VTEP. */
  readonly underlay: string;
  /** Of its agent, from outside the host. */
  readonly pid: number;
  /** Of its agent, from outside the host. */
  readonly socket: string;
  /** How a path inside the host is reached from outside. */
  readonly path: (inside: string) => NetnsPath;
  /** Runs a command in the host; what it wrote. */
  readonly exec: (command: readonly string[], input?: string) => Promise<string>;
}

export interface Lab {
  readonly hosts: readonly Host[];
  readonly manager: number;
  readonly etcd: number;
  /** Milliseconds that `lab up` took. */
  readonly upWithin: number;
}

/** Makes a lab as a user would, and removes it whatever happens to the work or to this process. */
export async function withLab<Result>(
  name: string,
  hosts: number,
  work: (lab: Lab) => Promise<Result>,
): Promise<Result> {
  const down = ['lab', 'down', '--name', name];
  const interrupted = (): never => {
    spawnSync(process.execPath, [causeway, ...down], { stdio: 'inherit' });
    process.exit(130);
  };
  // One may be left of a bench that was killed.
  await run(down).catch(() => undefined);
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  try {
    const upWithin = await timed(() => run(['lab', 'up', '--name', name, '--hosts', String(hosts)]));
    say(`${hosts} hosts up in ${(upWithin / 1000).toFixed(1)} s`);
    const status = JSON.parse(await run(['lab', 'status', '--name', name, '-o', 'json'])) as Status;
    return await work({ ...read(name, status), upWithin });
  } finally {
    await run(down);
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

function read(lab: string, status: Status): Omit<Lab, 'upWithin'> {
  const pidOf = (kind: string): number =>
    status.hosts.flatMap((host) => host.processes).find((process) => process.kind === kind)?.pid ?? 0;
  const hosts = status.hosts.map(({ name, underlay, processes }): Host => {
    const pid = processes.find(({ kind }) => kind === 'agent')?.pid ?? 0;
    return {
      name,
      underlay,
      pid,
      socket: `/run/causeway-lab/${lab}/${name}/run/causeway/agent.sock`,
      path: (inside) => `/proc/${pid}/root${inside}` as NetnsPath,
      exec: (command, input) => run(['lab', 'exec', '--name', lab, name, '--', ...command], input),
    };
  });
  return { hosts, manager: pidOf('manager'), etcd: pidOf('etcd') };
}

/** Makes `count` namespaces c0, c1, … in the host, for containers. */
export async function makeContainers(host: Host, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, i) => `netns add c${i}\n`);
  await host.exec(['ip', '-batch', '-'], lines.join(''));
}

export function container(i: number): string {
  return `/run/netns/c${i}`;
}

function run(args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [causeway, ...args], { stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => undefined).end(input);
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(stdout);
      else reject(new Error(`causeway ${args.join(' ')} (exit ${status}): ${stderr.trim()}`));
    });
  });
}
