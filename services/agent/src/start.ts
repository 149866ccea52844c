import type { Difference, Kernel } from '@causeway/datapath';
import { rekeyPeriod } from '@causeway/encryption';
import { type EndpointId, feedVersions, isCausewayError, type Name, type Node } from '@causeway/model';
import { Failover, nodeToMessage } from '@causeway/proto';
import type { Drift, HostHealth } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Clock, type Duration, type Log, type Random, seconds } from '@causeway/runtime';
import { type AgentApi, createApi } from './api/api.ts';
import type { AgentSettings } from './config.ts';
import { type ClusterPosition, ClusterPositionFile } from './disk/cluster-position.ts';
import type { Files } from './disk/files.ts';
import { Ledger } from './disk/ledger.ts';
import { OverlayRecords } from './disk/overlay-records.ts';
import { restoreFiles } from './disk/restore-files.ts';
import { Sandboxes } from './disk/sandboxes.ts';
import { HostEncryption } from './encryption/host-encryption.ts';
import { outdatedTables } from './encryption/ipsec.ts';
import type { EncryptionModules } from './encryption/modules.ts';
import { Attacher } from './endpoints/attach.ts';
import { ContainerNamespaces } from './endpoints/container-netns.ts';
import { Detacher } from './endpoints/detach.ts';
import { proveFormerIdentities } from './endpoints/former-identity.ts';
import { GarbageCollector } from './endpoints/gc.ts';
import { LeavingInterfaces } from './endpoints/leaving.ts';
import { UnrecordedContainers } from './endpoints/unrecorded.ts';
import { EspProbe } from './host/esp.ts';
import { healthOf, type LoopDelay } from './host/health.ts';
import { HostRoutes } from './host/routes.ts';
import { UnderlayMtu } from './host/underlay.ts';
import { Claims } from './managers/claims.ts';
import type { ManagerLink } from './managers/link.ts';
import { SessionLoop } from './managers/session-loop.ts';
import { Standing } from './managers/standing.ts';
import { countWrites } from './reconcile/counting-kernel.ts';
import { driftOf } from './reconcile/drift.ts';
import { HostStats } from './reconcile/host-stats.ts';
import { Overlays } from './reconcile/overlays.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { OwnRows } from './tables/own-rows.ts';
import { Tables } from './tables/tables.ts';

/** Interval at which garbage collection runs again, lost files are restored, and the underlay MTU and routes are read again. */
const sweepEvery = seconds(30);

/** The agent's access to the outside world. */
export interface AgentModules {
  readonly kernel: Kernel;
  readonly link: ManagerLink;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly encryption: EncryptionModules;
  /** Writes the host's credential again if it was removed from the data directory; absent: nothing is written. */
  readonly keepCredential?: () => Promise<void>;
  /** Absent: the kernel is asked for ESP when an endpoint of an encrypted network is attached, not before. */
  readonly esp?: EspProbe;
  /** Absent: the delay of the event loop is not measured. */
  readonly loopDelay?: LoopDelay;
}

export interface RunningAgent {
  readonly api: AgentApi;
  /** Opens the session with the managers anew, because this host has a new certificate. */
  renewSession(): void;
  /** From now on, these are the managers: HOST:PORT of each. */
  knowManagers(addresses: readonly string[]): void;
  stop(): Promise<void>;
}

