import { type Bytes, concat } from '../wire/bytes.ts';
import { maxName } from '../wire/limits.ts';
import { encodeStruct } from '../wire/message.ts';
import { MsgpackReader } from '../wire/msgpack-reader.ts';
import { MsgpackWriter } from '../wire/msgpack-writer.ts';
import { list, struct, text } from '../wire/struct.ts';
import { maxFilters, querySize } from './limits.ts';
import { matches } from './regex.ts';
import type { Tags } from './tags.ts';

/** Which nodes a query is for: all that pass every filter. */
export interface Filters {
  /** The names of the nodes. */
  readonly nodes?: readonly string[];
  /** Regular expressions, by the tag that each has to match. A tag that a node does not have is empty. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** The first byte of each filter. */
const type = { nodes: 0, tag: 1 } as const;

const names = list(text(maxName), maxFilters);
const tagFilter = struct({ Tag: text(querySize), Expr: text(querySize) });

export function encodeFilters({ nodes = [], tags = {} }: Filters): readonly Bytes[] {
  const byTag = Object.entries(tags).map(([tag, expr]) => encodeStruct(type.tag, tagFilter, { tag, expr }));
  if (nodes.length === 0) return byTag;
  const to = new MsgpackWriter();
  names.write(to, nodes);
  return [concat(Uint8Array.of(type.nodes), to.done()), ...byTag];
}

/** Whether a node passes all filters. A filter that cannot be read lets no node pass, as in serf. */
export function passes(filters: readonly Bytes[], name: string, tags: Tags): boolean {
  return filters.every((filter) => {
    const from = new MsgpackReader(filter, 1);
    if (filter[0] === type.nodes) {
      const all = names.read(from);
      return !from.failed && all.includes(name);
    }
    if (filter[0] !== type.tag) return false;
    const { tag, expr } = tagFilter.read(from);
    return !from.failed && matches(expr, Object.hasOwn(tags, tag) ? (tags[tag] ?? '') : '') === true;
  });
}
