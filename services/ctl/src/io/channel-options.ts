import type { ChannelOptions } from '@grpc/grpc-js';

export const channelOptions: ChannelOptions = {
  // A list of 100,000 endpoints is about 15 MiB; grpc-js stops at 4.
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  // A manager that is gone without a word is found out after the sum of both, while a call is under way. Where 40 % of
  // packets are lost an answer to a ping still comes within 2 s, nineteen times of twenty.
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 2_000,
  // A proxy for the web must not be asked for the cluster.
  'grpc.enable_http_proxy': 0,
  // An agent or manager that restarts is back in a second: grpc-js would wait 1 s, then 1.6 s, ….
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
};
