import type { EventInput } from '../events/event-input.ts';
import { encodeText } from '../store/records/codec.ts';
import { type Intent, nothingToDo } from './intent.ts';

/** Records events that belong to no other write. `token` is unique, so a retry after a lost reply does not repeat them. */
export function recordEvents(events: readonly EventInput[], token: string): Intent<void> {
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
