import { readdir, readFile, readlink } from 'node:fs/promises';
import { start, succeed } from '@causeway/lab/io';

/** What a lab could leave on the machine. */
export interface Machine {
  readonly namespaces: readonly string[];
  readonly links: readonly string[];
  readonly mounts: readonly string[];
  readonly files: readonly string[];
  readonly labs: readonly string[];
}

export async function surveyMachine(): Promise<Machine> {
  const labs = await readdir('/run/causeway-lab').catch(() => []);
  const folders = [...(await readdir('/run')), ...(await readdir('/var/lib'))];
  return {
    namespaces: (await readdir('/run/netns').catch(() => [])).sort(),
    links: await linkNames(),
    mounts: (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .sort(),
    files: folders.sort(),
    labs: labs.sort(),
  };
}

/** What exists now and did not exist before. A second mount on the same path counts as new. */
export function leftSince(before: Machine, now: Machine): readonly string[] {
  return (['namespaces', 'links', 'mounts', 'files', 'labs'] as const).flatMap((kind) => {
    const known = [...before[kind]];
    return now[kind].filter((thing) => {
      // Files that labs share are removed with the last lab, which need not be ours.
      if (kind === 'files' && now.labs.length > 0 && thing.startsWith('causeway')) return false;
      const at = known.indexOf(thing);
      if (at !== -1) known.splice(at, 1);
      return at === -1;
    });
  });
}

async function linkNames(): Promise<readonly string[]> {
  const text = await succeed('ip link', start('ip', ['-j', 'link']).outcome);
  return (JSON.parse(text) as { readonly ifname: string }[]).map((link) => link.ifname).sort();
}

export interface LabProcess {
  readonly pid: string;
  readonly command: string;
  /** Namespaces of the process: "net:[4026532281]". */
  readonly namespaces: readonly string[];
}

/** Processes that were started by the lab or in it. */
export async function processesOfLab(name: string): Promise<readonly LabProcess[]> {
  const found: LabProcess[] = [];
  for (const pid of await pids()) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.split('\0').includes(`CAUSEWAY_LAB=/run/causeway-lab/${name}`)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    found.push({ pid, command: command.replaceAll('\0', ' ').trim(), namespaces: await namespacesOf(pid) });
  }
  return found;
}

/** Processes that hold one of the namespaces, whatever their environment says. */
export async function holdersOf(namespaces: ReadonlySet<string>): Promise<readonly string[]> {
  const holders: string[] = [];
  for (const pid of await pids()) {
    if ((await namespacesOf(pid)).some((namespace) => namespaces.has(namespace))) holders.push(pid);
  }
  return holders;
}

export async function namespacesOf(pid: string): Promise<readonly string[]> {
  const kinds = ['net', 'mnt', 'pid', 'uts'];
  const links = await Promise.all(kinds.map((kind) => readlink(`/proc/${pid}/ns/${kind}`).catch(() => undefined)));
  return links.filter((link) => link !== undefined);
}

async function pids(): Promise<readonly string[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
}
