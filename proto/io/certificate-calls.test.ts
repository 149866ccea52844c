import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { beforeEach, expect, test } from 'vitest';
import type { CertificateServiceClient } from '#gen/causeway/v1/certificate_service.grpc-client.js';
import { GetTrustResponse } from '#gen/causeway/v1/certificate_service.js';
import { CertificateCalls } from './certificate-calls.ts';

let asked: string[];
let down: Set<string>;

beforeEach(() => {
  asked = [];
  down = new Set();
});

/** A manager that answers, or whose address is refused. */
function client(address: string): CertificateServiceClient {
  const getTrust = (
    _request: unknown,
    _metadata: Metadata,
    _options: Partial<CallOptions>,
    callback: (error: ServiceError | null, answer?: GetTrustResponse) => void,
  ): ClientUnaryCall => {
    asked.push(address);
    const refused = { code: status.UNAVAILABLE, details: 'ECONNREFUSED', metadata: new Metadata() };
    const answer = GetTrustResponse.create({ roots: ['a', 'b'], timeMs: 7n, managers: ['10.0.0.1:7443'] });
    if (down.has(address)) callback(Object.assign(new Error('ECONNREFUSED'), refused));
    else callback(null, answer);
    return {} as ClientUnaryCall;
  };
  return { getTrust } as unknown as CertificateServiceClient;
}

const ask = (calls: CertificateCalls) => calls.trust(new AbortController().signal);

test('each time another manager is asked, and one that does not answer is passed over', async () => {
  const calls = new CertificateCalls({ client, newId: () => '1' }, ['m1', 'm2', 'm3']);
  for (let i = 0; i < 4; i++) await ask(calls);
  expect(asked).toEqual(['m2', 'm3', 'm1', 'm2']);
  asked = [];
  down.add('m3');
  expect(await ask(calls)).toEqual({ roots: 'ab', time: 7, removed: [], managers: ['10.0.0.1:7443'] });
  expect(asked).toEqual(['m3', 'm1']);
});

test('managers that joined later are asked, too, and those that are gone are not', async () => {
  const calls = new CertificateCalls({ client, newId: () => '1' }, ['m1', 'm2']);
  calls.know(['m2', 'm3', 'm4']);
  for (let i = 0; i < 4; i++) await ask(calls);
  expect(asked).toEqual(['m3', 'm4', 'm2', 'm3']);
  down = new Set(['m2', 'm3', 'm4']);
  await expect(ask(calls)).rejects.toMatchObject({ code: 'manager-unavailable' });
  calls.know(['m1']);
  expect(await ask(calls)).toMatchObject({ time: 7 });
});
