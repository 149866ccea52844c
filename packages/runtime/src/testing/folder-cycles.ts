import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

type Imports = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The circles in which folders below `root` import one another, each as "a -> b -> a". Tests, contract suites and
 * `testing/` folders do not count: these may import everything.
 */
export function folderCycles(root: URL): string[] {
  const imports = importsBelow(fileURLToPath(root));
  if (imports.size === 0) throw new Error(`no folder below ${root.pathname} imports another`);
  return [...imports.keys()].flatMap((folder) => cycleFrom(folder, imports)?.join(' -> ') ?? []);
}

/** The folders that each folder's production code imports. */
function importsBelow(root: string): Imports {
  const imports = new Map<string, Set<string>>();
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || /\.test\.ts$|contract|(^|\/)testing\//.test(file)) continue;
    const from = dirname(file);
    for (const [, path = ''] of readFileSync(join(root, file), 'utf8').matchAll(/ from '(\.[^']+)'/g)) {
      const to = dirname(relative(root, resolve(root, from, path)));
      if (to !== from) imports.set(from, (imports.get(from) ?? new Set()).add(to));
    }
  }
  return imports;
}

/** A chain of imports that leads from the folder back to itself. */
function cycleFrom(start: string, imports: Imports): readonly string[] | undefined {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    for (const next of imports.get(way.at(-1) ?? start) ?? []) {
      if (next === start) return [...way, next];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return undefined;
}
