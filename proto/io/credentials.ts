import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

/** The one door through which every client and server of the project gets its credentials. */
export interface Credentials {
  client(): ChannelCredentials;
  server(): ServerCredentials;
}

/** For a unix socket guarded by its file mode, and for an underlay that is trusted as a whole. */
export const plaintext: Credentials = {
  client: () => ChannelCredentials.createInsecure(),
  server: () => ServerCredentials.createInsecure(),
};
