import {
  formatPeer,
  formatPin,
  hashSecret,
  type JoinToken,
  type Pin,
  parseRole,
  parseTokenId,
  pinOf,
  type Role,
  type TokenId,
} from '@causeway/identity';
import { CausewayError, type Name, parseName } from '@causeway/model';
import type { CreateTokenRequest, RevokeTokenRequest } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { type Duration, formatDuration, milliseconds, minutes } from '@causeway/runtime';
import { tokenCreated, tokenRevoked } from '../events/describe.ts';
import type { Ca } from '../store/records/ca.ts';
import { records } from '../store/records/index.ts';
import { token as kind, type StoredToken } from '../store/records/token.ts';
import type { Compare, Write } from '../store/store.ts';
import type { Versioned, View } from '../store/view.ts';
import { inField } from './fields.ts';
import { type Intent, nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';

export interface CreateToken {
  readonly role: Role;
  readonly uses: number;
  readonly life: Duration;
  /** The only name with which it may be used; absent: any. */
  readonly name?: Name;
}

const mostUses = 10_000;
const usualLife = minutes(60);
const shortestLife = minutes(1);
const longestLife = minutes(30 * 24 * 60);

/** @throws CausewayError invalid-argument with the field */
export function readCreateToken({ role, uses, ttlMs, name }: CreateTokenRequest): CreateToken {
  const life = ttlMs === 0n ? usualLife : milliseconds(Number(ttlMs));
  if (life < shortestLife || life > longestLife) {
    const message = `ttl_ms: a token may live from ${formatDuration(shortestLife)} to ${formatDuration(longestLife)}; ${formatDuration(life)} is outside`;
    throw new CausewayError('invalid-argument', message, { field: 'ttl_ms', value: life });
  }
  if (uses > mostUses)
    throw new CausewayError('invalid-argument', `uses: ${uses} is too much, the limit is ${mostUses}`, {
      field: 'uses',
      value: uses,
    });
  return {
    ...{ role: inField('role', parseRole(role)), uses: uses === 0 ? 1 : uses, life },
    ...(name !== '' && { name: inField('name', parseName(name)) }),
  };
}

export function readTokenId({ tokenId }: Pick<RevokeTokenRequest, 'tokenId'>): TokenId {
  return inField('token_id', parseTokenId(tokenId));
}

const outcome: Request<StoredToken>['outcome'] = { toJson: kind.codec.toJson, fromJson: kind.codec.fromJson };

/**
 * `token` follows from the request id and a key that all managers have, so a repeated call creates the same token. `by`: who
 * asks for it.
 */
export function createToken(asked: CreateToken, token: JoinToken, by: string): Request<StoredToken> {
  return {
    kind: 'token.create',
    // Another caller who knows the id, from an event, gets no secret by it.
    content: JSON.stringify({ ...asked, by }),
    outcome,
    plan: (planning) => planCreateToken(asked, token, by, planning),
  };
}

function planCreateToken(
  { role, uses, life, name }: CreateToken,
  token: JoinToken,
  by: string,
  { keys, clock }: Planning,
): Proposal<StoredToken> {
  const created = Math.trunc(clock.wall());
  const { id, pin } = token;
  const expires = created + life;
  const stored: StoredToken = {
    ...{ id, role, hash: hashSecret(token), pin: formatPin(pin), uses, used: 0, created, expires },
    by,
    ...(name !== undefined && { name }),
  };
  const key = keys.token(id);
  return {
    ...nothingToDo(stored),
    compares: [{ kind: 'absent', key }],
    writes: [{ kind: 'put', key, value: records.token.codec.encode(stored) }],
    events: [tokenCreated(stored)],
  };
}

/** @throws from its plan: token-unknown */
export function revokeToken(id: TokenId): Request<StoredToken> {
  return {
    kind: 'token.revoke',
    content: JSON.stringify({ id }),
    outcome,
    lane: laneOf(id),
    plan: (planning) => planRevokeToken(id, planning),
  };
}

function planRevokeToken(id: TokenId, { view, keys, clock }: Planning): Proposal<StoredToken> {
  const found = tokenOf(view, id);
  if (found === undefined) {
    const message = `there is no join token ${id}; "causeway node token list" shows all`;
    throw new CausewayError('token-unknown', message, { field: 'token_id', value: id });
  }
  if (found.value.revoked !== undefined) return nothingToDo(found.value, found.revision);
  const revoked = { ...found.value, revoked: Math.trunc(clock.wall()) };
  const key = keys.token(id);
  return {
    ...nothingToDo(revoked),
    compares: [{ kind: 'unchanged', key, modRevision: found.revision }],
    writes: [{ kind: 'put', key, value: records.token.codec.encode(revoked, found.original) }],
    events: [tokenRevoked(revoked)],
  };
}

/** Most tokens that one transaction revokes. */
const mostRevoked = 40;

/** Revokes tokens of an operator. Replies whether there are more. */
export function revokeTokensOf(operator: Name): Intent<boolean> {
  return {
    plan: (planning) => {
      const { compares, writes, more } = revocationsOf(operator, planning);
      return { ...nothingToDo(more), compares, writes };
    },
  };
}

/** So that nothing more joins with the tokens of an operator who is no operator any more. */
export function revocationsOf(
  operator: Name,
  { view, keys, clock }: Pick<Planning, 'view' | 'keys' | 'clock'>,
): { readonly compares: readonly Compare[]; readonly writes: readonly Write[]; readonly more: boolean } {
  const now = Math.trunc(clock.wall());
  const by = formatPeer({ role: 'operator', id: operator });
  const open = [...view.records('token').all.values()].filter(({ value }) => value.by === by && isOpen(value, now));
  const tokens = open.slice(0, mostRevoked);
  return {
    compares: tokens.map(({ value, revision }) => {
      return { kind: 'unchanged', key: keys.token(value.id), modRevision: revision };
    }),
    writes: tokens.map(({ value, original }) => {
      const revoked = { ...value, revoked: now };
      return { kind: 'put', key: keys.token(value.id), value: records.token.codec.encode(revoked, original) };
    }),
    more: open.length > tokens.length,
  };
}

/** Whether something may join with the token. */
function isOpen({ revoked, expires, used, uses }: StoredToken, now: number): boolean {
  return revoked === undefined && expires > now && used < uses;
}

/** Changes of one token are planned one after the other. */
export function laneOf(id: TokenId): string {
  return `token ${id}`;
}

export function tokenOf(view: View, id: TokenId): Versioned<StoredToken> | undefined {
  return view.records('token').get({ id });
}

/** The pin in new tokens: of the oldest root, since all managers' certificates lead to it, also while the CA rotates. */
export function pinOfTokens({ roots }: Pick<Ca, 'roots'>): Pin {
  const root = roots.at(-1);
  if (root === undefined) throw new TypeError('a bundle is never empty');
  return pinOf(root);
}
