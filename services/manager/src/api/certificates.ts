import {
  checkNodeLife,
  deriveBytes,
  digestOf,
  formatCertificates,
  formatSealingKeyFile,
  formatToken,
  type JoinToken,
  parseUnlockKey,
  type Role,
  type SealingKey,
  sourceOf,
  tokenBytes,
  createToken as tokenOf,
} from '@causeway/identity';
import {
  CausewayError,
  isCausewayError,
  type NodeId,
  parseName,
  parseReference,
  parseRequestId,
  type RequestId,
  unwrap,
} from '@causeway/model';
import type {
  CreateTokenRequest,
  CreateTokenResponse,
  GetTrustRequest,
  GetTrustResponse,
  JoinRequest,
  JoinResponse,
  ListTokensRequest,
  ListTokensResponse,
  RenewRequest,
  RenewResponse,
  RevokeOperatorRequest,
  RevokeOperatorResponse,
  RevokeTokenRequest,
  RevokeTokenResponse,
  RotateCaRequest,
  RotateCaResponse,
  SetAutolockRequest,
  SetAutolockResponse,
  SetCertificateLifeRequest,
  SetCertificateLifeResponse,
  ShowCaRequest,
  ShowCaResponse,
  Token,
  UnlockRequest,
  UnlockResponse,
} from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { milliseconds, randomId } from '@causeway/runtime';
import type { CallContext } from '../call/context.ts';
import { formatIdentity, type Identity } from '../call/identity.ts';
import { RateLimit } from '../call/rate-limit.ts';
import type { Custody } from '../cluster/ca/custody.ts';
import { Issuer } from '../cluster/ca/issuer.ts';
import { removedManagers } from '../feed/removed-managers.ts';
import { setAutolock } from '../plan/autolock.ts';
import { setCertificateLife } from '../plan/certificate-life.ts';
import { inField } from '../plan/fields.ts';
import type { Issued, Member } from '../plan/issued.ts';
import { admitJoiner, type Join, type JoinFacts, joinCluster } from '../plan/join.ts';
import { readJoin } from '../plan/join-requests.ts';
import { renewCertificate } from '../plan/renew.ts';
import { revokeOperator } from '../plan/revoke-operator.ts';
import { createToken, pinOfTokens, readCreateToken, readTokenId, revokeToken, revokeTokensOf } from '../plan/tokens.ts';
import type { StoredToken } from '../store/records/token.ts';
import { rotateCa, showCa } from './ca.ts';
import { knownManagers } from './managers.ts';
import type { ApiContext } from './modules.ts';

/**
 * A thousand hosts that are installed together join within ten seconds, and a machine with 200 hosts in it at once. A joiner that
 * is refused tries again by hand: so of one source at most 20 refusals at once and one per second, and of all sources 200 and 50
 * per second. To guess a secret of 128 bits is hopeless at any rate; the limits keep strangers from using up the leader's time.
 */
const joinLimits = {
  perSource: { burst: 200, perSecond: 10, refused: 10 },
  inAll: { burst: 400, perSecond: 100, refused: 2 },
};
/**
 * A member renews at half of its certificate's life, at the earliest after half an hour, and when the CA changes. In a rotation,
 * thousands of members renew within a minute. The limits keep a member from filling the store, and from having thousands of
 * certificates.
 */
const renewalLimits = {
  perSource: { burst: 10, perSecond: 1 / 60, refused: 1 },
  inAll: { burst: 1_000, perSecond: 200, refused: 1 },
};

