import { longestLife } from '@causeway/identity';
import type { Keys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import type { Versioned } from '../store/records/kind.ts';
import type { Removal } from '../store/records/removal.ts';
import type { Write } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { expiryTime } from './expiry-time.ts';
import { type Intent, nothingToDo } from './intent.ts';
import { isRotating } from './rotate-ca.ts';

const day = 24 * 60 * 60 * 1_000;
/** How long, ms, a token is listed after its end, so that operators see why a host could not join. */
const tokenKept = day;
/** How long, ms, an expired certificate is listed: its host may be away, and still known by its name. */
const certificateKept = 30 * day;
/** Most records in one transaction. */
const most = 50;

/** Deletes records about certificates that have no effect any more. `now`: Unix ms. Replies with the number of changed records. */
export function cleanUpCertificates(now: number): Intent<number> {
  return {
    plan: ({ view, keys }) => {
      const over = overAt(view, keys, expiryTime(view, now)).slice(0, most);
      return {
        ...nothingToDo(over.length),
        compares: over.map(({ write: { key }, modRevision }) => ({ kind: 'unchanged', key, modRevision })),
        writes: over.map(({ write }) => write),
      };
    },
  };
}

interface Over {
  readonly write: Write;
  readonly modRevision: bigint;
}

function overAt(view: View, keys: Keys, now: number): readonly Over[] {
  const over: Over[] = [];
  const remove = (key: string, { revision: modRevision }: Versioned<unknown>): void => {
    over.push({ write: { kind: 'delete', key }, modRevision });
  };
  for (const token of view.records('token').all.values()) {
    const { id, expires, revoked = expires } = token.value;
    if (Math.min(expires, revoked) + tokenKept <= now) remove(keys.token(id), token);
  }
  for (const certificate of view.records('certificate').all.values()) {
    const { role, id, expires } = certificate.value;
    if (expires + certificateKept <= now) remove(keys.certificate(role, id), certificate);
  }
  // A clock that is ahead by less than the life of certificates is not noticed, and must not bring a removed member back.
  const life = view.ca?.value.life ?? 0;
  for (const removal of view.records('removed').all.values()) {
    const { role, id, until, knownCa } = removal.value;
    const key = keys.removed(role, id);
    if (until + life > now) continue;
    if (knownCa === undefined) remove(key, removal);
    else if (isReplaced(knownCa, view))
      over.push({ write: { kind: 'put', key, value: byTime(removal, now) }, modRevision: removal.revision });
  }
  return over;
}

/** Whether no member trusts this generation of the CA any more. */
function isReplaced(generation: number, { ca }: View): boolean {
  return ca !== undefined && ca.value.generation > generation && !isRotating(ca.value);
}

/**
 * A removed manager cannot make itself a certificate any more. Members that have learned of the removal forget it when the manager
 * joins again, but by then there would be no record for them to learn from; so they are told before the record is deleted.
 */
function byTime({ value, original }: Versioned<Removal>, now: number): Uint8Array {
  const { role, id, at, reason } = value;
  return records.removed.codec.encode({ role, id, at: at + 1, until: now + longestLife, reason }, original);
}