/** Loads the saved state, builds the parts of the agent and starts them. Throws what `Agent.start` throws. */
export async function startAgent(modules: AgentModules, settings: AgentSettings): Promise<RunningAgent> {
  const { kernel, link, files, clock, random, log } = modules;
  const {
    nodeId,
    cluster,
    name,
    dataPath,
    advertised = dataPath,
    encapPort,
    vxlanPort,
    labels = {},
    version,
  } = settings;
  const { feeds = feedVersions } = settings;
  const underlay = new UnderlayMtu(modules, { dataPath });
  await underlay.load();
  const routes = new HostRoutes(modules);
  await routes.refresh();
  await openFiles(files, log);
  warnOfWeakIdentities(kernel, log);
  const positionFile = new ClusterPositionFile(modules);
  let position: ClusterPosition | undefined = await positionFile.load();
  const node = (): Node => ({
    id: nodeId,
    name,
    dataPath: advertised,
    underlayMtu: underlay.bytes,
    ...(encapPort !== undefined && { encapPort }),
    version,
    hostRoutes: routes.prefixes,
    labels,
  });

  const tables = new Tables({ clock });
  const sandboxes = new Sandboxes({ files, log });
  const ledger = new Ledger({ files, clock, log, tables }, { feeds });
  await sandboxes.load();
  const records = new OverlayRecords({ files, log });
  await records.load();
  const overlays = new Overlays({ kernel, containers: () => sandboxes.all(), records, log });
  await overlays.load();
  await sandboxes.change(await proveFormerIdentities({ kernel, overlays }, sandboxes.all()));
  await ledger.start();
  for (const id of await outdatedTables(kernel, tables.all())) {
    const message = 'the network has come to be encrypted since; until the managers have sent it, it stays as it is';
    log.warn('ledger.damaged', { file: `network-${id}`, message });
    tables.drop(id);
  }

  const stats = new HostStats();
  const { esp = new EspProbe(modules) } = modules;
  const failover = new Failover(settings.managers, clock);
  const ownRows = new OwnRows({ tables }, { nodeId });
  const claims = new Claims({ link, failover, clock, random }, { nodeId });
  const encryption = new HostEncryption(
    {
      ...modules.encryption,
      ...{ kernel: countWrites(kernel, stats), files, tables, clock, random, log },
      whyNoEsp: () => esp.ask(),
      onRepaired: (repaired) => reportRepairs({ log, stats }, name, repaired),
      onRefused: (count) => stats.unresolved('encryption', count),
    },
    {
      ...{ cluster, node: nodeId, address: dataPath, period: settings.rekeyPeriod ?? rekeyPeriod },
      ...(encapPort !== undefined && { encapPort }),
    },
  );
  const reconciler = new Reconciler(
    {
      kernel,
      clock,
      random,
      log,
      stats,
      tables,
      sandboxes,
      overlays,
      protection: encryption,
      onLost: (id) => garbage.lost(id),
    },
    { host: { node: nodeId, vtep: dataPath, vxlanPort }, name },
  );
  const settle = reconciler.settle.bind(reconciler);
  const leaving = new LeavingInterfaces({ sandboxes, settle });
  const containers = new ContainerNamespaces({ kernel, overlays }, settings);
  const isDetaching = (id: EndpointId): boolean => detacher.isUnderWay(id);
  const standing = new Standing(settings);
  const sessionUp = (timeout: Duration): Promise<void> => session.up(timeout);
  const unrecorded = new UnrecordedContainers({
    kernel,
    tables,
    ownRows,
    sandboxes,
    isDetaching,
    stats,
    clock,
    log,
  });
  const attacher = new Attacher({
    kernel,
    containers,
    claims,
    tables,
    sandboxes,
    settle,
    standing,
    sessionUp,
    isDetaching,
    unrecorded,
    leaving,
    endReleases: (name, timeout) => garbage.endReleases(name, timeout),
    whyNoEncryption: (timeout) => encryption.whyNot(timeout),
    askForEsp: async () => {
      if ((await esp.ask()) === undefined) encryption.tryAgain();
    },
    clock,
    log,
  });
  const detacher = new Detacher({ claims, tables, ownRows, sandboxes, settle, log });
  const isUnderWay = (id: EndpointId, of: Name): boolean => attacher.isUnderWay(of) || detacher.isUnderWay(id);
  const epoch = (): bigint => position?.epoch ?? 0n;
  const onRecovered = stats.recover.bind(stats);
  const garbage = new GarbageCollector(
    { tables, ownRows, sandboxes, claims, isUnderWay, onRecovered, clock, log },
    { epoch },
  );
  const verify = async (repair: boolean): Promise<Drift[]> => {
    const shared = encryption.verify();
    const drift = await reconciler.verify(repair);
    return [...drift, ...(await shared).map((difference) => driftOf(name, '', difference))];
  };
  const cannotEncrypt = (): string => (typeof encryption.state === 'object' ? encryption.state.why : esp.why);
  const health = (): HostHealth =>
    healthOf({
      ...{ kernel, stats, loopDelay: modules.loopDelay },
      ...{ cannotEncrypt: cannotEncrypt(), refusedKeys: encryption.refusedKeys },
      keysOnDisk: encryption.keysOnDisk,
    });
  const session = new SessionLoop({
    link,
    failover,
    clock,
    random,
    log,
    tables,
    standing,
    stats,
    node,
    health,
    cluster: () => position,
    remember: async (cluster, restored) => {
      if (restored) garbage.beginEpoch();
      await positionFile.save(cluster).catch((error: unknown) => forgive(position, error, log));
      position = cluster;
    },
    confirm: async (stamp) => {
      await unrecorded.keep();
      reconciler.confirm();
      encryption.confirm();
      garbage.confirm(stamp);
    },
    verify,
    encryption,
    feeds,
  });

  const stopped = new AbortController();
  await encryption.start();
  reconciler.start();
  await session.start();
  const { keepCredential = async () => undefined } = modules;
  const saved = [
    keepCredential,
    () => positionFile.keep(position),
    () => sandboxes.keep(),
    () => records.keep(),
    () => encryption.keepFile(),
  ];
  const sweeping = sweep(clock, stopped.signal, async () => {
    await restoreFiles({ files, log }, saved);
    garbage.poke();
    await underlay.refresh();
    await routes.refresh();
  });
  log.info('agent.started', { nodeId, networks: [...tables.all()].length, endpoints: [...sandboxes.all()].length });

  const api = createApi({
    attacher,
    detacher,
    sandboxes,
    tables,
    stats,
    node: () => ({
      ...nodeToMessage(node(), 0n),
      id: nodeId,
      ready: session.manager !== undefined,
      drained: standing.isDrained,
      endpoints: [...sandboxes.all()].length,
      networks: [...tables.all()].length,
      repairs: BigInt(stats.repairs),
      health: health(),
    }),
    clusterId: () => position?.id ?? '',
    epoch,
    manager: () => session.manager,
    removed: () => standing.removed?.message ?? '',
    verify,
  });

  return {
    api,
    renewSession: () => session.renew(),
    knowManagers: (addresses) => failover.know(addresses),
    stop: async () => {
      stopped.abort();
      unrecorded.stop();
      await Promise.all([session.stop(), garbage.stop(), sweeping]);
      await Promise.all([reconciler.stop(), encryption.stop()]);
      await Promise.all([sandboxes.stop(), ledger.stop(), records.stop()]);
      log.info('agent.stopped');
    },
  };
}

