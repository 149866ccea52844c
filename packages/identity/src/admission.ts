import { timingSafeEqual } from 'node:crypto';
import { CausewayError, type ErrorCode, fail, ok, type Result } from '@causeway/model';
import type { Role } from './name.ts';
import { utf8 } from './text.ts';
import { formatTime } from './time.ts';
import { hashSecret, type JoinToken, type TokenId } from './token.ts';

/** What the cluster keeps of a join token. From it the token cannot be made. */
export interface TokenRecord {
  readonly id: TokenId;
  /** What the joiner becomes. */
  readonly role: Role;
  /** `hashSecret` of the token. */
  readonly hash: string;
  /** How many may join with it. */
  readonly uses: number;
  /** How many have joined. */
  readonly used: number;
  /** Unix ms. */
  readonly expires: number;
  /** Unix ms; absent: not revoked. */
  readonly revoked?: number;
}

/** Compared with when there is no record, so that an unknown id takes as long as a wrong secret. */
const noHash = '0'.repeat(64);

/**
 * Decides whether a host may join with a token, and returns the record after that. The secret is checked first, so that
 * only a holder of the token learns whether it was used, has expired or was revoked.
 */
export function admit(
  record: TokenRecord | undefined,
  token: Pick<JoinToken, 'id' | 'secret'>,
  now: number,
): Result<TokenRecord, CausewayError> {
  const isRight = timingSafeEqual(utf8(record?.hash ?? noHash), utf8(hashSecret(token)));
  if (record === undefined || !isRight)
    return refuse('token-refused', 'does not exist in this cluster; create a new token');
  if (record.revoked !== undefined)
    return refuse('token-revoked', `was revoked on ${formatTime(record.revoked)}; create a new token`);
  if (now >= record.expires)
    return refuse('token-expired', `expired on ${formatTime(record.expires)}; create a new token`);
  if (record.used >= record.uses)
    return refuse('token-used', `was used ${times(record.used)}, as often as it may be; create a new token`);
  return ok({ ...record, used: record.used + 1 });
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function refuse(code: ErrorCode, why: string): Result<never, CausewayError> {
  return fail(new CausewayError(code, `the join token ${why}`));
}
