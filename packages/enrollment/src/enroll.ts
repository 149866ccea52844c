import { createRequest, formatPeer, formatPin, type JoinToken, type PrivateKey } from '@causeway/identity';
import { CausewayError, isCausewayError, type Name, type RequestId, type Result, unwrap } from '@causeway/model';
import { JoinRequest, type JoinResponse } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { type Backoff, type Clock, delays, milliseconds, type Random, randomUuid, seconds } from '@causeway/runtime';
import { type Joined, readJoined, readTrust, type Trusted } from './answers.ts';
import type { Door, Knock } from './door.ts';
import type { Attempt, Home, Membership } from './home.ts';
import { chooseManagers, type Heard, isOfAddress, remarksOn } from './reachable.ts';

export interface EnrollParts {
  readonly knock: Knock;
  readonly home: Home;
  readonly createKey: () => PrivateKey;
  readonly clock: Clock;
  readonly random: Random;
  /** Gets what a person should know although the join goes on. */
  readonly onRemark?: (remark: string) => void;
}

export interface Enrollment {
  readonly token: JoinToken;
  /** HOST:PORT of managers. */
  readonly addresses: readonly string[];
  /** Name of the host, the manager or the operator. */
  readonly name: Name;
  /** DNS names and IP addresses at which other managers reach the etcd of this manager. */
  readonly hosts?: readonly string[];
}

export interface Enrolled {
  readonly membership: Membership;
  /** The host had joined with this token before. */
  readonly wasMember: boolean;
}

/** A joiner says within five seconds which managers do not answer. */
const answerWithin = seconds(4);
/** The leader writes to etcd; a follower passes the call on. */
const joinWithin = seconds(10);
/** While managers elect a leader, each answers that there is none. An election takes a few seconds. */
const patience = seconds(30);
const pause: Backoff = { first: milliseconds(250), max: seconds(2), factor: 2 };

/**
 * Makes this host a member of a cluster, or finds that it is: with the same token and home, it may be called again at any time,
 * and the token is used once.
 * @throws CausewayError as `Join` of certificate_service.proto; node-removed and manager-removed: it was a member; ca-mismatch, clock-wrong, cluster-mismatch,
 * manager-unavailable and timed-out with the addresses
 */
export async function enroll(parts: EnrollParts, asked: Enrollment, signal: AbortSignal): Promise<Enrolled> {
  const present = await parts.home.read();
  if (present?.token === asked.token.id) {
    await checkPresent(parts, present, asked.addresses, signal);
    return { membership: present, wasMember: true };
  }
  const doors = asked.addresses.map((address) => ({ address, door: parts.knock(address, asked.token.pin) }));
  try {
    const managers = await findManagers(parts, asked, doors, signal);
    const [{ cluster }] = managers;
    if (present !== undefined) checkMove(present, cluster, asked);
    const attempt = await attemptAt(parts, asked);
    const answer = await askToJoin(parts, requestOf(asked, attempt, present), managers, signal);
    const wanted = { token: asked.token, key: attempt.key, cluster, now: parts.clock.wall() };
    const membership = membershipOf(unwrap(readJoined(answer, wanted)), asked);
    await parts.home.keep(membership);
    return { membership, wasMember: false };
  } finally {
    for (const { door } of doors) door.close();
  }
}

/** What is on the disk was true once. If no manager answers, that is all that is known. @throws CausewayError node-removed, manager-removed */
async function checkPresent(
  { knock, home, onRemark }: EnrollParts,
  { name }: Membership,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const credential = await home.credential();
  const ask = async (address: string): Promise<Heard<unknown>> => {
    const door = knock(address, credential);
    const outcome = await resultOf(door.getTrust({}, { timeout: answerWithin, signal }));
    door.close();
    return { address, outcome };
  };
  const heard = await Promise.all(addresses.map(ask));
  signal.throwIfAborted();
  for (const { outcome } of heard) {
    if (outcome.ok || !['node-removed', 'manager-removed'].includes(outcome.error.code)) continue;
    const way = name.role === 'operator' ? 'remove the context' : 'run "causeway leave"';
    const message = `${formatPeer(name)} was removed from the cluster ${name.cluster}: ${way} first, then join with a new token`;
    throw new CausewayError(outcome.error.code, message, { peer: formatPeer(name) });
  }
  if (heard.some(({ outcome }) => outcome.ok)) return;
  for (const remark of remarksOn(heard)) onRemark?.(remark);
  onRemark?.(`no manager has said whether ${formatPeer(name)} is still a member`);
}

