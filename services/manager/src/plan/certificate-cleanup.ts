import type { Keys } from '../store/keys.ts';
import type { Versioned } from '../store/records/kind.ts';
import type { Compare } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { expiryTime } from './expiry-time.ts';
import { type Intent, nothingToDo } from './intent.ts';

const day = 24 * 60 * 60 * 1_000;
/** How long, ms, a token is listed after its end, so that operators see why a host could not join. */
const tokenKept = day;
/** How long, ms, an expired certificate is listed: its host may be away, and still known by its name. */
const certificateKept = 30 * day;
/** Most records in one transaction. */
const most = 50;

/** Deletes records about certificates that have no effect any more. `now`: Unix ms. Replies with their number. */
export function cleanUpCertificates(now: number): Intent<number> {
  return {
    plan: ({ view, keys }) => {
      const over = overAt(view, keys, expiryTime(view, now)).slice(0, most);
      return {
        ...nothingToDo(over.length),
        compares: over,
        writes: over.map(({ key }) => ({ kind: 'delete', key })),
      };
    },
  };
}

function overAt(view: View, keys: Keys, now: number): readonly Extract<Compare, { kind: 'unchanged' }>[] {
  const over: Extract<Compare, { kind: 'unchanged' }>[] = [];
  const add = (key: string, { revision: modRevision }: Versioned<unknown>): void => {
    over.push({ kind: 'unchanged', key, modRevision });
  };
  for (const token of view.records('token').all.values()) {
    const { id, expires, revoked = expires } = token.value;
    if (Math.min(expires, revoked) + tokenKept <= now) add(keys.token(id), token);
  }
  for (const certificate of view.records('certificate').all.values()) {
    const { role, id, expires } = certificate.value;
    if (expires + certificateKept <= now) add(keys.certificate(role, id), certificate);
  }
  // A clock that is ahead by less than the life of certificates is not noticed, and must not bring a removed member back.
  const life = view.ca?.value.life ?? 0;
  for (const removal of view.records('removed').all.values()) {
    const { role, id, until } = removal.value;
    if (until + life <= now) add(keys.removed(role, id), removal);
  }
  return over;
}
