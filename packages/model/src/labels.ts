import { CausewayError } from './error.ts';
import { fail, ok, type Result } from './result.ts';
import { clip } from './visible.ts';

/** Notes of people and programs on an object, by which it can be selected. */
export type Labels = Readonly<Record<string, string>>;

/** With these limits a record stays far below the size limit of a transaction (etcd: 1.5 MiB). */
const most = 64;
const longestKey = 128;
const longestValue = 1_024;

const keyPattern = /^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$/;

export function isLabelKey(text: string): boolean {
  return text.length <= longestKey && keyPattern.test(text);
}

/** "key=value"; the value may be empty. */
export function parseLabel(text: string, field: string): Result<readonly [key: string, value: string], CausewayError> {
  const at = text.indexOf('=');
  if (at > 0) return ok([text.slice(0, at), text.slice(at + 1)]);
  const data = { field, value: clip(text) };
  return fail(new CausewayError('invalid-argument', `${field}: "${clip(text)}" is not KEY=VALUE`, data));
}

/** @throws CausewayError invalid-argument */
export function checkLabels(labels: Labels, field = 'labels'): void {
  const entries = Object.entries(labels);
  if (entries.length > most)
    throw refuse(field, `${field}: ${entries.length} labels are too many, the limit is ${most}`);
  for (const [key, value] of entries) {
    const one = `${field}.${clip(key)}`;
    if (!isLabelKey(key)) {
      const message = `label key "${clip(key)}" is not valid: expected 1 to ${longestKey} letters, digits, ".", "_", "/" or "-", beginning and ending with a letter or digit`;
      throw refuse(one, message);
    }
    if (value.length > longestValue) {
      throw refuse(one, `label "${key}" has ${value.length} characters, the limit is ${longestValue}`);
    }
    if (/\p{Cc}/u.test(value)) throw refuse(one, `label "${key}" has control characters: use printable text`);
  }
}

function refuse(field: string, message: string): CausewayError {
  return new CausewayError('invalid-argument', message, { field });
}
