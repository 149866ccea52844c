import {
  type Authority,
  admit,
  type Credential,
  checkClock,
  checkRequest,
  createToken,
  digestOf,
  formatCertificates,
  formatPeer,
  hashSecret,
  hasPin,
  issueNode,
  issueRoot,
  type JoinToken,
  nameOf,
  type Pin,
  parsePeerName,
  pinOf,
  publicKeyFor,
  type Role,
  type TokenRecord,
  tokenBytes,
} from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { CausewayError, type ClusterId, type NodeId, unwrap } from '@causeway/model';
import {
  type GetTrustResponse,
  type JoinRequest,
  JoinResponse,
} from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { type Clock, minutes, type Random, randomId } from '@causeway/runtime';
import type { Door, Knock, Limits } from '../door.ts';

/** What is wrong at an address. `lost`: the call is carried out, and its answer does not arrive. */
export type Fault = 'closed' | 'silent' | 'electing' | 'lost';

/** Managers of one cluster in this process, which admit joiners as real managers do. */
export class MemoryManagers {
  readonly cluster: ClusterId;
  readonly #authority: Authority;
  readonly #parts: { readonly clock: Clock; readonly random: Random };
  readonly #addresses: readonly string[];
  readonly #tokens = new Map<string, TokenRecord>();
  readonly #answers = new Map<string, { readonly content: string; readonly answer: JoinResponse }>();
  readonly #faults = new Map<string, Fault>();
  /** "join 10.0.0.1:7443": the calls that were carried out. */
  readonly calls: string[] = [];
  /** "agent/7c0e…": members that were removed. */
  readonly removed = new Set<string>();
  /** How far the managers' clock is ahead, ms. */
  ahead = 0;

  constructor(
    parts: { readonly clock: Clock; readonly random: Random },
    addresses: readonly string[] = ['10.0.0.1:7443'],
    cluster = '0123456789abcdef' as ClusterId,
  ) {
    this.#parts = parts;
    this.#addresses = addresses;
    this.cluster = cluster;
    const key = createKey();
    this.#authority = { key, certificate: issueRoot(cluster, key, { now: parts.clock.wall(), random: parts.random }) };
  }

  createToken(role: Role, uses = 1): JoinToken {
    const { clock, random } = this.#parts;
    const token = createToken({ role, pin: this.pin }, random.bytes(tokenBytes));
    const expires = clock.wall() + minutes(60);
    this.#tokens.set(token.id, { id: token.id, role, hash: hashSecret(token), uses, used: 0, expires });
    return token;
  }

  /** The pin in all tokens. */
  get pin(): Pin {
    return pinOf(this.#authority.certificate);
  }

  /** With what a manager proves its name. */
  managerCredential(): Credential {
    const key = createKey();
    const name = unwrap(parsePeerName(`spiffe://${this.cluster}/manager/m1`));
    const holder = { name, key: publicKeyFor(key) };
    const certificate = issueNode(this.#authority, holder, { now: this.#now, random: this.#parts.random });
    return { key, chain: [certificate], trust: [this.#authority.certificate] };
  }

  /** How often a token was used. */
  used({ id }: JoinToken): number {
    return this.#tokens.get(id)?.used ?? 0;
  }

  fault(address: string, fault: Fault | undefined): void {
    if (fault === undefined) this.#faults.delete(address);
    else this.#faults.set(address, fault);
  }

  readonly knock: Knock = (address, by): Door => {
    const call = async <Answer>(name: string, limits: Limits, carryOut: () => Answer): Promise<Answer> => {
      const fault = this.#addresses.includes(address) ? this.#faults.get(address) : 'closed';
      if (fault === 'closed') throw new CausewayError('manager-unavailable', `connect ECONNREFUSED ${address}`);
      if (fault === 'silent') return await this.#timeOut(limits);
      if ('chain' in by) this.#checkMember(formatPeer(nameOf(by)));
      else if (!hasPin(this.#authority.certificate, by))
        throw new CausewayError('ca-mismatch', 'this manager belongs to another cluster than the token');
      if (fault === 'electing' && name === 'join') throw new CausewayError('not-leader', 'the managers elect a leader');
      this.calls.push(`${name} ${address}`);
      const answer = carryOut();
      return fault === 'lost' && name === 'join' ? await this.#timeOut(limits) : answer;
    };
    return {
      getTrust: (_request, limits) => call('getTrust', limits, () => this.#trust()),
      join: (request, limits) => call('join', limits, () => this.#join(request)),
      close: () => undefined,
    };
  };

  #checkMember(peer: string): void {
    const code = peer.startsWith('manager/') ? 'manager-removed' : 'node-removed';
    if (this.removed.has(peer)) throw new CausewayError(code, `${peer} was removed from the cluster`);
  }

  async #timeOut({ timeout, signal }: Limits): Promise<never> {
    await this.#parts.clock.sleep(timeout, signal);
    throw new CausewayError('timed-out', 'no answer in time');
  }

  #trust(): GetTrustResponse {
    const timeMs = BigInt(Math.trunc(this.#now));
    return { clusterId: this.cluster, roots: this.#roots, timeMs, caGeneration: 1, removedManagers: [], managers: [] };
  }

  #join(request: JoinRequest): JoinResponse {
    const { requestId, tokenId, tokenSecret, certificateRequest, name, nodeId, timeMs } = request;
    const content = [tokenId, name, nodeId, digestOf(certificateRequest)].join(' ');
    const before = this.#answers.get(requestId);
    if (before !== undefined && before.content !== content)
      throw new CausewayError('request-reused', 'the request id belongs to another request');
    if (before !== undefined) return before.answer;
    const record = unwrap(admit(this.#tokens.get(tokenId), { id: tokenId as never, secret: tokenSecret }, this.#now));
    unwrap(checkClock(Number(timeMs), this.#now));
    this.#tokens.set(tokenId, record);
    const node = (nodeId === '' ? randomId(this.#parts.random) : nodeId) as NodeId;
    const answer = this.#issue(request, record.role, record.role === 'agent' ? node : name);
    this.#answers.set(requestId, { content, answer });
    return answer;
  }

  #issue({ certificateRequest }: JoinRequest, role: Role, id: string): JoinResponse {
    const key = unwrap(checkRequest(certificateRequest));
    const name = unwrap(parsePeerName(`spiffe://${this.cluster}/${role}/${id}`));
    const certificate = issueNode(this.#authority, { name, key }, { now: this.#now, random: this.#parts.random });
    return JoinResponse.create({
      clusterId: this.cluster,
      role,
      id,
      chain: [formatCertificates([certificate])],
      roots: this.#roots,
      managers: [...this.#addresses],
      sealingKeyFile: role === 'manager' ? 'the sealing key\n' : '',
    });
  }

  get #roots(): string[] {
    return [formatCertificates([this.#authority.certificate])];
  }

  get #now(): number {
    return this.#parts.clock.wall() + this.ahead;
  }
}
