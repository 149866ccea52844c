import { CausewayError, clip } from '@causeway/model';
import { type Duration, milliseconds, parseDuration } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { type CommandBuilder, command } from '../command.ts';
import type { HostPair, Slowness } from './faults.ts';
import type { Labs } from './labs.ts';

/** netem keeps what it delays: more than this is no slow link any more. */
const longestDelay = milliseconds(10_000);

const nameOption = (): Option => new Option('--name <name>', 'name of the lab').default('lab');

export function cut(labs: Labs): CommandBuilder {
  return command<{ readonly name: string; readonly a: string; readonly b: string }>({
    name: 'cut',
    summary: 'let nothing pass between two hosts',
    description: 'Both ways, IPv4 and IPv6, connections that stand included, until healed.',
    arguments: [new Argument('<a>', 'h1, h2, …'), new Argument('<b>', 'the other host')],
    options: [nameOption()],
    uses: ['output'],
    examples: ['causeway lab cut h1 h2'],
    async run({ input: { name, a, b } }) {
      await labs.cut(name, [a, b]);
      const text = `nothing passes between ${a} and ${b}`;
      return { value: { name, cut: [a, b] }, names: [a, b], table: { kind: 'line', text } };
    },
  });
}

export function heal(labs: Labs): CommandBuilder {
  return command<{ readonly name: string; readonly a?: string; readonly b?: string }>({
    name: 'heal',
    summary: 'end a cut, or all cuts and slowness',
    description: 'With two hosts, the cut between them; without, everything that "lab cut" and "lab slow" did.',
    arguments: [new Argument('[a]', 'h1, h2, …'), new Argument('[b]', 'the other host')],
    options: [nameOption()],
    uses: ['output'],
    examples: ['causeway lab heal h1 h2', 'causeway lab heal'],
    async run({ input: { name, a, b } }) {
      const pair = pairOf(a, b);
      await labs.heal(name, pair);
      const text = pair === undefined ? `lab ${name} is whole` : `${pair[0]} and ${pair[1]} reach each other`;
      return { value: { name, healed: pair ?? [] }, names: pair ?? [], table: { kind: 'line', text } };
    },
  });
}

export function slow(labs: Labs): CommandBuilder {
  return command<Slowness & { readonly name: string; readonly host: string }>({
    name: 'slow',
    summary: 'delay or lose packets of a host',
    description: 'Each way. Without options the host is as quick as before. A delay needs netem in the kernel.',
    arguments: [new Argument('<host>', 'h1, h2, …')],
    options: [
      nameOption(),
      new Option('--delay <duration>', 'added to every packet').default(0, '0ms').argParser(parseDelay),
      new Option('--loss <percent>', 'of the packets are lost').default(0).argParser(parseLoss),
    ],
    uses: ['output'],
    examples: ['causeway lab slow h2 --loss 5', 'causeway lab slow h2 --delay 20ms', 'causeway lab slow h2'],
    async run({ input: { name, host, delay, loss } }) {
      await labs.slow(name, host, { delay, loss });
      const quick = delay === 0 && loss === 0;
      const text = quick ? `${host} is as quick as before` : `${host} has ${printSlowness({ delay, loss })}, each way`;
      return { value: { name, host, delayMs: delay, loss }, names: [host], table: { kind: 'line', text } };
    },
  });
}

export function printSlowness({ delay, loss }: Slowness): string {
  return [...(delay > 0 ? [`${delay} ms delay`] : []), ...(loss > 0 ? [`${loss} % loss`] : [])].join(', ');
}

function pairOf(a: string | undefined, b: string | undefined): HostPair | undefined {
  if (a === undefined) return undefined;
  if (b !== undefined) return [a, b];
  throw new CausewayError(
    'invalid-argument',
    `"${clip(a)}" alone is no cut: name two hosts, or none to heal everything`,
  );
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

function invalid(field: string, text: string, right: string): CausewayError {
  return new CausewayError('invalid-argument', `${field}: "${clip(text)}" is not ${right}`, {
    field,
    value: clip(text),
  });
}
