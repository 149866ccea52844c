import { CausewayError } from '@causeway/model';
import type { ExternalCa, Manager, WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import type { World } from './run-line.ts';
import { blue, db, drift, events, h1, h2, h3, lone, red, status, web } from './samples.ts';

export const timedOut = () => Promise.reject(new CausewayError('timed-out', 'no answer'));
export const unavailable = () => Promise.reject(new CausewayError('manager-unavailable', 'no manager answers'));
export const refused = () =>
  Promise.reject(
    new CausewayError(
      'quorum-loss',
      '2 of 3 members are healthy; removing h2 leaves 1 healthy of 2, and 2 are needed: bring the others back first, or use force',
    ),
  );
export const hostInUse = () =>
  Promise.reject(
    new CausewayError('node-in-use', 'host h2 is connected: stop its agent first, or remove it with --force'),
  );
export const found = { drift, checked: ['h1', 'h2', 'h3'], unreachable: [] };
export const clean = { drift: [], checked: ['h1', 'h2', 'h3'], unreachable: [] };
export const standbys = status.managers.map((manager) => ({ ...manager, leader: false, state: 'standby' }));
export const noStore = (({ store: _, leader: __, ...rest }) => ({
  ...rest,
  managers: standbys,
  hostsReady: 0,
  unreadyHosts: [],
  troubledHosts: [],
  degradedNetworks: 0,
  degradedEndpoints: 0,
}))(status);
export const noLeader = (({ leader: _, ...rest }) => ({
  ...rest,
  managers: standbys,
  hostsReady: 0,
  unreadyHosts: [],
  troubledHosts: [],
  degradedNetworks: 0,
  degradedEndpoints: 0,
}))(status);
export const tooNew = {
  ...status,
  schema: 2,
  managers: status.managers.map((each) =>
    each.name === 'h2' ? { ...each, state: 'outdated' } : { ...each, schema: 2 },
  ),
};
const lonely = (status.store?.members ?? []).map((member) => ({ ...member, healthy: false, leader: false }));
export const noMajority = { ...noLeader, store: { members: lonely, revision: 42n } };

export async function* happened({ fromSequence, tail, network }: WatchEventsRequest): AsyncGenerator<Event> {
  const asked = events.filter((event) => event.sequence >= fromSequence && ['', event.network].includes(network));
  yield* tail === 0 ? asked : asked.slice(-tail);
}

/** The changes of one object: it is added, modified and removed. */
async function* lifeOf<Of extends object>(of: Of) {
  const position = { revision: 42n, more: false, epoch: 1n };
  yield { ...position, ...of, type: 'ADDED', more: true };
  yield { ...position, type: 'BOOKMARK' };
  yield { ...position, ...of, type: 'MODIFIED', revision: 43n };
  yield { ...position, ...of, type: 'REMOVED', revision: 44n };
  throw new CausewayError('network-unknown', 'there is no network "blue"');
}

export const networks: World = {
  managers: {
    createNetwork: async () => ({ network: blue }),
    getNetwork: async () => ({ network: red }),
    watchNetworks: () => lifeOf({ network: blue }),
    listNetworks: async () => ({ networks: [blue, red], revision: 42n, nextPageToken: '' }),
    updateNetwork: async () => ({ network: red }),
    deleteNetwork: async () => ({ revision: 50n }),
  },
};
const tooLarge = () => {
  const message = 'mtu 9000 is more than h1, h2 carry: ask for 1450 or less, which leaves room for VXLAN, or force it';
  return Promise.reject(new CausewayError('mtu-too-large', message, { field: 'mtu', value: 9000 }));
};
export const tooLargeMtu: World = { managers: { createNetwork: tooLarge, updateNetwork: tooLarge } };
/** No network has this name, but one has a similar name. */
export const unknownNetwork: World = {
  managers: {
    ...networks.managers,
    getNetwork: () => {
      const data = { field: 'network', value: 'bleu' };
      return Promise.reject(new CausewayError('network-unknown', 'there is no network "bleu"', data));
    },
  },
};
export const overlapping: World = {
  managers: {
    createNetwork: () => {
      const message = 'subnets[0] 10.66.0.0/24 overlaps 10.66.0.0/16 of network "blue" in address space "default"';
      return Promise.reject(
        new CausewayError('subnet-overlap', message, { field: 'subnets[0]', value: '10.66.0.0/24' }),
      );
    },
  },
};
/** What a dry run of an update shows for red. */
export const dryRun: World = {
  managers: {
    getNetwork: async () => ({ network: red }),
    updateNetwork: async () => ({
      network: {
        ...red,
        name: 'green',
        mtu: 1350,
        mtuFixed: false,
        labels: { tier: 'web' },
        subnets: [
          { prefix: '10.68.0.0/24', gateway: '', ranges: ['10.68.0.128/25'], auxAddresses: { dns: '10.68.0.9' } },
        ],
        revision: 0n,
      },
    }),
  },
};
export const moved = () =>
  Promise.reject(new CausewayError('revision-conflict', 'if_revision 7 is not that of "red": look at it again'));
export const changed: World = { managers: { ...networks.managers, updateNetwork: moved, deleteNetwork: moved } };
export const endpoints: World = {
  managers: {
    getEndpoint: async () => ({ endpoint: db }),
    watchEndpoints: () => lifeOf({ endpoint: web }),
    listEndpoints: async () => ({ endpoints: [web, db, lone], revision: 42n, nextPageToken: '' }),
    waitEndpoint: async () => ({ endpoint: web }),
  },
  agent: {
    attach: async () => ({ endpoint: lone, alreadyAttached: false }),
    detach: async () => ({ revision: 51n, host: '', interfaceRemoved: true }),
  },
};
export const agent: World = {
  agent: {
    getAgentStatus: async () => ({
      node: h2,
      clusterId: '00000000000000c1',
      manager: '',
      networks: [{ networkId: blue.id, network: 'blue', revision: 13n, applied: 12n, endpoints: 2 }],
      repairs: 5n,
      drift: 1,
      kernelWrites: 40n,
      removed: '',
    }),
    listSandboxes: async () => ({
      sandboxes: [
        {
          endpoint: lone,
          netns: '/run/netns/web',
          ifname: 'eth0',
          state: 'attached',
          refused: '',
          gatewayPriority: 0,
          routeMetric: 0,
        },
        {
          endpoint: { ...lone, name: 'old' },
          netns: '/run/netns/old',
          ifname: 'eth0',
          state: 'refused',
          refused: 'its network is gone',
          gatewayPriority: 0,
          routeMetric: 0,
        },
      ],
    }),
  },
};
export const slow: World = { ...endpoints, managers: { ...endpoints.managers, waitEndpoint: timedOut } };
/** The endpoint is on another host, which has not answered yet. */
export const elsewhere: World = {
  ...endpoints,
  agent: { detach: async () => ({ revision: 51n, host: 'h3', interfaceRemoved: false }) },
};
/** No agent runs on this host. */
export const agentless: World = {
  managers: { detachEndpoint: async () => ({ revision: 51n, host: 'h3', interfaceRemoved: true }) },
  agent: {
    detach: async () => {
      throw new CausewayError('agent-unavailable', 'no agent answers at /run/causeway/agent.sock');
    },
  },
};
/** The endpoint is on another host, and the agent of this host may not detach it. */
export const ofAnotherHost: World = {
  ...agentless,
  agent: {
    detach: async () => {
      throw new CausewayError('permission-denied', 'endpoint "web" is on host h3');
    },
  },
};
/** The endpoint is attached already as requested. */
export const repeated: World = {
  ...endpoints,
  agent: { ...endpoints.agent, attach: async () => ({ endpoint: lone, alreadyAttached: true }) },
};
export const cut: World = {
  ...endpoints,
  managers: { getEndpoint: unavailable, waitEndpoint: unavailable },
};
export const nodes: World = {
  managers: {
    watchNodes: () => lifeOf({ node: h1 }),
    getNode: async () => ({ node: h2 }),
    listNodes: async () => ({ nodes: [h1, h2, h3], revision: 42n, nextPageToken: '' }),
    drainNode: async () => ({ node: h2 }),
    undrainNode: async () => ({ node: h1 }),
    removeNode: async () => ({ revision: 51n, released: 2, interfacesRemoved: false }),
  },
};
export const attach = 'endpoint attach blue --name web --netns /run/netns/web';

const joinToken = {
  id: '4m2z9qk0t7xw3c1v',
  role: 'agent',
  uses: 1,
  used: 0,
  revokedMs: 0n,
  by: 'operator/admin',
  name: '',
};
const created = { createdMs: 1_699_999_000_000n, expiresMs: 1_700_002_600_000n };
/** Join tokens in each state. */
export const tokens: World = {
  managers: {
    createToken: async ({ role, uses, name }) => ({
      token: { ...joinToken, ...created, role, uses, name },
      secret: `CWAY1-${role}-9k…-4m2z9qk0t7xw3c1v-7r…`,
    }),
    listManagers: async () => ({ managers: status.managers }),
    listTokens: async () => ({
      tokens: [
        { ...joinToken, ...created },
        { ...joinToken, ...created, id: '0b8d3n5r6s9t1w2y', role: 'manager', used: 1, name: 'm2' },
        { ...joinToken, ...created, id: '1c7f4p6q8v0x2z3a', uses: 20, used: 3, revokedMs: 1_699_999_900_000n },
        { ...joinToken, createdMs: 1_699_990_000_000n, expiresMs: 1_699_993_600_000n, id: '2d6g5h7j9k1m3n4p' },
      ],
    }),
    revokeToken: async () => ({ token: { ...joinToken, ...created, revokedMs: 1_699_999_900_000n } }),
  },
};

const certificate = { serial: '5f0c', issuedMs: 1_699_990_000_000n, expiresMs: 1_702_582_000_000n, generation: 2 };
const caRoot = { certificate: 'PEM', fingerprint: '8d1f', expiresMs: 2_015_000_000_000n };
const members = [
  { ...certificate, role: 'agent', id: '00000000000000a1', name: 'h1' },
  { ...certificate, role: 'agent', id: '00000000000000a2', name: 'h2', generation: 1 },
  { ...certificate, role: 'manager', id: 'm1', name: 'm1' },
  { ...certificate, role: 'operator', id: 'admin', name: 'admin', expiresMs: 1_700_200_000_000n },
  { ...certificate, role: 'operator', id: 'eve', name: 'eve', expiresMs: 1_699_999_000_000n },
];
const unlocked = { autolock: false, locked: false };
const listManagers = async () => ({ managers: status.managers });
/** A CA that does not rotate. */
export const certificates: World = {
  managers: {
    showCa: async () => ({
      generation: 2,
      roots: [caRoot],
      lifeMs: 2_592_000_000n,
      certificates: members,
      ...unlocked,
    }),
    listManagers,
    revokeOperator: async () => ({}),
    setCertificateLife: async () => ({}),
    setAutolock: async ({ enabled }) => ({ unlockKey: enabled ? 'CWKEY1-…' : '' }),
    unlock: async () => ({}),
  },
};

const begun = { generation: 2, renewed: 1, total: 3, waiting: ['agent h2', 'operator admin'], done: false };
export const rotating: World = {
  managers: {
    showCa: async () => ({
      ...{ generation: 2, lifeMs: 2_592_000_000n, certificates: members, autolock: true, locked: true },
      roots: [caRoot, { ...caRoot, fingerprint: '41aa' }],
    }),
    listManagers,
    async *rotateCa() {
      yield* [begun, begun];
      yield { ...begun, renewed: 3, waiting: [], done: true };
    },
  },
};

const caProgram = { name: 'the program /opt/ca/issue (--ca-program)', calledMs: 1_699_999_820_000n, failure: '' };
const programFailed = 'the program /opt/ca/issue (--ca-program) has issued nothing: it ended with status 3';
const issuedBy = (...issuers: readonly ExternalCa[]): readonly Manager[] =>
  status.managers.map((manager, i) => ({ ...manager, ...(issuers[i] !== undefined && { externalCa: issuers[i] }) }));
const issuersFailing = issuedBy(
  { ...caProgram, failure: programFailed },
  { name: '', calledMs: 0n, failure: '' },
  { ...caProgram, failure: 'what failed at a manager that does not lead' },
);
/** The key of the CA is outside of the cluster. */
export const outside: World = {
  managers: {
    ...certificates.managers,
    listManagers: async () => ({ managers: [...issuedBy(caProgram, { ...caProgram, calledMs: 0n })] }),
  },
};
export const outsideFailing: World = {
  managers: {
    ...certificates.managers,
    listManagers: async () => ({ managers: [...issuersFailing] }),
    getStatus: async () => ({ ...status, managers: [...issuersFailing], unreadyHosts: [] }),
    listNodes: async () => ({ nodes: [], revision: 42n, nextPageToken: '' }),
    listNetworks: async () => ({ networks: [], revision: 42n, nextPageToken: '' }),
  },
};

const cryptoPair = {
  ...{ a: 'h1', b: 'h2', aGeneration: 3n, bGeneration: 2n, sas: 'ok', problem: '' },
  ...{ ageMs: 2_460_000n, esn: true, replayDrops: 0n, plaintextDrops: 0n },
};
const { plaintextDrops: _, ...uncounted } = cryptoPair;
const unanswered = { ...uncounted, sas: 'unknown', problem: 'no answer from h3', esn: false };
const cryptoStatus = { pairs: [cryptoPair], nextRotationMs: 1_700_003_600_000n, unreachable: [] };
async function* keysRotated() {
  const progress = { total: 3, unreachable: [], done: false };
  yield { ...progress, rotated: 0, waiting: ['h1: has not made a new key', 'h2: h3 still uses its former key'] };
  yield { ...progress, rotated: 0, waiting: ['h1: has not made a new key', 'h2: h3 still uses its former key'] };
  yield { ...progress, rotated: 3, waiting: [], done: true };
}
export const keys: World = { managers: { getCryptoStatus: async () => cryptoStatus, rotateKeys: keysRotated } };
/** One host does not answer, and another has lost an SA. */
export const brokenKeys: World = {
  managers: {
    getCryptoStatus: async () => ({
      pairs: [
        { ...cryptoPair, sas: 'broken', problem: 'h2 has no SA with which it may send to h1', plaintextDrops: 7n },
        { ...unanswered, b: 'h3' },
        {
          ...unanswered,
          ...{ a: 'h2', b: 'h3', problem: 'no answer from h2 and h3' },
          ...{ aGeneration: 0n, bGeneration: 0n, ageMs: 0n, esn: false },
        },
      ],
      nextRotationMs: 0n,
      unreachable: ['h3'],
    }),
    rotateKeys: async function* () {
      yield { rotated: 2, total: 3, waiting: ['h3: has no session'], unreachable: ['h3'], done: true };
    },
  },
};
/** A network that changes, a host that cannot encrypt, and no leader. */
const changingRed = {
  ...red,
  ...{ driver: 'dual-overlay', becomes: 'encrypted-overlay' },
  conditions: [
    {
      ...{ type: 'Settled', status: 'false', reason: 'Changing', sinceRevision: 9n, sinceTimeMs: 0n },
      message: 'it becomes encrypted-overlay, and is dual-overlay now: h3 has no session',
    },
  ],
};
const vault = {
  ...red,
  id: '00000000000000b9',
  name: 'vault',
  driver: 'encrypted-overlay',
  encrypted: true,
  conditions: [],
};
const health = {
  loopDelayMs: 0,
  eventsLost: 0n,
  announcementsSent: 0n,
  announcementsDropped: 0n,
  refusedKeys: 0n,
  failedOps: {},
};
const why =
  'its kernel has no ESP with AES-GCM (EPROTONOSUPPORT); the kernel modules are esp4, esp6, xfrm_user and gcm';
const unable = { ...h2, health: { ...health, cannotEncrypt: why, keysOnDisk: '' } };
const examined = {
  listNodes: async () => ({ nodes: [h1, unable], revision: 42n, nextPageToken: '' }),
  listEndpoints: async () => ({ endpoints: [{ ...db, networkId: vault.id }], revision: 42n, nextPageToken: '' }),
  getNode: async () => ({ node: unable }),
};
export const sick: World = {
  managers: {
    ...examined,
    getStatus: async () => noLeader,
    listNetworks: async () => ({ networks: [blue, changingRed, vault], revision: 42n, nextPageToken: '' }),
  },
};
export const keysOnDisk: World = {
  managers: {
    ...examined,
    getStatus: async () => ({ ...status, unreadyHosts: [] }),
    listNodes: async () => {
      const lasting = { ...health, cannotEncrypt: '', keysOnDisk: '/srv/causeway/keys is not on a tmpfs' };
      return { nodes: [{ ...h1, health: lasting }], revision: 42n, nextPageToken: '' };
    },
    listNetworks: async () => ({ networks: [vault], revision: 42n, nextPageToken: '' }),
  },
};
/** The host still cannot encrypt, but no network is encrypted. */
export const well: World = {
  managers: {
    ...examined,
    getStatus: async () => ({ ...status, unreadyHosts: [] }),
    listNetworks: async () => ({ networks: [{ ...red, conditions: [] }], revision: 42n, nextPageToken: '' }),
  },
};
export const encrypting: World = {
  managers: {
    updateNetwork: async () => ({ network: changingRed }),
    getNetwork: async () => ({
      network: { ...changingRed, driver: 'encrypted-overlay', becomes: '', encrypted: true },
    }),
  },
};
/** The change does not end. */
export const stuck: World = {
  managers: {
    updateNetwork: async () => ({ network: changingRed }),
    getNetwork: async () => ({ network: changingRed }),
  },
};
export const noKeys: World = {
  managers: { getCryptoStatus: async () => ({ pairs: [], nextRotationMs: 0n, unreachable: [] }) },
};
