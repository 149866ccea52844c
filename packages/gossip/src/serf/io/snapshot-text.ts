import { formatIp, parseIp } from '../../io/ip.ts';
import type { SnapshotRecord } from '../snapshot.ts';

// The text of serf's snapshot file: serf reads what is written here, and the reverse.

/** The line of a record; empty for a name that would break the lines. */
export function lineOf(record: SnapshotRecord): string {
  switch (record.type) {
    case 'alive': {
      const ip = formatIp(record.addr);
      const address = `${ip.includes(':') ? `[${ip}]` : ip}:${record.port}`;
      return isOneLine(record.name) ? `alive: ${record.name} ${address}\n` : '';
    }
    case 'not-alive':
      return isOneLine(record.name) ? `not-alive: ${record.name}\n` : '';
    case 'clock':
    case 'event-clock':
    case 'query-clock':
      return `${record.type}: ${record.time}\n`;
    case 'leave':
      return 'leave\n';
  }
}

function isOneLine(name: string): boolean {
  return !/[\r\n]/.test(name);
}

/** What the text says. Lines that say nothing are left out: the last line may be cut off. */
export function parseSnapshot(text: string): SnapshotRecord[] {
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): SnapshotRecord | undefined {
  if (line === 'leave') return { type: 'leave' };
  const [, name, bracketed, bare, port] = /^alive: (.+) (?:\[([^\]]+)\]|([^ :]+)):(\d{1,5})$/.exec(line) ?? [];
  if (name !== undefined) {
    const addr = parseIp(bracketed ?? bare ?? '');
    const number = Number(port);
    return addr === undefined || number > 0xff_ff ? undefined : { type: 'alive', name, addr, port: number };
  }
  const [, gone] = /^not-alive: (.+)$/.exec(line) ?? [];
  if (gone !== undefined) return { type: 'not-alive', name: gone };
  const [, type, digits] = /^(clock|event-clock|query-clock): (\d{1,15})$/.exec(line) ?? [];
  if (type === 'clock' || type === 'event-clock' || type === 'query-clock') return { type, time: Number(digits) };
  return undefined;
}
