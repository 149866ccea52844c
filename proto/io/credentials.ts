import { ChannelCredentials } from '@grpc/grpc-js';

/** For the agent's unix socket, which its file mode protects. All other connections use mutual TLS (@causeway/identity). */
export const plaintext: ChannelCredentials = ChannelCredentials.createInsecure();
