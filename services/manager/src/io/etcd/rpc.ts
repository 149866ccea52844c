import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { UnaryMethod } from '@causeway/proto/io';
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  loadPackageDefinition,
  type Metadata,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import type {
  IAlarmRequest,
  IAlarmResponse,
  ICompactionRequest,
  ICompactionResponse,
  IDefragmentRequest,
  IDefragmentResponse,
  ILeaseGrantRequest,
  ILeaseGrantResponse,
  ILeaseKeepAliveRequest,
  ILeaseKeepAliveResponse,
  ILeaseRevokeRequest,
  ILeaseRevokeResponse,
  IMemberAddRequest,
  IMemberAddResponse,
  IMemberListRequest,
  IMemberListResponse,
  IMemberPromoteRequest,
  IMemberPromoteResponse,
  IMemberRemoveRequest,
  IMemberRemoveResponse,
  IMemberUpdateRequest,
  IMemberUpdateResponse,
  IMoveLeaderRequest,
  IMoveLeaderResponse,
  IRangeRequest,
  ISnapshotRequest,
  ISnapshotResponse,
  IStatusRequest,
  IStatusResponse,
  IWatchRequest,
} from 'etcd3';
import {
  decodeRangeReply,
  decodeTxnReply,
  decodeWatchReply,
  encodeTxn,
  type RangeReply,
  type TxnReply,
  type TxnRequest,
  type WatchReply,
} from './wire.ts';

/** A streaming method of an etcd client. */
type DuplexMethod<Request, Response> = (
  metadata: Metadata,
  options: Partial<CallOptions>,
) => ClientDuplexStream<Request, Response>;

/** A method of an etcd client that answers with a stream. */
type ServerStreamMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
) => ClientReadableStream<Response>;

interface KvClient extends Client {
  range: UnaryMethod<IRangeRequest, RangeReply>;
  txn: UnaryMethod<TxnRequest, TxnReply>;
  compact: UnaryMethod<ICompactionRequest, ICompactionResponse>;
}

interface WatchClient extends Client {
  watch: DuplexMethod<IWatchRequest, WatchReply>;
}

interface LeaseClient extends Client {
  leaseGrant: UnaryMethod<ILeaseGrantRequest, ILeaseGrantResponse>;
  leaseRevoke: UnaryMethod<ILeaseRevokeRequest, ILeaseRevokeResponse>;
  leaseKeepAlive: DuplexMethod<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>;
}

interface ClusterClient extends Client {
  memberList: UnaryMethod<IMemberListRequest, IMemberListResponse>;
  memberAdd: UnaryMethod<IMemberAddRequest, IMemberAddResponse>;
  memberPromote: UnaryMethod<IMemberPromoteRequest, IMemberPromoteResponse>;
  memberRemove: UnaryMethod<IMemberRemoveRequest, IMemberRemoveResponse>;
  memberUpdate: UnaryMethod<IMemberUpdateRequest, IMemberUpdateResponse>;
}

interface MaintenanceClient extends Client {
  status: UnaryMethod<IStatusRequest, IStatusResponse>;
  alarm: UnaryMethod<IAlarmRequest, IAlarmResponse>;
  defragment: UnaryMethod<IDefragmentRequest, IDefragmentResponse>;
  moveLeader: UnaryMethod<IMoveLeaderRequest, IMoveLeaderResponse>;
  snapshot: ServerStreamMethod<ISnapshotRequest, ISnapshotResponse>;
}

export interface EtcdClients {
  readonly kv: KvClient;
  readonly watch: WatchClient;
  readonly lease: LeaseClient;
  readonly cluster: ClusterClient;
  readonly maintenance: MaintenanceClient;
}

/**
 * etcd's server pings back at a client that pings more often than every 5 s (--grpc-keepalive-min-time) by closing the
 * connection, so stay above. Message size: a page or a watch batch may exceed grpc-js's 4 MiB; the server is trusted.
 */
const channelOptions: ClientOptions = {
  'grpc.keepalive_time_ms': 6_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.max_receive_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
};

/** The clients of one member, on one connection of their own. */
export function createClients(address: string, credentials: ChannelCredentials): EtcdClients {
  const kv = createClient<KvClient>('KV', address, credentials, channelOptions);
  const shared = { ...channelOptions, channelOverride: kv.getChannel() };
  return {
    kv,
    watch: createClient('Watch', address, credentials, shared),
    lease: createClient('Lease', address, credentials, shared),
    cluster: createClient('Cluster', address, credentials, shared),
    maintenance: createClient('Maintenance', address, credentials, shared),
  };
}

function createClient<Kind extends Client>(
  name: string,
  address: string,
  credentials: ChannelCredentials,
  options: ClientOptions,
): Kind {
  services ??= load();
  const Service = services[name];
  if (Service === undefined) throw new Error(`etcd3's rpc.proto has no service ${name}`);
  return new Service(address, credentials, options) as unknown as Kind;
}

/** What etcd's services and messages are, from the description in npm `etcd3` (docs/decisions/0003-etcd-client.md). */
export function describe(): PackageDefinition {
  const path = createRequire(import.meta.url).resolve('etcd3/proto/rpc.proto');
  return loadSync(path, {
    includeDirs: [dirname(path)],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
  });
}

/** Read once, on first use. */
let services: Readonly<Record<string, ServiceClientConstructor>> | undefined;

function load(): Readonly<Record<string, ServiceClientConstructor>> {
  const described = describe();
  const kv = described['etcdserverpb.KV'] as ServiceDefinition;
  const watch = described['etcdserverpb.Watch'] as ServiceDefinition;
  const withOurs = {
    ...described,
    'etcdserverpb.KV': {
      ...kv,
      Txn: { ...kv['Txn'], requestSerialize: encodeTxn, responseDeserialize: decodeTxnReply },
      Range: { ...kv['Range'], responseDeserialize: decodeRangeReply },
    },
    'etcdserverpb.Watch': { ...watch, Watch: { ...watch['Watch'], responseDeserialize: decodeWatchReply } },
  } as PackageDefinition;
  return loadPackageDefinition(withOurs)['etcdserverpb'] as unknown as Record<string, ServiceClientConstructor>;
}
