import { EventKeys } from './event-keys.ts';
import { type ArgumentsOf, type RecordName, records, type StoreKey } from './records/index.ts';
import type { KeyKind } from './records/kind.ts';

export const defaultPrefix = '/causeway/v1/';

/**
 * The key space under one prefix: makes keys and parses them. Has one key, or one maker of keys, for each kind of record.
 */
export type Keys = KeySpace & {
  readonly [Name in RecordName]: ArgumentsOf<Name> extends infer Parts extends readonly (string | number)[]
    ? Parts extends readonly []
      ? string
      : (...parts: Parts) => string
    : never;
};

/** The prefix ends in "/", so that no key of another cluster can begin with it. */
export function createKeys(prefix: string = defaultPrefix): Keys {
  const makers = Object.entries<KeyKind>(records).map(([name, kind]) => [name, maker(prefix, kind)] as const);
  return Object.assign(new KeySpace(prefix), Object.fromEntries(makers)) as KeySpace as Keys;
}

class KeySpace extends EventKeys {
  readonly prefix: string;

  constructor(prefix: string) {
    super(prefix);
    this.prefix = prefix;
  }

  /** Common prefix of the keys of a kind that have these first parts. */
  under(name: RecordName, ...parts: readonly string[]): string {
    return `${[this.prefix + segmentOf(records[name]), ...parts].join('/')}/`;
  }

  /** Undefined for a key outside the prefix, or one that only a newer version knows. */
  parse(key: string): StoreKey | undefined {
    if (!key.startsWith(this.prefix)) return undefined;
    const [segment = '', ...texts] = key.slice(this.prefix.length).split('/');
    const kind = bySegment.get(segment);
    if (kind?.path.length !== texts.length) return undefined;
    const parts: Record<string, string | number> = { kind: kind.kind };
    for (let i = 0; i < texts.length; i++) {
      const part = kind.path[i];
      const parsed = part?.parse(texts[i] ?? '');
      if (part === undefined || parsed?.ok !== true) return undefined;
      parts[part.name] = parsed.value;
    }
    return parts as StoreKey;
  }
}

const bySegment: ReadonlyMap<string, KeyKind> = new Map(
  Object.values<KeyKind>(records).map((kind) => [segmentOf(kind), kind]),
);

function segmentOf({ kind, segment = kind }: KeyKind): string {
  return segment;
}

function maker(prefix: string, kind: KeyKind): string | ((...parts: readonly (string | number)[]) => string) {
  const start = prefix + segmentOf(kind);
  if (kind.path.length === 0) return start;
  return (...parts) => parts.reduce<string>((key, value, i) => `${key}/${kind.path[i]?.print(value)}`, start);
}
