import type { Home } from '@causeway/enrollment';
import type { PeerName } from '@causeway/identity';
import { CausewayError, clip, parseName } from '@causeway/model';

/** A cluster that this user is an operator of, and how to reach it. */
export interface StoredContext {
  readonly name: string;
  readonly state: State;
}

export type State =
  | {
      readonly kind: 'whole';
      /** Whose credential it is. */
      readonly holder: PeerName;
      /** HOST:PORT each. */
      readonly managers: readonly string[];
      /** Unix ms: when the certificate expires. */
      readonly expires: number;
    }
  | { readonly kind: 'damaged'; readonly why: string };

/** The contexts of this user. */
export interface Contexts {
  /** By name. */
  all(): Promise<readonly StoredContext[]>;
  /** The name that was chosen with `use`. */
  chosen(): Promise<string | undefined>;
  use(name: string): Promise<void>;
  /** Removes the credential from this machine. Its certificate stays valid. */
  remove(name: string): Promise<void>;
  home(name: string): Home;
}

/** The context that commands use when none is said: the chosen context, or the only one. */
export function inUse(all: readonly StoredContext[], chosen: string | undefined): string | undefined {
  if (chosen !== undefined) return all.find(({ name }) => name === chosen)?.name;
  return all.length === 1 ? all[0]?.name : undefined;
}

/** @throws CausewayError context-unknown */
export function contextNamed(all: readonly StoredContext[], name: string): StoredContext {
  const found = all.find((each) => each.name === name);
  if (found !== undefined) return found;
  const known = all.length === 0 ? 'there is none' : `known: ${all.map((each) => each.name).join(', ')}`;
  throw new CausewayError('context-unknown', `there is no context "${clip(name)}"; ${known}`, { value: clip(name) });
}

/** A context's name is the name of its directory. The file beside them, which names the chosen context, is called "current". */
export function parseContextName(text: string): string {
  const parsed = parseName(text, 'name');
  if (!parsed.ok) throw parsed.error;
  if (parsed.value !== 'current') return parsed.value;
  throw new CausewayError('name-invalid', 'name: a context cannot be called "current"', { field: 'name', value: text });
}
