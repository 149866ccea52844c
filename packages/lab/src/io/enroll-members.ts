import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { enroll } from '@causeway/enrollment';
import { DirectoryHome, grpcKnock } from '@causeway/enrollment/io';
import { type JoinToken, parseToken } from '@causeway/identity';
import { ClientCredentials, createKey, identityDirectory, LiveCredential, readCredential } from '@causeway/identity/io';
import { isCausewayError, type Name, unwrap } from '@causeway/model';
import { CertificateServiceClient } from '@causeway/proto/gen/causeway/v1/certificate_service.grpc-client.js';
import { callUnary } from '@causeway/proto/io';
import { milliseconds, randomUuid } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import type { EnrollmentOrder, NewMember } from '../commands.ts';

/** Time for a manager to start and to be elected, ms. It is long, because a busy machine must not count as a failure. */
const ledWithin = 60_000;
const attemptWithin = milliseconds(2_000);
const pause = milliseconds(50);
/** All hosts of a lab join from one address, and managers limit what comes from one address at once. */
const atOnce = 16;

/** The order comes on stdin, as JSON. */
export async function enrollMembers(): Promise<void> {
  await enrollAll(JSON.parse(await text(process.stdin)) as EnrollmentOrder);
}

/** Makes hosts members of the cluster, each with a token for its name: a host whose data was wiped joins again. */
export async function enrollAll(order: EnrollmentOrder): Promise<void> {
  const operator = new LiveCredential(await readCredential(order.operator));
  const credentials = ClientCredentials.toManagers(operator, () => systemClock.wall());
  for (const role of ['manager', 'agent'] as const) {
    const members = order.members.filter((member) => member.role === role);
    const waiting = members.values();
    const work = async (): Promise<void> => {
      for (const member of waiting) {
        const { token, at } = await createToken(order, credentials, { role, uses: 1, name: member.name });
        await becomeMember(member, token, at);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }
}

interface Wanted {
  readonly role: string;
  readonly uses: number;
  readonly name: string;
}

/** Asks the managers in turn, until one leads or knows the leader. Returns the manager that answered, too. */
async function createToken(
  { managers }: EnrollmentOrder,
  credentials: ClientCredentials,
  wanted: Wanted,
): Promise<{ readonly token: JoinToken; readonly at: string }> {
  const request = { requestId: randomUuid(cryptoRandom), ttlMs: 0n, ...wanted };
  const end = systemClock.now() + ledWithin;
  for (let attempt = 0; ; attempt++) {
    const at = managers[attempt % managers.length] ?? '';
    const client = new CertificateServiceClient(at, credentials, { 'grpc.initial_reconnect_backoff_ms': 50 });
    try {
      const { secret } = await callUnary(client.createToken.bind(client), request, { timeout: attemptWithin });
      return { token: unwrap(parseToken(secret)), at };
    } catch (error) {
      if (!isCausewayError(error) || error.kind !== 'unavailable' || systemClock.now() > end) throw error;
      await systemClock.sleep(pause);
    } finally {
      client.close();
    }
  }
}

async function becomeMember({ name, dataDir, hosts, role }: NewMember, token: JoinToken, at: string): Promise<void> {
  const home = new DirectoryHome({
    directory: identityDirectory(dataDir),
    ...(role === 'manager' && { sealingKey: join(dataDir, 'sealing-key.json') }),
  });
  const parts = { knock: grpcKnock(systemClock), home, createKey, clock: systemClock, random: cryptoRandom };
  await enroll(parts, { token, addresses: [at], name: name as Name, hosts }, new AbortController().signal);
}
