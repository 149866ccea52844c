const fatalLevels: ReadonlySet<unknown> = new Set(['error', 'fatal', 'panic', 'dpanic']);

/**
 * Why etcd ended, from the end of its log: the last severe line; otherwise the Go runtime's panic; otherwise the last
 * line.
 */
export function exitReason(log: string): string {
  const lines = log.split('\n').filter((line) => line !== '');
  const said = lines.flatMap((line) => parseFatal(line) ?? []).at(-1);
  return said ?? lines.findLast((line) => line.startsWith('panic: ')) ?? lines.at(-1) ?? 'nothing';
}

/** Message and cause of a severe line of zap's JSON; undefined for any other line. */
function parseFatal(line: string): string | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof entry !== 'object' || entry === null || !('level' in entry) || !fatalLevels.has(entry.level))
    return undefined;
  const message = 'msg' in entry ? String(entry.msg) : line;
  return 'error' in entry ? `${message}: ${String(entry.error)}` : message;
}
