import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('.', import.meta.url));

/** The folders that each folder's production code imports. */
function imports(): ReadonlyMap<string, ReadonlySet<string>> {
  const graph = new Map<string, Set<string>>();
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || /\.test\.ts$|contract|(^|\/)testing\//.test(file)) continue;
    const from = dirname(file);
    for (const [, path = ''] of readFileSync(join(root, file), 'utf8').matchAll(/ from '(\.[^']+)'/g)) {
      const to = dirname(relative(root, resolve(root, from, path)));
      if (to !== from) graph.set(from, (graph.get(from) ?? new Set()).add(to));
    }
  }
  return graph;
}

/** A chain of imports that leads from the folder back to itself. */
function cycleFrom(start: string, graph: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] | undefined {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    for (const next of graph.get(way.at(-1) ?? start) ?? []) {
      if (next === start) return [...way, next];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return undefined;
}

test('folders import one another one way (docs/architecture.md, "Inside the manager")', () => {
  const graph = imports();
  expect(graph.size).toBeGreaterThan(10);
  expect([...graph.keys()].map((folder) => cycleFrom(folder, graph)?.join(' -> ')).filter(Boolean)).toEqual([]);
});
