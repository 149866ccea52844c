import { readFile } from 'node:fs/promises';

/** Documentation/networking/xfrm_proc.rst. The packets came without ESP: from a peer, and from a stranger. */
const counters = ['XfrmInTmplMismatch', 'XfrmInPolBlock'];

/**
 * Packets that the kernel of this host's network namespace has dropped because they came without ESP. undefined: the kernel was built
 * without CONFIG_XFRM_STATISTICS.
 */
export async function readPlaintextDrops(): Promise<number | undefined> {
  const text = await readFile('/proc/net/xfrm_stat', 'utf8').catch(() => undefined);
  return text === undefined ? undefined : countPlaintextDrops(text);
}

/** `text`: the content of /proc/net/xfrm_stat. */
export function countPlaintextDrops(text: string): number {
  const found = new Map(text.split('\n').map((line) => line.trim().split(/\s+/) as [string, string]));
  return counters.reduce((sum, name) => sum + Number(found.get(name) ?? 0), 0);
}
