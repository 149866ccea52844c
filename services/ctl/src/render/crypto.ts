import type {
  CryptoPair,
  GetCryptoStatusResponse,
  RotateKeysResponse,
} from '@causeway/proto/gen/causeway/v1/crypto_service.js';
import type { Answer, Cell, Heading, StreamPart } from '../answer.ts';
import { formatSpan, timeValue } from './time.ts';

const columns: readonly Heading[] = [
  { title: 'PAIR' },
  { title: 'SAS' },
  { title: 'GENERATIONS' },
  { title: 'AGE' },
  { title: 'ESN' },
  { title: 'REPLAY DROPS' },
  { title: 'PLAINTEXT DROPS' },
  { title: 'PROBLEM' },
];

export function cryptoAnswer({ pairs, nextRotationMs }: GetCryptoStatusResponse): Answer {
  return {
    value: { pairs: pairs.map(pairValue), nextRotation: timeValue(nextRotationMs) },
    names: pairs.map(({ a, b }) => `${a} ${b}`),
    table:
      pairs.length === 0
        ? { kind: 'line', text: 'no hosts share an encrypted network' }
        : { kind: 'grid', columns, rows: pairs.map(row) },
  };
}

/** For people, beside the table. */
export function nextRotation({ nextRotationMs }: GetCryptoStatusResponse, now: number): readonly string[] {
  if (nextRotationMs === 0n) return [];
  return [`the next host makes a new key in ${formatSpan(Number(nextRotationMs) - now)}`];
}

function newer(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** The generation is the newer one of the keys of both hosts. */
function pairValue({ a, b, sas, ageMs, esn, replayDrops, plaintextDrops, ...pair }: CryptoPair): object {
  return {
    a,
    b,
    generation: [pair.aGeneration, pair.bGeneration].reduce(newer),
    sasOk: sas === 'unknown' ? null : sas === 'ok',
    ageSeconds: ageMs / 1_000n,
    esn,
    replayDrops,
    plaintextDrops: plaintextDrops ?? null,
  };
}

function row({ a, b, sas, problem, ageMs, esn, replayDrops, plaintextDrops, ...pair }: CryptoPair): Cell[] {
  const hasSas = pair.aGeneration > 0n || pair.bGeneration > 0n;
  return [
    `${a} ${b}`,
    { text: sas, tone: sas === 'ok' ? 'good' : 'bad' },
    hasSas ? `${pair.aGeneration}, ${pair.bGeneration}` : '',
    hasSas ? formatSpan(Number(ageMs)) : '',
    hasSas ? (esn ? 'on' : { text: 'off', tone: 'bad' }) : '',
    String(replayDrops),
    plaintextDrops === undefined ? '' : String(plaintextDrops),
    problem,
  ];
}

export const keyRotationColumns: readonly Heading[] = [{ title: 'ROTATED', width: 9 }, { title: 'WAITING FOR' }];

export function keyRotationPart({ rotated, total, waiting, unreachable, done }: RotateKeysResponse): StreamPart {
  const isOver = done && rotated === total;
  const last: Cell = isOver ? { text: 'done', tone: 'good' } : waiting.join('; ');
  return {
    value: { rotated, total, waiting, unreachable, done },
    ...(isOver && { name: String(rotated) }),
    row: [`${rotated}/${total}`, last],
  };
}
