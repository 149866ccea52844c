import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

/** All clients and servers of the project get their credentials from here. */
export interface Credentials {
  client(): ChannelCredentials;
  server(): ServerCredentials;
}

/** Without encryption: for a unix socket that its file mode protects, and for a trusted underlay. */
export const plaintext: Credentials = {
  client: () => ChannelCredentials.createInsecure(),
  server: () => ServerCredentials.createInsecure(),
};
