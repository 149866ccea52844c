import { CausewayError, clip } from '@causeway/model';
import type { Answer } from '../answer.ts';

/**
 * Sorts a list by a field of its JSON, "mtu" or "applied.have"; "-mtu": the largest first. Items with equal values keep
 * their order. Items without the field come last.
 * @throws CausewayError invalid-argument when no item has such a field
 */
export function sorted(answer: Answer, by: string | undefined): Answer {
  const { value, table, names } = answer;
  if (by === undefined || !Array.isArray(value) || table.kind !== 'grid' || value.length === 0) return answer;
  const descends = by.startsWith('-');
  const path = (descends ? by.slice(1) : by).split('.');
  const keys = value.map((item) => at(item, path));
  if (keys.every((key) => key === undefined)) throw unknownField(by, value[0]);
  const order = keys.map((_, i) => i).sort((a, b) => compare(keys[a], keys[b], descends ? -1 : 1));
  return {
    ...answer,
    value: order.map((i) => value[i]),
    names: order.flatMap((i) => names[i] ?? []),
    table: { ...table, rows: order.flatMap((i) => (table.rows[i] === undefined ? [] : [table.rows[i]])) },
  };
}

function at(item: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((now, key) => (isObject(now) && Object.hasOwn(now, key) ? now[key] : undefined), item);
}

function compare(a: unknown, b: unknown, direction: 1 | -1): number {
  const [hasA, hasB] = [a !== undefined && a !== null, b !== undefined && b !== null];
  if (!hasA || !hasB) return Number(hasB) - Number(hasA);
  const [x, y] = isNumeric(a) && isNumeric(b) ? [a, b] : [textOf(a), textOf(b)];
  return x === y ? 0 : x < y ? -direction : direction;
}

/** The text by which values are compared: the members of a list one after the other, labels as JSON. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  return isObject(value) ? JSON.stringify(value) : String(value);
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function unknownField(by: string, example: unknown): CausewayError {
  const known = isObject(example) ? Object.keys(example).join(', ') : '';
  const message = `--sort-by: there is no field "${clip(by)}"; fields are those of -o json: ${known}`;
  return new CausewayError('invalid-argument', message, { field: '--sort-by', value: clip(by) });
}
