import { noRows, type Rows } from '@causeway/model';
import { Complete } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { describe, expect, it } from 'vitest';
import { endpointRow, newestFeed, tableOf } from '../testing/table.ts';
import { Interner, type Table } from './table.ts';
import { tableFromMessage, tableParts } from './table-codec.ts';

const rows = (count: number) => Array.from({ length: count }, (_, n) => endpointRow(n + 1));
const joined = (parts: readonly Uint8Array[]): Complete => Complete.fromBinary(Buffer.concat(parts));

async function read(message: Complete): Promise<{ readonly table: Table; readonly pauses: number }> {
  let pauses = 0;
  const table = await tableFromMessage(message, newestFeed, new Interner(), async () => {
    pauses++;
  });
  return { table, pauses };
}

describe('a table as a message', () => {
  it.each([
    [0, 1, 0],
    [1, 2, 0],
    [255, 2, 0],
    [256, 2, 1],
    [257, 3, 1],
    [512, 3, 2],
  ])('of %i rows is %i parts, which are read back with %i pauses', async (count, size, pauses) => {
    const table = tableOf(rows(count));
    const parts = [...tableParts(table)];
    expect(parts).toHaveLength(size);
    expect(await read(joined(parts))).toEqual({ table, pauses });
  });

  it('has the rows that the table had at the first part', async () => {
    const changing = new Map(rows(2).map((row) => [row.id, row]));
    const table = tableOf(rows(2), { rows: { ...(noRows() as Rows), endpoint: changing } });
    const parts = tableParts(table);
    const first = parts.next().value as Uint8Array;
    changing.clear();
    expect((await read(joined([first, ...parts]))).table).toEqual(tableOf(rows(2)));
  });

  it('is refused when its rows are not those of its digest', async () => {
    const [head] = tableParts(tableOf(rows(2)));
    await expect(read(joined([head as Uint8Array]))).rejects.toThrow(
      'rows of network blue do not add up to the digest',
    );
  });

  it('is refused without its network', async () => {
    await expect(read(Complete.create())).rejects.toThrow('a table came without its network');
  });
});
