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
  return Object.entries(value)
    .map(([key, each]) => `${key}=${print(each)}`)
    .join(' ');
}
