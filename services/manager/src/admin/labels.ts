import { CausewayError, clip } from '@causeway/model';

/** With these a network's record stays far below what one transaction may weigh (etcd: 1.5 MiB). */
const most = 64;
const longestKey = 128;
const longestValue = 1_024;

/** @throws CausewayError invalid-argument */
export function checkLabels(labels: Readonly<Record<string, string>>): void {
  const entries = Object.entries(labels);
  if (entries.length > most) throw refuse('labels', `labels: ${entries.length} are too many, at most ${most}`);
  for (const [key, value] of entries) {
    const field = `labels.${clip(key)}`;
    if (key.length > longestKey || !/^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$/.test(key)) {
      const message = `label key "${clip(key)}" is not valid: 1 to ${longestKey} letters, digits, ".", "_", "/" or "-", first and last a letter or digit`;
      throw refuse(field, message);
    }
    if (value.length > longestValue) {
      throw refuse(field, `label "${key}" has ${value.length} characters, at most ${longestValue} are kept`);
    }
    if (/\p{Cc}/u.test(value)) throw refuse(field, `label "${key}" has control characters: use printable text`);
  }
}

function refuse(field: string, message: string): CausewayError {
  return new CausewayError('invalid-argument', message, { field });
}
