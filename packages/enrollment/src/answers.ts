import {
  type Credential,
  checkClock,
  formatIdentity,
  formatPeer,
  hasPin,
  type JoinToken,
  type PeerName,
  type Pin,
  type PrivateKey,
  parseIdentity,
  parseTrustBundle,
  readCertificates,
  type TrustBundle,
  verifyPeer,
} from '@causeway/identity';
import {
  CausewayError,
  type ClusterId,
  clip,
  fail,
  ok,
  parseClusterId,
  type Result,
  readManagerAddresses,
} from '@causeway/model';
import type { GetTrustResponse, JoinResponse } from '@causeway/proto/gen/causeway/v1/certificate_service.js';

/** What a manager says about its cluster, checked. */
export interface Trusted {
  readonly cluster: ClusterId;
}

/** `now`: Unix ms, by the clock of this host. */
export function readTrust(answer: GetTrustResponse, pin: Pin, now: number): Result<Trusted, CausewayError> {
  const cluster = parseClusterId(answer.clusterId);
  if (!cluster.ok) return cluster;
  const roots = pinned(answer.roots, pin);
  if (!roots.ok) return roots;
  const clock = checkClock(now, Number(answer.timeMs));
  return clock.ok ? ok({ cluster: cluster.value }) : clock;
}

/** What became of the joiner, checked. */
export interface Joined {
  readonly name: PeerName;
  readonly credential: Credential;
  readonly managers: readonly string[];
  readonly sealingKeyFile: string;
}

interface Asked {
  readonly token: Pick<JoinToken, 'role' | 'pin'>;
  readonly key: PrivateKey;
  readonly cluster: ClusterId;
  readonly now: number;
}

/** The manager has proved its name, so a wrong answer is a defect. It must not be kept all the same. */
export function readJoined(answer: JoinResponse, { token, key, cluster, now }: Asked): Result<Joined, CausewayError> {
  const trust = pinned(answer.roots, token.pin);
  if (!trust.ok) return trust;
  const chain = readCertificates(answer.chain.join(''));
  if (!chain.ok) return chain;
  const peer = verifyPeer(chain.value, { cluster, roles: [token.role], trust: trust.value, now });
  if (!peer.ok) return peer;
  const { name } = peer.value;
  if (answer.role !== name.role || answer.id !== name.id)
    return wrong(
      `it calls this host ${clip(`${answer.role}/${answer.id}`)}, and the certificate is of ${formatPeer(name)}`,
    );
  const [own, ...others] = chain.value;
  if (own === undefined) return wrong('it has no certificate');
  const identity = parseIdentity(formatIdentity({ key, chain: [own, ...others] }));
  if (!identity.ok) return identity;
  const strange = answer.managers.find((address) => !hostPort.test(address));
  if (strange !== undefined) return wrong(`"${clip(strange)}" is not the address of a manager`);
  const { managers, sealingKeyFile } = answer;
  const credential = { ...identity.value, trust: trust.value };
  return ok({ name, credential, managers: readManagerAddresses(managers), sealingKeyFile });
}

/** The addresses go into a configuration file, so each is what it should be and nothing more. */
const hostPort = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):\d{1,5}$/;

function pinned(roots: readonly string[], pin: Pin): Result<TrustBundle, CausewayError> {
  const parsed = parseTrustBundle(roots.join(''));
  if (!parsed.ok || parsed.value.some((root) => hasPin(root, pin))) return parsed;
  const message = 'the CA that the token names is not among the CAs that the manager trusts; create a new token';
  return fail(new CausewayError('ca-mismatch', message));
}

function wrong(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('internal', `the manager's answer is wrong: ${why}`));
}