type Opened = Trusted & { readonly address: string; readonly door: Door };

/** Asks all managers at once, so that an address that does not answer delays nothing but its own report. */
async function findManagers(
  { clock, onRemark }: EnrollParts,
  { token: { pin } }: Enrollment,
  doors: readonly { readonly address: string; readonly door: Door }[],
  signal: AbortSignal,
): Promise<readonly [Opened, ...Opened[]]> {
  const heard = await Promise.all(
    doors.map(async ({ address, door }): Promise<Heard<Trusted & { door: Door }>> => {
      const outcome = await resultOf(door.getTrust({}, { timeout: answerWithin, signal }));
      if (!outcome.ok) return { address, outcome };
      const trusted = readTrust(outcome.value, pin, clock.wall());
      return { address, outcome: trusted.ok ? { ok: true, value: { ...trusted.value, door } } : trusted };
    }),
  );
  signal.throwIfAborted();
  const [first, ...others] = unwrap(chooseManagers(heard));
  if (first === undefined) throw new TypeError('a choice is never empty');
  for (const remark of remarksOn(heard)) onRemark?.(remark);
  return [first, ...others];
}

/** A host is a member of one cluster, and what a manager has in etcd is under its name. */
function checkMove({ name: present }: Membership, cluster: string, { token: { role }, name }: Enrollment): void {
  const what = `this host is ${formatPeer(present)} of the cluster ${present.cluster}`;
  if (present.cluster !== cluster) {
    const message = `${what}, and the token is of the cluster ${cluster}: run "causeway leave" first`;
    throw new CausewayError('cluster-mismatch', message, { expected: present.cluster, actual: cluster });
  }
  if (role !== 'manager' || present.id === name) return;
  const message = `${what}: join with the name ${present.id}, or run "causeway leave" first`;
  throw new CausewayError('name-taken', message, { field: 'name', value: name });
}

/** The attempt that was begun and not finished, if there is one about the same; otherwise a new attempt, which is kept first. */
async function attemptAt({ home, createKey, random }: EnrollParts, asked: Enrollment): Promise<Attempt> {
  const { token, name, hosts = [] } = asked;
  const about = [token.id, formatPin(token.pin), name, ...hosts].join(' ');
  const begun = await home.attempt();
  if (begun?.about === about) return begun;
  const key = createKey();
  const attempt = { about, requestId: randomUuid(random) as RequestId, key, request: createRequest(key) };
  await home.keepAttempt(attempt);
  return attempt;
}

function requestOf({ token, name, hosts = [] }: Enrollment, attempt: Attempt, present?: Membership): JoinRequest {
  return JoinRequest.create({
    requestId: attempt.requestId,
    tokenId: token.id,
    tokenSecret: token.secret,
    certificateRequest: attempt.request,
    name,
    nodeId: token.role === 'agent' ? (present?.name.id ?? '') : '',
    addresses: token.role === 'manager' ? [...hosts] : [],
  });
}

/** Each manager in turn, and again while they may elect a leader. The request id makes this safe. */
async function askToJoin(
  { clock, random }: EnrollParts,
  request: JoinRequest,
  managers: readonly Opened[],
  signal: AbortSignal,
): Promise<JoinResponse> {
  const end = clock.now() + patience;
  for (const delay of delays(pause, random)) {
    const heard: Heard<JoinResponse>[] = [];
    for (const { address, door } of managers) {
      const timeMs = BigInt(Math.trunc(clock.wall()));
      const outcome = await resultOf(door.join({ ...request, timeMs }, { timeout: joinWithin, signal }));
      signal.throwIfAborted();
      if (outcome.ok) return outcome.value;
      if (!isOfAddress(outcome.error)) throw outcome.error;
      heard.push({ address, outcome });
    }
    if (clock.now() + delay >= end) unwrap(chooseManagers(heard));
    await clock.sleep(delay, signal);
  }
  throw new TypeError('delays never end');
}

function membershipOf({ name, credential, managers, sealingKeyFile }: Joined, { token, addresses }: Enrollment) {
  return {
    name,
    credential,
    token: token.id,
    managers: managers.length === 0 ? addresses : managers,
    ...(sealingKeyFile !== '' && { sealingKeyFile }),
  };
}

async function resultOf<Value>(work: Promise<Value>): Promise<Result<Value, CausewayError>> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    if (isCausewayError(error)) return { ok: false, error };
    throw error;
  }
}