export class CertificatesApi {
  readonly #context: ApiContext;
  readonly #issuer: Issuer;
  readonly #joins: RateLimit;
  readonly #renewals: RateLimit;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#issuer = new Issuer(context.modules);
    this.#joins = new RateLimit(context.modules.clock, joinLimits);
    this.#renewals = new RateLimit(context.modules.clock, renewalLimits);
  }

  getTrust(_request: GetTrustRequest, { peer }: CallContext): Promise<GetTrustResponse> {
    const { clock, view } = this.#context.modules;
    const { id: clusterId } = this.#context.haveRead();
    const { generation } = this.#issuer.ca.value;
    const timeMs = BigInt(Math.trunc(clock.wall()));
    return Promise.resolve({
      clusterId,
      roots: this.#roots,
      timeMs,
      caGeneration: generation,
      removedManagers: removedManagers(view),
      // A stranger may be here: tokens are not asked for yet.
      managers: peer.kind === 'joiner' ? [] : this.#addresses,
    });
  }

  async join(message: JoinRequest, call: CallContext): Promise<JoinResponse> {
    const source = sourceOfCall(call.peer);
    this.#joins.take(source);
    try {
      return await this.#join(message, call);
    } catch (error) {
      if (isCausewayError(error) && error.kind !== 'unavailable') this.#joins.refused(source);
      throw error;
    }
  }

  async #join(message: JoinRequest, call: CallContext): Promise<JoinResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(message.requestId));
    const { random, writer } = this.#context.modules;
    const join = readJoin(message, randomId(random) as NodeId);
    const facts = this.#facts();
    const issued = await this.#issueFor(join, message, facts, call);
    const { reply } = await writer.write(id, joinCluster(join, issued, facts), call);
    return {
      clusterId: this.#context.haveRead().id,
      role: reply.role,
      id: reply.id,
      chain: [reply.chain],
      roots: this.#roots,
      managers: this.#addresses,
      sealingKeyFile: reply.role === 'manager' ? this.#sealingKeyFile() : '',
    };
  }

  async renew({ requestId, certificateRequest: request }: RenewRequest, call: CallContext): Promise<RenewResponse> {
    this.#context.leading();
    this.#renewals.take(formatIdentity(call.peer));
    const id = unwrap(parseRequestId(requestId));
    const to = memberOf(call.peer);
    const { view, writer } = this.#context.modules;
    const hosts = view.records('certificate').get(to)?.value.hosts ?? [];
    const issued = await this.#issuer.issue({ to, request, hosts }, call.signal);
    const { reply } = await writer.write(id, renewCertificate(to, issued, digestOf(request)), call);
    return { chain: [reply.chain], roots: this.#roots };
  }

  async createToken(request: CreateTokenRequest, call: CallContext): Promise<CreateTokenResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(request.requestId));
    const asked = readCreateToken(request);
    const [token, ...earlier] = this.#newTokens(id, asked.role);
    const intent = createToken(asked, token, formatIdentity(call.peer));
    const { reply } = await this.#context.modules.writer.write(id, intent, call);
    // A call that is repeated may have been carried out when the managers had another sealing key.
    const created = [token, ...earlier].find((each) => each.id === reply.id) ?? token;
    return { token: tokenMessage(reply), secret: formatToken(created) };
  }

  listTokens(_request: ListTokensRequest, _call: CallContext): Promise<ListTokensResponse> {
    this.#context.haveRead();
    const all = [...this.#context.modules.view.records('token').all.values()].map(({ value }) => value);
    return Promise.resolve({ tokens: all.sort((a, b) => b.created - a.created).map(tokenMessage) });
  }

  async revokeToken(request: RevokeTokenRequest, call: CallContext): Promise<RevokeTokenResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(request.requestId));
    const { reply } = await this.#context.modules.writer.write(id, revokeToken(readTokenId(request)), call);
    return { token: tokenMessage(reply) };
  }

  async showCa(_request: ShowCaRequest, _call: CallContext): Promise<ShowCaResponse> {
    this.#context.haveRead();
    return showCa(this.#context, this.#issuer);
  }

  async setCertificateLife(
    { requestId, lifeMs }: SetCertificateLifeRequest,
    call: CallContext,
  ): Promise<SetCertificateLifeResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(requestId));
    const life = inField('life_ms', checkNodeLife(milliseconds(Number(lifeMs))));
    await this.#context.modules.writer.write(id, setCertificateLife(life), call);
    return {};
  }

  async setAutolock({ requestId, enabled }: SetAutolockRequest, call: CallContext): Promise<SetAutolockResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(requestId));
    const intent = setAutolock(enabled ? this.#issuer.autolock(id) : undefined, formatIdentity(call.peer));
    const { reply } = await this.#context.modules.writer.write(id, intent, call);
    return { unlockKey: reply === '' ? '' : this.#issuer.unlockKey(reply) };
  }

  /** Unlocks this manager only: each has to be unlocked after its start. */
  async unlock({ unlockKey }: UnlockRequest, _call: CallContext): Promise<UnlockResponse> {
    const key = unwrap(parseUnlockKey(unlockKey));
    this.#custody.unlock(key);
    return {};
  }

  rotateCa(request: RotateCaRequest, call: CallContext): AsyncGenerator<RotateCaResponse, void> {
    return rotateCa(this.#context, this.#issuer, request, call);
  }

  async revokeOperator(request: RevokeOperatorRequest, call: CallContext): Promise<RevokeOperatorResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(request.requestId));
    const name = unwrap(parseName(unwrap(parseReference(request.name, 'name'))));
    const { writer } = this.#context.modules;
    await writer.write(id, revokeOperator(name), call);
    const { actor, peer, method, signal } = call;
    const change = { actor, peer, method, signal, cause: id };
    for (let more = true; more; ) more = (await writer.apply(revokeTokensOf(name), change)).reply;
    return {};
  }

  /**
   * Undefined: the joiner is refused. The refusal is given by the plan, because a retry of a call that succeeded is refused
   * here, too, and has an answer in the store. Only a stranger is refused at once.
   */
  async #issueFor(
    join: Join,
    { certificateRequest: request, addresses: hosts }: JoinRequest,
    facts: JoinFacts,
    { signal }: CallContext,
  ): Promise<Issued | undefined> {
    let to: Member;
    try {
      to = admitJoiner(this.#context.modules.view, join, facts).to;
    } catch (error) {
      if (!isCausewayError(error) || error.code === 'token-refused') throw error;
      return undefined;
    }
    return await this.#issuer.issue({ to, request, hosts: to.role === 'manager' ? hosts : [] }, signal);
  }

  #facts(): JoinFacts {
    const { clock, feed } = this.#context.modules;
    const isAwaited = (node: NodeId): boolean => feed.progress.isAwaited(node, clock.now());
    return { now: clock.wall(), hasSession: (node) => feed.isReady(node), isAwaited };
  }

  /** The same token for the same request id: only its hash is stored, so a repeated call could not show it otherwise. */
  #newTokens(id: RequestId, role: Role): readonly [JoinToken, ...JoinToken[]] {
    const context = { cluster: this.#context.haveRead().id, purpose: `join token ${id}` };
    const pin = pinOfTokens(this.#issuer.ca.value);
    const from = (key: SealingKey): JoinToken => tokenOf({ role, pin }, deriveBytes(key, context, tokenBytes));
    return [from(this.#issuer.sealingKey), ...this.#issuer.sealingKeys.map(from)];
  }

  #sealingKeyFile(): string {
    return formatSealingKeyFile(this.#custody.file);
  }

  get #custody(): Custody {
    const { custody } = this.#context.modules;
    if (custody !== undefined) return custody;
    throw new CausewayError('capability-missing', 'this manager has no sealing key');
  }

  get #roots(): string[] {
    return this.#issuer.ca.value.roots.map((root) => formatCertificates([root]));
  }

  get #addresses(): string[] {
    const { name, address, schema } = this.#context.settings;
    return knownManagers(this.#context.modules.view, { name, address, schema }).map((known) => known.address);
  }
}

/** By what a caller's calls are counted. */
function sourceOfCall(peer: Identity): string {
  return peer.kind === 'joiner' ? sourceOf(peer.address) : formatIdentity(peer);
}

/** @throws CausewayError permission-denied */
function memberOf(peer: Identity): Member {
  switch (peer.kind) {
    case 'agent':
      return { role: 'agent', id: peer.node };
    case 'manager':
    case 'operator':
      return { role: peer.kind, id: peer.name };
    default:
      throw new CausewayError('permission-denied', 'only a member of the cluster with a certificate can renew it');
  }
}

function tokenMessage({ id, role, uses, used, created, by, name = '', expires, revoked = 0 }: StoredToken): Token {
  const times = { expiresMs: BigInt(expires), revokedMs: BigInt(revoked), createdMs: BigInt(created) };
  return { id, role, uses, used, by, name, ...times };
}