function reportRepairs(
  { log, stats }: { readonly log: Log; readonly stats: HostStats },
  host: Name,
  repaired: readonly Difference[],
): void {
  const drift = repaired.map((difference) => driftOf(host, '', difference));
  log.warn('drift.repaired', { network: '', count: drift.length, first: drift[0] });
  stats.repaired(drift);
}

function warnOfWeakIdentities(kernel: Kernel, log: Log): void {
  if (kernel.hasUniqueIdentities()) return;
  const message =
    'this kernel is older than Linux 5.14 and numbers no network namespaces: the agent knows a container by the inode ' +
    'of its namespace, and may take a namespace that is made right after a container ended for that container';
  log.warn('netns.identity-weak', { message });
}

/**
 * When the disk is full, a host that has joined before goes on with its saved state, because its containers must be
 * served.
 */
async function openFiles(files: Files, log: Log): Promise<void> {
  try {
    await files.open();
  } catch (error) {
    if (!isCausewayError(error, 'disk-full')) throw error;
    log.warn('ledger.not-written', { message: error.message });
  }
}

/**
 * The first save of the cluster must succeed: without it, the host would not know its cluster after a restart. The loss
 * of a later term is acceptable.
 */
function forgive(known: ClusterPosition | undefined, error: unknown, log: Log): void {
  if (known === undefined) throw error;
  log.warn('ledger.not-written', { message: String(error) });
}

async function sweep(clock: Clock, signal: AbortSignal, action: () => Promise<void>): Promise<void> {
  for (;;) {
    await clock.sleep(sweepEvery, signal);
    if (signal.aborted) return;
    await action();
  }
}
