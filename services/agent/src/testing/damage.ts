import { decodeFrame } from '../disk/frame.ts';
import type { Host } from './host.ts';

/** Name of the newer of the two files of a record. */
export async function newestCopy({ files }: Host, kind: string): Promise<string> {
  const sequences = await Promise.all(
    [`${kind}.a`, `${kind}.b`].map(async (name) => {
      const bytes = await files.read(name);
      const frame = bytes && decodeFrame(bytes);
      return [name, frame?.ok === true ? frame.value.sequence : -1] as const;
    }),
  );
  return sequences.toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? '';
}

/** Damages the newest copy of each of these records. */
export async function damage(h: Host, ...kinds: readonly string[]): Promise<void> {
  for (const kind of kinds) await h.files.write(await newestCopy(h, kind), new Uint8Array(16));
}

export async function damageTables({ files }: Host): Promise<void> {
  for (const name of await files.list()) if (name.startsWith('network-')) await files.write(name, new Uint8Array(16));
}

export async function removeSandboxes({ files }: Host): Promise<void> {
  for (const name of ['sandboxes.a', 'sandboxes.b']) await files.remove(name);
}
