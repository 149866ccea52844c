import { type Bytes, concat, parseUtf8 } from '../wire/bytes.ts';
import { maxMeta } from '../wire/limits.ts';
import { MsgpackReader } from '../wire/msgpack-reader.ts';
import { MsgpackWriter } from '../wire/msgpack-writer.ts';
import { dictionary, text } from '../wire/struct.ts';

/** What a node says about itself, as names and values. */
export type Tags = Readonly<Record<string, string>>;

/** Says that the bytes are tags; without this byte they are the value of the tag `role`, as in the first versions of serf. */
const magic = 255;

const tagMap = dictionary(text(maxMeta), maxMeta, maxMeta);

/** The tags as memberlist's meta. Throws if they do not fit. */
export function encodeTags(tags: Tags): Bytes {
  const to = new MsgpackWriter();
  tagMap.write(to, new Map(Object.entries(tags)));
  const meta = concat(Uint8Array.of(magic), to.done());
  if (meta.length > maxMeta) throw new RangeError(`tags: at most ${maxMeta} bytes when encoded, not ${meta.length}`);
  return meta;
}

/** The tags of a node. What is no tags reads as none: the node is a member all the same, as in serf. */
export function decodeTags(meta: Bytes): Tags {
  if (meta[0] !== magic) return { role: parseUtf8(meta) ?? '' };
  const from = new MsgpackReader(meta, 1);
  const tags = tagMap.read(from);
  return from.failed ? {} : Object.fromEntries(tags);
}
