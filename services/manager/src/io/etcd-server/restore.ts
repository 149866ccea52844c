import { execFile } from 'node:child_process';
import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CausewayError } from '@causeway/model';
import { type Clock, type Log, type Random, randomUuid } from '@causeway/runtime';
import { DirectoryLock } from '@causeway/runtime/io';
import { beginEpoch } from '../../cluster/backup/begin-epoch.ts';
import { type BackupHeader, nextEpoch } from '../../cluster/backup/format.ts';
import { renewRevocations } from '../../cluster/backup/renew-revocations.ts';
import { schema } from '../../cluster/schema.ts';
import { createKeys } from '../../store/keys.ts';
import type { Removal } from '../../store/records/removal.ts';
import { forgetClusterRecord } from '../cluster-record.ts';
import { prepareDataDir } from '../data-dir.ts';
import { claimDataDir } from '../data-dir-lock.ts';
import { EtcdStore } from '../etcd/store.ts';
import { readRemovals } from '../removals-file.ts';
import { findBinary } from './binary.ts';
import { EmbeddedEtcd } from './embedded-etcd.ts';
import { embeddedTxnOps, etcdDirectory, peerUrl } from './flags.ts';
import { freePorts } from './free-ports.ts';
import { createPassingIdentity } from './passing-identity.ts';
import { unpackBackup } from './unpack-backup.ts';

export interface RestoreParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Finds etcd's own tool for snapshots. Absent: PATH and the usual places are searched. */
  readonly findTool?: () => Promise<string | undefined>;
}

interface RestoreSettings {
  readonly file: string;
  /** Data directory of the manager that will run on the restored data; it must hold no etcd yet. */
  readonly dataDir: string;
  /** Name of that manager. */
  readonly name: string;
}

export interface Restored {
  readonly header: BackupHeader;
  /** Epoch of the store from now on. */
  readonly epoch: bigint;
  /** Number of join tokens of the backup that were revoked. */
  readonly tokens: number;
  /** Removals from after the backup that were made again. */
  readonly removals: readonly Removal[];
}

/**
 * Makes the data of a cluster with one member from a backup. The cluster gets a higher epoch, so that what agents have
 * seen of the old cluster after the backup does not count as newer; its join tokens are void, and what was removed after the backup
 * is removed again, as far as the directory knows. Everything happens in a separate directory; at the
 * end the data moves to its place in one step.
 * @throws CausewayError capability-missing without etcd's tools, invalid-argument, data-damaged, schema-unsupported,
 * store-unavailable
 */
export async function restoreBackup(parts: RestoreParts, settings: RestoreSettings): Promise<Restored> {
  const { dataDir, name, file } = settings;
  const tool = await findRestoreTool(parts);
  const aside = join(dataDir, 'restoring');
  await refuseTaken(dataDir);
  await prepareDataDir(dataDir);
  const release = await claimDataDir(new DirectoryLock(dataDir), { dataDir });
  try {
    await begin(dataDir, aside);
    const snapshot = join(aside, 'snapshot');
    const header = await unpackBackup(file, snapshot);
    checkSchema(header);
    const kept = await readRemovals(dataDir, header.clusterId);
    const [clientPort = 0, peerPort = 0] = await freePorts(2);
    const { credentials, tls } = await createPassingIdentity(parts, { cluster: header.clusterId, dataDir: aside });
    const etcd = new EmbeddedEtcd({ ...parts, credentials }, { name, dataDir: aside, clientPort, peerPort, tls });
    const peer = peerUrl({ address: '127.0.0.1', peerPort });
    // The random token makes this a different etcd cluster from that of the backup and of any other restore. So it
    // refuses their members.
    await restoreSnapshot(tool, snapshot, { name, dataDir: aside, peer, token: randomUuid(parts.random) });
    const epoch = nextEpoch(header, parts.clock.wall());
    const store = new EtcdStore({ ...parts, credentials }, { endpoints: [etcd.endpoint], maxTxnOps: embeddedTxnOps });
    let restored: Restored;
    try {
      await etcd.start();
      const keys = createKeys(header.prefix);
      await beginEpoch({ store, keys }, epoch);
      const revocations = await renewRevocations({ store, keys, now: Math.trunc(parts.clock.wall()) }, kept);
      restored = { header, epoch, ...revocations };
    } finally {
      await store.close();
      await etcd.stop();
    }
    await forgetClusterRecord(dataDir);
    await rename(etcdDirectory(aside), etcdDirectory(dataDir));
    await sync(dataDir);
    return restored;
  } finally {
    await rm(aside, { recursive: true, force: true });
    release();
  }
}

/** etcdutl since etcd 3.5, etcdctl before. */
async function findRestoreTool({ findTool }: RestoreParts): Promise<string> {
  const tool =
    findTool === undefined ? ((await findBinary('etcdutl')) ?? (await findBinary('etcdctl'))) : await findTool();
  if (tool !== undefined) return tool;
  const message = 'neither etcdutl nor etcdctl is on PATH or in /usr/bin: install the Debian package etcd-client';
  throw new CausewayError('capability-missing', message);
}

async function refuseTaken(dataDir: string): Promise<void> {
  const taken = await access(etcdDirectory(dataDir)).then(
    () => true,
    () => false,
  );
  if (taken) {
    const message = `--data-dir ${dataDir}: it holds etcd data already (${etcdDirectory(dataDir)}); name an empty directory, or move the data away`;
    throw new CausewayError('invalid-argument', message, { field: '--data-dir', value: dataDir });
  }
}

/** Removes what a killed restore has left. */
async function begin(dataDir: string, aside: string): Promise<void> {
  try {
    await rm(aside, { recursive: true, force: true });
    await mkdir(aside, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const message = `--data-dir ${dataDir}: cannot be written (${why}); name a directory that this user may write to`;
    throw new CausewayError('invalid-argument', message, { field: '--data-dir', value: dataDir }, { cause });
  }
}

function checkSchema(header: BackupHeader): void {
  if (header.schema <= schema) return;
  const message = `the backup has records of schema ${header.schema}, this manager knows ${schema}: restore it with version ${header.version} or newer`;
  throw new CausewayError('schema-unsupported', message, { schema: header.schema, known: schema });
}

const run = promisify(execFile);

async function restoreSnapshot(
  tool: string,
  snapshot: string,
  {
    name,
    dataDir,
    peer,
    token,
  }: { readonly name: string; readonly dataDir: string; readonly peer: string; readonly token: string },
): Promise<void> {
  const cluster = [
    `--name=${name}`,
    `--initial-cluster=${name}=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster-token=${token}`,
  ];
  try {
    const env = { PATH: process.env['PATH'], ETCDCTL_API: '3' };
    await run(tool, ['snapshot', 'restore', snapshot, `--data-dir=${etcdDirectory(dataDir)}`, ...cluster], { env });
  } catch (cause) {
    const words =
      cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim().split('\n').at(-1) : String(cause);
    throw new CausewayError('data-damaged', `${tool} cannot restore the snapshot: ${words}`, { tool }, { cause });
  }
}

async function sync(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}
