import { parseArgs } from 'node:util';
import type { ScaleSettings } from './scale.ts';

export const usage = `npm run bench [-- NAME…] [--json FILE] [--sessions N] [--networks N] [--endpoints-each N]
    measures everything, or what is named; --json writes the rows to a file for "compare"; the numbers are those of "scale":
    agents (1000), networks beside the one that all agents are on (0.9 for each agent), and endpoints on each of those (10)
npm run bench -- compare A.json B.json
    the rows of two files, each of B against A; "worse" is a row that is worse by more than a tenth`;

export type Command =
  | {
      readonly kind: 'measure';
      readonly names: readonly string[];
      readonly json?: string;
      readonly scale: ScaleSettings;
    }
  | { readonly kind: 'compare'; readonly files: readonly [string, string] };

/** Throws an error that says what is wrong with the arguments. */
export function readCommand(words: readonly string[], benches: readonly string[]): Command {
  const number = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { json: { type: 'string' }, sessions: number, networks: number, 'endpoints-each': number },
  });
  const [first, ...rest] = positionals;
  if (first === 'compare') {
    const [before, after, ...more] = rest;
    if (before === undefined || after === undefined || more.length > 0) throw new Error('compare takes two files');
    return { kind: 'compare', files: [before, after] };
  }
  const unknown = positionals.filter((name) => !benches.includes(name));
  if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}; there are ${benches.join(', ')}`);
  const sessions = count('--sessions', values.sessions) ?? 1000;
  const scale = {
    sessions,
    networks: count('--networks', values.networks) ?? Math.round(0.9 * sessions),
    endpointsEach: count('--endpoints-each', values['endpoints-each']) ?? 10,
  };
  return { kind: 'measure', names: positionals, scale, ...(values.json === undefined ? {} : { json: values.json }) };
}

function count(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new Error(`${flag} "${text}" is not a whole number from 1 to 999999`);
}
