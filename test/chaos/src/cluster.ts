import { appendFileSync } from 'node:fs';
import type { EtcdKind } from '@causeway/lab';
import type { Lab } from '@causeway/lab/io';
import { Companion } from './companion/companion.ts';
import { keepLogs, type RunFiles } from './files.ts';
import type { Entry } from './load/journal.ts';
import type { LoadSettings } from './load/main.ts';
import type { LoadNetwork } from './load/worker.ts';
import { now } from './now.ts';
import { keysOfNetwork, type NetworkRecord } from './record/records.ts';
import { etcdOptions, joined, loadHost, logsOf, makeLab, managerHosts } from './topology.ts';

/** Time to live of the lease of the lab's managers, ms: their default. */
export const leaseTtl = 3_000;

export interface ClusterSettings {
  readonly name: string;
  /** Subnet of the lab's underlay. */
  readonly subnet: string;
  readonly etcd: EtcdKind;
  readonly files: RunFiles;
  readonly say: (message: string) => void;
}

/** A lab with an observer and load. */
export interface Cluster {
  readonly lab: Lab;
  readonly observer: Companion;
  readonly load: Companion;
  begin(settings: Pick<LoadSettings, 'workers' | 'think' | 'churn' | 'seed'>): Promise<void>;
}

export interface Leaders {
  /** Names of hosts; null: there is no leader. */
  readonly manager: string | null;
  readonly etcd: string | null;
}

const range = (prefix: string, from: number, count: number): string[] => {
  return Array.from({ length: count }, (_, i) => `${prefix}${from + i}`);
};

/** Networks of both families and of each alone. Sizes range from ample to one whose addresses run out. */
const networks: readonly (LoadNetwork & { readonly subnets: readonly string[] })[] = [
  { name: 'blue', subnets: ['10.66.0.0/24', 'fd66::/64'], requested: range('10.66.0.', 200, 8) },
  { name: 'red', subnets: ['10.67.0.0/25'], requested: range('10.67.0.', 100, 8) },
  { name: 'green', subnets: ['10.68.0.0/27'], requested: range('10.68.0.', 20, 4) },
  { name: 'grey', subnets: ['fd69::/64'], requested: range('fd69::', 90, 8) },
];

/** Makes the network with the command line, and returns a journal entry like those of the workers. */
async function create(lab: Lab, { name, subnets }: (typeof networks)[number]): Promise<Entry> {
  const options = subnets.flatMap((prefix) => ['--subnet', prefix]);
  const command = ['causeway', 'network', 'create', name, ...options, '-o', 'json'];
  const call = now();
  const record = JSON.parse(await lab.run(loadHost, ...command)) as NetworkRecord;
  const outcome = { kind: 'done', held: keysOfNetwork(record) } as const;
  return { act: 'create', name, asked: { subnets }, call, end: now(), outcome };
}

/** Makes the cluster, and removes it in any case. If the work fails, the processes' logs are kept. */
export async function withCluster<Result>(
  { name, subnet, etcd, files, say }: ClusterSettings,
  work: (cluster: Cluster) => Promise<Result>,
): Promise<Result> {
  const lab = await makeLab(name, subnet, etcd, say);
  const companions: Companion[] = [];
  const start = async (program: string, args: readonly string[]): Promise<Companion> => {
    const companion = await Companion.start(lab, loadHost, program, args);
    companions.push(companion);
    return companion;
  };
  try {
    await joined(lab);
    const reach = await etcdOptions(lab, etcd, files.folder);
    const observer = await start('record/observer.js', [...reach, '--out', files.store]);
    const load = await start('load/main.js', []);
    for (const network of networks) {
      appendFileSync(files.journal, `${JSON.stringify(await create(lab, network))}\n`);
    }
    const managers = managerHosts.map((host) => `${lab.underlay(host)}:7443`);
    return await work({
      lab,
      observer,
      load,
      begin: (settings) =>
        load.ask('begin', { ...settings, managers, networks, journal: files.journal, reads: files.reads }),
    });
  } catch (error) {
    keepLogs(logsOf(await lab.status()), files.folder);
    throw error;
  } finally {
    for (const companion of companions) companion.stop();
    await lab.down();
  }
}
