import { readdirSync, readFileSync } from 'node:fs';
import { feedVersions } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tables } from '../tables/tables.ts';
import { Host } from '../testing/host.ts';
import { MemoryFiles } from '../testing/memory-files.ts';
import { AbFile } from './ab-file.ts';
import { ClusterPositionFile } from './cluster-position.ts';
import { decodeFrame, encodeFrame, type Frame } from './frame.ts';
import { Ledger } from './ledger.ts';
import { Sandboxes } from './sandboxes.ts';

// What agents have written, in every former feed version (test/simulator/former) and in the present one, and what this
// agent makes of it: damaged at any byte, with fields that this agent does not know, or in a format newer than this
// agent.

type Contents = ReadonlyMap<string, Uint8Array>;

const former = new URL('../../../../test/simulator/former/', import.meta.url);
const recorded = readdirSync(former)
  .filter((name) => name.endsWith('.json'))
  .map((name): [string, Contents] => {
    const { ledgers } = JSON.parse(readFileSync(new URL(name, former), 'utf8')) as {
      ledgers: Record<string, string>[];
    };
    const files = Object.entries(ledgers.at(-1) ?? {});
    return [name, new Map(files.map(([file, hex]) => [file, Uint8Array.from(Buffer.from(hex, 'hex'))]))];
  });

async function written(): Promise<Contents> {
  const host = new Host();
  for (const network of ['blue', 'green']) host.manager.network(network, `10.${network.length}.0.0/16`);
  host.manager.peer('blue', 7);
  await host.start();
  await host.attach('blue', 'a1');
  await host.attach('green', 'a2');
  await host.settle(seconds(1));
  await host.clock.until(host.agent.stop(), seconds(60));
  return new Map(host.files.contents);
}

const fixtures = [...recorded, ['this version', await written()] as const];

/** What the ledger makes of a data directory, and what it logs. */
async function read(contents: Contents) {
  const files = new MemoryFiles();
  for (const [name, bytes] of contents) files.contents.set(name, bytes.slice());
  const clock = new FakeClock();
  const log = new MemoryLog();
  const tables = new Tables({ clock });
  await new Ledger({ files, clock, log, tables }, { feeds: feedVersions }).start();
  const held = new Map(Array.from(tables.all(), (table) => [`network-${table.network.id}`, table]));
  return { held, events: log.lines.map(({ event }) => event), files };
}

/** The bytes are compared as text, because a comparison byte by byte is slow. */
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const twin = (contents: Contents, kind: string): AbFile => {
  const files = new MemoryFiles();
  for (const [name, bytes] of contents) files.contents.set(name, bytes);
  return new AbFile({ files, log: new MemoryLog() }, { kind });
};

function frameOf(bytes: Uint8Array | undefined): Frame {
  const frame = decodeFrame(bytes ?? new Uint8Array());
  if (!frame.ok) throw frame.error;
  return frame.value;
}

const names = (contents: Contents, which: 'tables' | 'twins'): string[] =>
  [...contents.keys()].filter((name) => name.startsWith('network-') === (which === 'tables'));

function replaced(contents: Contents, name: string, change: (bytes: Uint8Array) => Uint8Array): Contents {
  return new Map([...contents, [name, change((contents.get(name) ?? new Uint8Array()).slice())]]);
}

const flipped = (at: number, mask: number) => (bytes: Uint8Array) => bytes.with(at, (bytes[at] ?? 0) ^ mask);
const inFormat = (format: number) => (bytes: Uint8Array) => {
  const end = bytes.indexOf(0x0a);
  const header = new TextDecoder().decode(bytes.subarray(0, end)).split(' ').with(1, String(format)).join(' ');
  return Uint8Array.of(...new TextEncoder().encode(header), ...bytes.subarray(end));
};
const repacked = (change: (payload: Uint8Array) => Uint8Array) => (bytes: Uint8Array) => {
  const frame = frameOf(bytes);
  return encodeFrame({ ...frame, payload: change(frame.payload) });
};

/** '1' ^ 3 is '2': the only damage to a byte that looks like the format of a newer agent. */
const masks = [1, 3, 128];
const formatAt = 'causeway-ledger '.length;

