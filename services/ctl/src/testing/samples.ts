import type { GetStatusResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type {
  Applied,
  Condition,
  Drift,
  Endpoint,
  Event,
  Network,
  Node,
} from '@causeway/proto/gen/causeway/v1/types.js';

const allocated: Condition = {
  type: 'Allocated',
  status: 'true',
  reason: 'Claimed',
  message: '10.66.0.0/16 is claimed',
  sinceRevision: 7n,
  sinceTimeMs: 1_699_990_000_000n,
};

const programmed: Condition = {
  type: 'Programmed',
  status: 'false',
  reason: 'Waiting',
  message: 'waiting for h2 to apply revision 13',
  sinceRevision: 13n,
  sinceTimeMs: 1_699_999_880_000n,
};

const healthy: Condition = {
  type: 'Degraded',
  status: 'false',
  reason: 'Healthy',
  message: '',
  sinceRevision: 7n,
  sinceTimeMs: 1_699_990_000_000n,
};

export const blue: Network = {
  id: '00000000000000b1',
  name: 'blue',
  addressSpace: 'default',
  driver: 'overlay',
  internal: false,
  vni: 4096,
  mtu: 1450,
  mtuFixed: false,
  subnets: [
    { prefix: '10.66.0.0/16', gateway: '10.66.0.1', ranges: [], auxAddresses: {} },
    { prefix: 'fd66::/64', gateway: '', ranges: [], auxAddresses: {} },
  ],
  labels: { team: 'core', tier: 'web' },
  createdAtMs: 1_699_990_000_000n,
  revision: 7n,
  conditions: [allocated, { ...programmed, status: 'true', reason: 'AllApplied' }, healthy],
  encrypted: false,
  becomes: '',
};

export const red: Network = {
  ...blue,
  id: '00000000000000e0',
  name: 'red',
  vni: 77,
  mtu: 1400,
  mtuFixed: true,
  addressSpace: 'lab',
  subnets: [{ prefix: '10.67.0.0/24', gateway: '10.67.0.254', ranges: [], auxAddresses: {} }],
  labels: {},
  createdAtMs: 0n,
  conditions: [allocated, programmed, healthy],
  revision: 9_007_199_254_740_993n,
};

export function applied(have: number, want: number, more: Partial<Applied> = {}): Applied {
  return { have, want, waiting: [], unreachable: [], p99Ms: 0, ...more };
}

export const web: Endpoint = {
  id: '00000000000000e1',
  name: 'web',
  networkId: blue.id,
  network: 'blue',
  nodeId: '00000000000000a2',
  host: 'h2',
  addresses: ['10.66.0.9/16', 'fd66::9/64'],
  mac: '02:42:0a:42:00:09',
  createdAtMs: 1_699_999_950_000n,
  revision: 12n,
  applied: applied(3, 3, { p99Ms: 84.4 }),
  labels: { app: 'shop' },
  conditions: [allocated, programmed, healthy],
};

export const db: Endpoint = {
  ...web,
  id: '00000000000000e2',
  name: 'db',
  host: 'h1',
  addresses: ['10.66.0.10/16', 'fd66::a/64'],
  mac: '02:42:0a:42:00:0a',
  revision: 13n,
  applied: applied(1, 2, { waiting: ['h2'], unreachable: ['h3'], p99Ms: 3 }),
};

/** The endpoint as an agent reports it that knows nothing about other hosts. */
export const lone: Endpoint = (({ applied: _, ...rest }) => rest)(web);

export const h1: Node = {
  id: '00000000000000a1',
  name: 'h1',
  dataPath: '10.90.0.1',
  underlayMtu: 1500,
  encapPort: 0,
  version: '0.1.0',
  ready: true,
  drained: false,
  endpoints: 2,
  networks: 1,
  repairs: 5n,
  hostRoutes: [],
  createdAtMs: 1_699_000_000_000n,
  labels: { zone: 'a' },
  conditions: [
    {
      type: 'Ready',
      status: 'true',
      reason: 'Session',
      message: 'its agent has a session',
      sinceRevision: 3n,
      sinceTimeMs: 0n,
    },
    { ...healthy, status: 'true', reason: 'Drift', message: '1 difference from the desired state remains' },
  ],
  revision: 3n,
};

export const h2: Node = {
  ...h1,
  id: '00000000000000a2',
  name: 'h2',
  dataPath: 'fd90::2',
  ready: false,
  drained: true,
  repairs: 0n,
  conditions: [
    {
      type: 'Ready',
      status: 'false',
      reason: 'NoSession',
      message: 'its agent has no session',
      sinceRevision: 9n,
      sinceTimeMs: 1_699_999_880_000n,
    },
    {
      type: 'Attachable',
      status: 'false',
      reason: 'Drained',
      message: 'it is drained: it gets no new endpoints',
      sinceRevision: 8n,
      sinceTimeMs: 1_699_999_870_000n,
    },
  ],
};

/** The host as a manager reports it that knows no leader. */
export const h3: Node = {
  ...h2,
  id: '00000000000000a3',
  name: 'h3',
  dataPath: '10.90.0.3',
  conditions: [
    {
      type: 'Ready',
      status: 'unknown',
      reason: 'NoLeader',
      message: 'no manager leads',
      sinceRevision: 0n,
      sinceTimeMs: 0n,
    },
  ],
};

export const status: GetStatusResponse = {
  clusterId: '00000000000000c1',
  epoch: 1n,
  revision: 42n,
  leader: { manager: 'h1', address: '10.90.0.1:7443', term: 5n, sinceMs: 1_699_999_808_000n },
  managers: [
    {
      name: 'h1',
      address: '10.90.0.1:7443',
      leader: true,
      version: '0.1.0',
      revision: 42n,
      etcdMember: 'h1',
      state: 'leader',
      schema: 1,
      goneSinceMs: 0n,
    },
    {
      name: 'h2',
      address: '10.90.0.2:7443',
      leader: false,
      version: '0.1.0',
      revision: 39n,
      etcdMember: 'h2',
      state: 'standby',
      schema: 1,
      goneSinceMs: 0n,
    },
    {
      name: 'h3',
      address: '10.90.0.3:7443',
      leader: false,
      version: '0.1.0',
      revision: 0n,
      etcdMember: 'h3',
      state: 'unreachable',
      schema: 1,
      goneSinceMs: 1_699_999_600_000n,
    },
  ],
  store: {
    members: [
      {
        name: 'h1',
        clientUrls: ['http://10.90.0.1:2379'],
        healthy: true,
        leader: true,
        learner: false,
        size: 25_165_824n,
        sizeInUse: 8_388_608n,
        lag: 0n,
        alarms: [],
        revision: 42n,
      },
      {
        name: 'h2',
        clientUrls: ['http://10.90.0.2:2379'],
        healthy: true,
        leader: false,
        learner: false,
        size: 25_165_824n,
        sizeInUse: 8_388_608n,
        lag: 3n,
        alarms: ['SLOW-DISK'],
        revision: 40n,
      },
      {
        name: 'h3',
        clientUrls: ['http://10.90.0.3:2379'],
        healthy: false,
        leader: false,
        learner: false,
        size: 0n,
        sizeInUse: 0n,
        lag: 0n,
        alarms: [],
        revision: 0n,
      },
    ],
    revision: 42n,
  },
  hostsReady: 2,
  hostsTotal: 3,
  repairs: 5n,
  drift: 0,
  networks: 2,
  endpoints: 2,
  schema: 1,
  unreadyHosts: [{ name: 'h3', session: 'none', sinceMs: 1_699_999_808_000n, reason: 'nothing heard for 6000 ms' }],
  troubledHosts: [
    {
      name: 'h1',
      health: {
        ...{ loopDelayMs: 2_300, eventsLost: 0n, announcementsSent: 40n, announcementsDropped: 0n, failedOps: {} },
        ...{ cannotEncrypt: '', refusedKeys: 0n, keysOnDisk: '' },
      },
    },
    {
      name: 'h2',
      health: {
        loopDelayMs: 12,
        eventsLost: 1n,
        announcementsSent: 1_000n,
        announcementsDropped: 7n,
        cannotEncrypt: '',
        refusedKeys: 3n,
        keysOnDisk: '',
        failedOps: { ENOSPC: 1n, EBUSY: 2n },
      },
    },
  ],
  degradedNetworks: 1,
  degradedEndpoints: 1,
};

export const drift: Drift[] = [
  { host: 'h3', network: 'blue', kind: 'fdb', key: '02:42:0a:42:00:09', actual: '', desired: 'dst 10.90.0.2' },
  { host: 'h3', network: 'blue', kind: 'neighbour', key: '10.66.0.99', actual: '02:42:0a:42:00:63', desired: '' },
];

export const events: Event[] = [
  {
    sequence: 1n,
    revision: 7n,
    timeMs: 1_700_000_000_000n,
    kind: 'network.created',
    network: 'blue',
    endpoint: '',
    host: '',
    message: '10.66.0.0/16, VNI 4096',
    actor: 'root@h1',
    cause: 'e4d909c2-90d0-4b1c-a2d4-0f2f1f3b5a77',
    addresses: [],
    networkId: '',
    endpointId: '',
    purpose: '',
    subject: 'operator/mary',
    method: 'NetworkService/CreateNetwork',
    refusal: '',
    object: '',
    count: 1,
  },
  {
    sequence: 2n,
    revision: 0n,
    timeMs: 1_700_000_003_021n,
    kind: 'drift.repaired',
    network: 'blue',
    endpoint: 'web',
    host: 'h3',
    message: 'fdb 02:42:0a:42:00:09 was missing',
    actor: 'agent/h3',
    cause: 'drift',
    addresses: [],
    networkId: '',
    endpointId: '',
    purpose: '',
    subject: '',
    method: '',
    refusal: '',
    object: '',
    count: 1,
  },
  {
    sequence: 3n,
    revision: 9n,
    timeMs: 1_700_000_004_000n,
    kind: 'call.refused',
    network: '',
    endpoint: '',
    host: '',
    message: 'agent/7c0e5a3b9d1f2468 was refused NodeService/RemoveNode of host/h2: it may act for its own node only',
    actor: 'agent/7c0e5a3b9d1f2468',
    cause: 'refused',
    addresses: [],
    networkId: '',
    endpointId: '',
    purpose: '',
    subject: 'agent/7c0e5a3b9d1f2468',
    method: 'NodeService/RemoveNode',
    refusal: 'PERMISSION_DENIED',
    object: 'host/h2',
    count: 1,
  },
];
