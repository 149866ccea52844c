import type { Name } from '@causeway/model';
import type { View } from '../store/view.ts';

/**
 * The time, Unix ms, by which a leader deletes what has expired, and stops to wait for members whose certificates have expired.
 * `now`: the time by the leader's own clock. If the certificate of a manager that runs has expired at that time, the clock must be
 * ahead, because managers renew their certificates long before the end. Then the time is 0: nothing has expired. Otherwise a
 * clock that is a month ahead for a minute would end a rotation of the CA before the hosts have new certificates, forget who was
 * removed, and delete all events.
 */
export function expiryTime(view: View, now: number): number {
  for (const { value } of view.records('certificate').all.values())
    if (value.role === 'manager' && view.managers.has(value.id as Name) && value.expires <= now) return 0;
  return now;
}
