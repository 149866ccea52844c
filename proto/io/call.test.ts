import { createServer } from 'node:net';
import { ChannelCredentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { CertificateServiceClient } from '#gen/causeway/v1/certificate_service.grpc-client.js';
import { callUnary } from './call.ts';

const clients: CertificateServiceClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

test('a channel that shares an address with one that could not connect says that there is no connection', async () => {
  const port = await closedPort();
  const credentials = ChannelCredentials.createInsecure();
  const options = { 'grpc.initial_reconnect_backoff_ms': 60_000, 'grpc.max_reconnect_backoff_ms': 60_000 };
  const failure = async (): Promise<unknown> => {
    const client = new CertificateServiceClient(`127.0.0.1:${port}`, credentials, options);
    clients.push(client);
    return await callUnary(client.getTrust.bind(client), {}, { timeout: 5_000 }).catch((error: unknown) => error);
  };
  expect(await failure()).toMatchObject({
    code: 'manager-unavailable',
    message: `connect ECONNREFUSED 127.0.0.1:${port}`,
  });
  expect(await failure()).toMatchObject({ code: 'manager-unavailable', message: 'no connection could be made' });
});
