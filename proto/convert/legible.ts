import { CausewayError, clip, isVisible } from '@causeway/model';

/** No text that we take is longer: a path has 4,095 bytes at most, a selector some hundred. */
export const longestText = 16 * 1024;

/** Of what an agent says of its kernel: a key or a value of one thing that was repaired, the words of an error. */
export const longestReport = 512;

/**
 * A request as it was, when no text in it is too long or has characters that cannot be seen: what gets past here is stored,
 * written into events and logs, and printed on terminals.
 *
 * @throws CausewayError invalid-argument that names the field
 */
export function checkText<Message>(message: Message): Message {
  const fault = faultIn(message, '');
  if (fault === undefined) return message;
  const { field, why } = fault;
  throw new CausewayError('invalid-argument', `${clip(field, 128)} ${why}`, { field: clip(field, 128) });
}

/** The same message with each text spelled out and cut to `length`: for what is reported and must not be refused. */
export function legible<Message>(message: Message, length = longestReport): Message {
  return mapped(message, (text) => clip(text, length)) as Message;
}

function faultIn(value: unknown, path: string): { readonly field: string; readonly why: string } | undefined {
  if (typeof value === 'string') {
    const field = path === '' ? 'request' : path;
    if (value.length > longestText)
      return { field, why: `has ${value.length} characters: at most ${longestText} are taken` };
    return isVisible(value) ? undefined : { field, why: 'has characters that cannot be seen: give printable text' };
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      const fault = faultIn(item, `${path}[${i}]`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  for (const key in value) {
    const at = path === '' ? snake(key) : `${path}.${snake(key)}`;
    const fault =
      (isVisible(key) ? undefined : faultIn(key, at)) ?? faultIn((value as Record<string, unknown>)[key], at);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function mapped(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((item) => mapped(item, change));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), mapped(item, change)]));
}

/** As the field is called in the .proto file. */
function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
