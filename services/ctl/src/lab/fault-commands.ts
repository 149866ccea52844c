import type { Labs, Slowness } from '@causeway/lab';
import { CausewayError, clip } from '@causeway/model';
import { type Duration, milliseconds, parseDuration } from '@causeway/runtime';
import { Option } from 'commander';
import { type CommandBuilder, command } from '../command.ts';
import { hostArgument, nameOption } from './options.ts';

/** netem keeps the packets that it delays. A delay above this limit is no longer a slow link. */
const longestDelay = milliseconds(10_000);

export function cut(labs: Labs): CommandBuilder {
  return command<{ readonly name: string; readonly a: string; readonly b?: string; readonly oneWay?: true }>({
    name: 'cut',
    summary: 'drop all packets between two hosts, or between a host and all others',
    description:
      'Drops packets in both directions (see --one-way), IPv4 and IPv6, also of open connections, until "lab heal". No connection is reset.',
    arguments: [hostArgument(labs, '<a>'), hostArgument(labs, '[b]', 'the other host; when absent, every other host')],
    options: [nameOption(labs), new Option('--one-way', 'drop only the packets that A sends')],
    uses: ['output'],
    examples: ['causeway lab cut h1 h2', 'causeway lab cut h1', 'causeway lab cut h1 h2 --one-way'],
    async run({ input: { name, a, b, oneWay = false } }) {
      const lab = await labs.open(name);
      await lab.cut({ a, ...(b === undefined ? {} : { b }), oneWay });
      const hosts = b === undefined ? [a] : [a, b];
      const other = b ?? 'every other host';
      const text = oneWay
        ? `packets from ${a} to ${other} are dropped`
        : `packets between ${a} and ${other} are dropped`;
      return { value: { name, cut: hosts, oneWay }, names: hosts, table: { kind: 'line', text } };
    },
  });
}

export function heal(labs: Labs): CommandBuilder {
  return command<{ readonly name: string; readonly a?: string; readonly b?: string }>({
    name: 'heal',
    summary: 'undo "lab cut" and "lab slow"',
    description:
      'With two hosts: removes the cuts between them. With one host: removes all cuts of that host. Without a host: removes all cuts, delays and losses of the lab.',
    arguments: [hostArgument(labs, '[a]'), hostArgument(labs, '[b]', 'the other host')],
    options: [nameOption(labs)],
    uses: ['output'],
    examples: ['causeway lab heal h1 h2', 'causeway lab heal h1', 'causeway lab heal'],
    async run({ input: { name, a, b } }) {
      const lab = await labs.open(name);
      await lab.heal(a, b);
      const hosts = [a, b].filter((host) => host !== undefined);
      const text =
        a === undefined ? `all links of lab ${name} work` : `${a} and ${b ?? 'every other host'} reach each other`;
      return { value: { name, healed: hosts }, names: hosts, table: { kind: 'line', text } };
    },
  });
}

export function slow(labs: Labs): CommandBuilder {
  return command<Slowness & { readonly name: string; readonly host: string }>({
    name: 'slow',
    summary: 'delay or drop packets of a host',
    description:
      'Applies to both directions. Without options, removes the delay and the loss of the host. A delay needs netem in the kernel. A packet that is dropped for its length causes no ICMP error, as on a path whose MTU is smaller than the hosts assume.',
    arguments: [hostArgument(labs)],
    options: [
      nameOption(labs),
      new Option('--delay <duration>', 'delay of each packet').default(0, '0ms').argParser(parseDelay),
      new Option('--loss <percent>', 'share of the packets to drop, in percent').default(0).argParser(parseLoss),
      new Option('--drop-above <bytes>', 'drop IP packets longer than this; 0: no limit')
        .default(0)
        .argParser(parseLength),
    ],
    uses: ['output'],
    examples: [
      'causeway lab slow h2 --loss 5',
      'causeway lab slow h2 --delay 20ms',
      'causeway lab slow h2 --drop-above 1400',
      'causeway lab slow h2',
    ],
    async run({ input: { name, host, delay, loss, dropAbove } }) {
      const slowness = { delay, loss, dropAbove };
      const lab = await labs.open(name);
      await lab.slow(host, slowness);
      const faults = printSlowness(slowness);
      const text = faults === '' ? `${host} has no delay and no loss` : `${host} has ${faults}, in both directions`;
      return { value: { name, host, delayMs: delay, loss, dropAbove }, names: [host], table: { kind: 'line', text } };
    },
  });
}

export function printSlowness({ delay, loss, dropAbove }: Slowness): string {
  return [
    ...(delay > 0 ? [`${delay} ms delay`] : []),
    ...(loss > 0 ? [`${loss} % loss`] : []),
    ...(dropAbove > 0 ? [`nothing above ${dropAbove} bytes`] : []),
  ].join(', ');
}

function parseDelay(text: string): Duration {
  const delay = parseDuration(text);
  if (delay !== undefined && delay <= longestDelay) return delay;
  throw invalid('--delay', text, 'a duration up to 10s, such as 20ms');
}

function parseLoss(text: string): number {
  const loss = Number(text);
  if (/^\d{1,3}(\.\d{1,4})?$/.test(text) && loss <= 100) return loss;
  throw invalid('--loss', text, 'a number of percent from 0 to 100, such as 5');
}

/**
 * Limits of --drop-above, bytes. With less than every IPv4 host must accept (RFC 791 §3.2), nothing would pass. No IP
 * packet is longer than the upper limit.
 */
const lengths = { least: 576, most: 65_535 };

function parseLength(text: string): number {
  const length = Number(text);
  if (/^\d{1,5}$/.test(text) && (length === 0 || (length >= lengths.least && length <= lengths.most))) return length;
  throw invalid('--drop-above', text, `a number of bytes from ${lengths.least} to ${lengths.most}, or 0 for no limit`);
}

function invalid(field: string, text: string, right: string): CausewayError {
  return new CausewayError('invalid-argument', `${field}: "${clip(text)}" is not ${right}`, {
    field,
    value: clip(text),
  });
}
