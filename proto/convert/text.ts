import { CausewayError, clip, isVisible } from '@causeway/model';

/** Longest text that is accepted, characters. A path has at most 4,095 bytes, a selector some hundred. */
export const longestText = 16 * 1024;

/** Longest text of an agent's report about its kernel: a key or value of a repaired object, the text of an error. */
export const longestReport = 512;

/**
 * Returns the request unchanged if no text in it is too long or has invisible characters. Accepted text is stored, written
 * into events and logs, and printed on terminals.
 *
 * @throws CausewayError invalid-argument that names the field
 */
export function checkText<Message>(message: Message): Message {
  if (isFine(message, longestText)) return message;
  const fault = faultIn(message, '');
  if (fault === undefined) return message;
  const { field, why } = fault;
  throw new CausewayError('invalid-argument', `${clip(field, 128)} ${why}`, { field: clip(field, 128) });
}

/**
 * The same message with invisible characters escaped and each text cut to `length`: for reports, which must not be
 * refused.
 */
export function sanitized<Message>(message: Message, length = longestReport): Message {
  return isFine(message, length) ? message : (mapped(message, (text) => clip(text, length)) as Message);
}

/** Whether no text in the value is too long or has invisible characters. Almost every message is fine, and is not copied. */
function isFine(value: unknown, length: number): boolean {
  if (typeof value === 'string') return value.length <= length && isVisible(value);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true;
  if (Array.isArray(value)) return value.every((item) => isFine(item, length));
  for (const key in value) {
    if (!isFine(key, length) || !isFine((value as Record<string, unknown>)[key], length)) return false;
  }
  return true;
}

function faultIn(value: unknown, path: string): { readonly field: string; readonly why: string } | undefined {
  if (typeof value === 'string') {
    const field = path === '' ? 'request' : path;
    if (value.length > longestText)
      return { field, why: `has ${value.length} characters, the limit is ${longestText}` };
    return isVisible(value) ? undefined : { field, why: 'has control or invisible characters: use printable text' };
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

/** The value itself if nothing in it changes: nearly all reports are so, and managers get thousands each second. */
function mapped(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => mapped(item, change));
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(fields);
  const items = keys.map((key) => mapped(fields[key], change));
  const names = keys.map(change);
  if (keys.every((key, i) => names[i] === key && items[i] === fields[key])) return value;
  return Object.fromEntries(names.map((name, i) => [name, items[i]]));
}

/** The field's name in the .proto file. */
function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
