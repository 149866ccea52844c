import { family, Ip, type Name, type Node, type NodeId } from '@causeway/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NodeIndex, type Underlay } from './node-index.ts';

const ids = ['a', 'b', 'c', 'd'] as NodeId[];
const dataPaths = ['10.0.0.1', '10.0.0.2', 'fd00::1'].map(Ip);
const mtus = [1500, 9000];

const change = fc.record({
  id: fc.constantFrom(...ids),
  dataPath: fc.constantFrom(...dataPaths),
  underlayMtu: fc.constantFrom(...mtus),
  encap: fc.constantFrom({}, { encapPort: 4500 }, { encapPort: 4501 }),
  isRemoved: fc.boolean(),
});

test('knows the same as a search through all hosts, whatever changes', () => {
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const index = new NodeIndex();
      const hosts = new Map<NodeId, Node>();
      for (const [i, { id, isRemoved, encap, ...rest }] of changes.entries()) {
        const host: Node = { id, name: `h${id}` as Name, version: '1', ...rest, ...encap };
        if (isRemoved) {
          index.delete({ id });
          hosts.delete(id);
        } else {
          index.set({ id }, { value: host, revision: BigInt(i) } as never);
          hosts.set(id, host);
        }
      }
      const all = [...hosts.values()];
      for (const dataPath of dataPaths) {
        const found = index.at(dataPath).map(({ id }) => id);
        expect(found.sort()).toEqual(ids.filter((id) => hosts.get(id)?.dataPath === dataPath));
      }
      const kinds = (of: readonly Underlay[]): string[] =>
        of
          .map(({ underlayMtu, dataPath, encapPort }) =>
            [underlayMtu, family(dataPath), encapPort !== undefined].join(' '),
          )
          .sort();
      expect(kinds(index.underlays())).toEqual([...new Set(kinds(all))]);
    }),
  );
});
