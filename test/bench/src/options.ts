import { parseArgs } from 'node:util';
import type { ScaleSettings } from './scale.ts';

export const usage = `npm run bench                        runs all benches
npm run bench -- NAME… [OPTION…]     runs these benches
npm run bench -- compare A.json B.json
                                     compares the rows of B with those of A; marks rows that are worse by more than a tenth

  --json FILE           also writes the rows to FILE, for "compare"
  --sessions N          "scale", "comeback": agents (1000)
  --networks N          "scale": networks beside the network that all agents are on (0.9 for each agent)
  --endpoints-each N    "scale": endpoints in each of these networks (10)`;

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
  if (unknown.length > 0)
    throw new Error(`unknown bench ${unknown.map((name) => `"${name}"`).join(', ')}; known: ${benches.join(', ')}`);
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
