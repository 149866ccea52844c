import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CausewayError, type ClusterId } from '@causeway/model';

/** The cluster that a manager's data directory belongs to. The record survives restarts and the loss of the etcd data. */
export interface ClusterRecord {
  readonly clusterId: ClusterId;
  /** Id of the etcd cluster, as etcd prints it. */
  readonly etcdCluster: string;
}

/** Undefined: the directory belongs to no cluster yet. @throws CausewayError data-damaged */
export async function readClusterRecord(dataDir: string): Promise<ClusterRecord | undefined> {
  const path = clusterRecordPath(dataDir);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : parse(text, path);
}

/** Durable when it resolves. After a crash the file is either complete or as it was before. */
export async function writeClusterRecord(dataDir: string, record: ClusterRecord): Promise<void> {
  const path = clusterRecordPath(dataDir);
  await writeFile(`${path}.new`, `${JSON.stringify(record)}\n`, { flush: true });
  await rename(`${path}.new`, path);
  const directory = await open(dataDir, 'r');
  await directory.sync().finally(() => directory.close());
}

/** For a restore: the restored data belongs to another etcd cluster. */
export async function forgetClusterRecord(dataDir: string): Promise<void> {
  await rm(clusterRecordPath(dataDir), { force: true });
}

function clusterRecordPath(dataDir: string): string {
  return join(dataDir, 'cluster.json');
}

function parse(text: string, path: string): ClusterRecord {
  try {
    const { clusterId, etcdCluster } = JSON.parse(text) as Partial<Record<string, unknown>>;
    if (typeof clusterId === 'string' && /^[0-9a-f]{1,16}$/.test(String(etcdCluster)))
      return { clusterId: clusterId as ClusterId, etcdCluster: String(etcdCluster) };
  } catch {
    // Reported below.
  }
  const message = `${path} does not name the cluster of this directory: if the etcd data beside it are the right ones, remove the file`;
  throw new CausewayError('data-damaged', message, { path });
}
