import { written } from '@causeway/proto';
import {
  ClusterClient,
  KVClient,
  LeaseClient,
  MaintenanceClient,
  WatchClient,
} from '@causeway/proto/gen/etcd/rpc.grpc-client.js';
import type { ChannelCredentials, ClientOptions } from '@grpc/grpc-js';
import { BinaryReader } from '@protobuf-ts/runtime';

export interface EtcdClients {
  readonly kv: KVClient;
  readonly watch: WatchClient;
  readonly lease: LeaseClient;
  readonly cluster: ClusterClient;
  readonly maintenance: MaintenanceClient;
}

/**
 * etcd closes the connection of a client that pings more often than every 5 s (--grpc-keepalive-min-time), so the
 * interval stays above that. Message size: a page or a watch batch may exceed grpc-js's 4 MiB, and the server is trusted.
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

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Fields that a later etcd adds, and fields that our description of etcd leaves out, are skipped when read. So a message
 * that was read must not be written back. The library's readers would each make a decoder of texts.
 */
export const codec = {
  readUnknownField: false,
  readerFactory: (bytes: Uint8Array) => new BinaryReader(bytes, decoder),
  writeUnknownFields: false,
  ...written,
} as const;

/** The clients of one member, which share one connection. */
export function createClients(address: string, credentials: ChannelCredentials): EtcdClients {
  const kv = new KVClient(address, credentials, channelOptions, codec);
  const shared = { ...channelOptions, channelOverride: kv.getChannel() };
  return {
    kv,
    watch: new WatchClient(address, credentials, shared, codec),
    lease: new LeaseClient(address, credentials, shared, codec),
    cluster: new ClusterClient(address, credentials, shared, codec),
    maintenance: new MaintenanceClient(address, credentials, shared, codec),
  };
}
