import type { Message } from '../wire/message.ts';
import type { StreamMessage } from '../wire/stream.ts';
import { hex } from './hex.ts';

/** One line for a message: bytes as hex digits. */
export function printMessage(message: Message | StreamMessage): string {
  const { type, ...fields } = message;
  return `${type} ${print(fields)}`;
}

function print(value: unknown): string {
  if (value instanceof Uint8Array) return value.length === 0 ? '-' : hex(value);
  if (Array.isArray(value)) return `[${value.map((each) => `{${print(each)}}`).join(' ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  // Most messages have no view, and leave it out on the wire too.
  const isShown = ([key, each]: [string, unknown]): boolean => key !== 'view' || (each as Uint8Array).length > 0;
  return Object.entries(value)
    .filter(isShown)
    .map(([key, each]) => `${key}=${print(each)}`)
    .join(' ');
}
