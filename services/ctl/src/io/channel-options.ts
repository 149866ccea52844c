import type { ChannelOptions } from '@grpc/grpc-js';

export const channelOptions: ChannelOptions = {
  // A list of 100,000 endpoints is about 15 MiB; the limit of grpc-js is 4 MiB by default.
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  // During a call, a manager that vanished is noticed after the sum of both times. When 40 % of packets are lost, the
  // answer to a ping still comes within 2 s in nineteen of twenty cases.
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 2_000,
  // Connections to the cluster must not go through a web proxy.
  'grpc.enable_http_proxy': 0,
  // An agent or manager that restarts is back within a second, but grpc-js would wait 1 s, then 1.6 s, ….
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
};
