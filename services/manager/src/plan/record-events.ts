import type { Happening } from '../events/event-input.ts';
import { encodeText } from '../store/codec.ts';
import { type Intent, nothingToDo } from './intent.ts';

/** What is told of no write. `token` is its own: tried again after a lost reply, it is told once all the same. */
export function tell(events: readonly Happening[], token: string): Intent<void> {
  return {
    plan: ({ view, keys }) => {
      const { eventMark: mark } = view;
      if (mark?.text === token) return nothingToDo(undefined);
      const key = keys.eventMark;
      return {
        compares: [
          mark === undefined ? { kind: 'absent', key } : { kind: 'unchanged', key, modRevision: mark.revision },
        ],
        writes: [{ kind: 'put', key, value: encodeText(token) }],
        takes: [],
        events,
        reply: undefined,
      };
    },
  };
}