function* damages(bytes: Uint8Array): Generator<{ at: number; mask: number; looksNewer: boolean }> {
  for (let at = 0; at < bytes.length; at++)
    for (const mask of masks) yield { at, mask, looksNewer: at === formatAt && mask === 3 };
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

/** A field that no version has: its number, with a number or bytes as its value. */
const newField = fc
  .tuple(fc.integer({ min: 100, max: 500_000 }), fc.oneof(fc.nat(), fc.uint8Array({ maxLength: 40 })))
  .map(([number, value]) =>
    typeof value === 'number'
      ? [...varint(number * 8), ...varint(value)]
      : [...varint(number * 8 + 2), ...varint(value.length), ...value],
  );

/** The message with one more field, also in each message directly within it. */
function grown(message: Uint8Array, field: readonly number[]): Uint8Array {
  const out: number[] = [];
  let at = 0;
  const number = (): number => {
    for (let value = 0, shift = 1; ; shift *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  const nested = new Set([1, 4]); // Complete.network, Complete.endpoints
  while (at < message.length) {
    const start = at;
    const tag = number();
    if (tag % 8 === 0) number();
    else if (tag % 8 === 1) at += 8;
    else {
      const length = number();
      const content = message.subarray(at, at + length);
      at += length;
      if (nested.has(tag >>> 3)) {
        out.push(...varint(tag), ...varint(length + field.length), ...content, ...field);
        continue;
      }
    }
    out.push(...message.subarray(start, at));
  }
  return Uint8Array.from([...out, ...field]);
}

describe.each(fixtures)('a ledger of %s', (_, contents) => {
  it('is read whole, without a word', async () => {
    const { held, events } = await read(contents);
    expect([...held.keys()].sort()).toEqual(names(contents, 'tables').sort());
    expect(held.size).toBeGreaterThan(1);
    expect(events).toEqual([]);
  });

  it('with any one byte damaged loses that table only, and says so: no other content is ever read', async () => {
    const { held: whole } = await read(contents);
    for (const name of names(contents, 'tables')) {
      const others = new Map([...whole].filter(([other]) => other !== name));
      for (const { at, mask, looksNewer } of damages(contents.get(name) ?? new Uint8Array())) {
        const { held, events } = await read(replaced(contents, name, flipped(at, mask)));
        expect(events, `${name}, byte ${at}, ${mask}`).toEqual([
          looksNewer ? 'ledger.not-understood' : 'ledger.damaged',
        ]);
        expect(held).toEqual(others);
      }
    }
  });

  it('with any one byte of a twin damaged gives the other copy, or the newest where that is whole', async () => {
    for (const name of names(contents, 'twins')) {
      const kind = name.slice(0, -2);
      const copies = names(contents, 'twins').filter((other) => other.startsWith(`${kind}.`));
      const rest = copies.filter((other) => other !== name).map((other) => hex(frameOf(contents.get(other)).payload));
      for (const { at, mask, looksNewer } of damages(contents.get(name) ?? new Uint8Array())) {
        const loaded = twin(replaced(contents, name, flipped(at, mask)), kind).load();
        const outcome = await loaded.then(
          (payload) => hex(payload ?? new Uint8Array()),
          ({ code }: { code: string }) => code,
        );
        const expected = looksNewer ? 'data-too-new' : (rest[0] ?? 'data-damaged');
        expect(outcome, `${name}, byte ${at}, ${mask}`).toBe(expected);
      }
    }
  });

  it('with fields that this agent does not know is read as without them', async () => {
    const { held: whole } = await read(contents);
    await fc.assert(
      fc.asyncProperty(newField, fc.constantFrom(...names(contents, 'tables')), async (field, name) => {
        const { held, events } = await read(
          replaced(
            contents,
            name,
            repacked((payload) => grown(payload, field)),
          ),
        );
        expect(events).toEqual([]);
        expect(held).toEqual(whole);
      }),
    );
  });

  it('with keys that this agent does not know has the same position and containers, which keep theirs', async () => {
    const log = new MemoryLog();
    const filesOf = (changed: Contents): MemoryFiles => {
      const files = new MemoryFiles();
      for (const [name, bytes] of changed) files.contents.set(name, bytes);
      return files;
    };
    const containers = async (files: MemoryFiles): Promise<object[]> => {
      const sandboxes = new Sandboxes({ files, log });
      await sandboxes.load();
      return [...sandboxes.all()];
    };
    const key = fc.constantFrom('hostPort', 'zone', 'quota');
    const position = await new ClusterPositionFile({ files: filesOf(contents), log }).load();
    expect(position).toBeDefined();
    const known = await containers(filesOf(contents));
    expect(known.length).toBeGreaterThan(0);
    await fc.assert(
      fc.asyncProperty(key, fc.jsonValue(), async (added, value) => {
        const more = (payload: Uint8Array): Uint8Array => {
          const json = JSON.parse(new TextDecoder().decode(payload)) as object | object[];
          const one = (object: object): object => ({ ...object, [added]: value });
          return new TextEncoder().encode(JSON.stringify(Array.isArray(json) ? json.map(one) : one(json)));
        };
        let changed = contents;
        for (const name of names(contents, 'twins').filter((twin) => /^(identity|sandboxes)\./.test(twin)))
          changed = replaced(changed, name, repacked(more));
        const kept = JSON.parse(JSON.stringify(value)) as unknown;
        expect(await new ClusterPositionFile({ files: filesOf(changed), log }).load()).toEqual(position);
        expect(await containers(filesOf(changed))).toEqual(known.map((each) => ({ ...each, [added]: kept })));
      }),
      { numRuns: 30 },
    );
  });

  it('of a newer feed version is not understood, and stays on disk as it is', async () => {
    const newer = fc.integer({ min: (feedVersions.at(-1)?.number ?? 0) + 1, max: 1_000 });
    await fc.assert(
      fc.asyncProperty(newer, fc.constantFrom(...names(contents, 'tables')), async (version, name) => {
        const named = [...varint(6 * 8), ...varint(version)]; // Complete.feed_version, the last of which counts
        const changed = replaced(
          contents,
          name,
          repacked((payload) => Uint8Array.of(...payload, ...named)),
        );
        const { held, events, files } = await read(changed);
        expect(events).toEqual(['ledger.not-understood']);
        expect(held.has(name)).toBe(false);
        expect(files.contents.get(name)).toEqual(changed.get(name));
      }),
    );
  });

  it('of a newer format is not understood: never taken for damage, never gone on from an older copy', async () => {
    const format = fc.integer({ min: 2, max: 9_999 });
    await fc.assert(
      fc.asyncProperty(format, fc.constantFrom(...contents.keys()), async (number, name) => {
        const changed = replaced(contents, name, inFormat(number));
        if (name.startsWith('network-')) expect((await read(changed)).events).toEqual(['ledger.not-understood']);
        else await expect(twin(changed, name.slice(0, -2)).load()).rejects.toMatchObject({ code: 'data-too-new' });
      }),
    );
  });
});
