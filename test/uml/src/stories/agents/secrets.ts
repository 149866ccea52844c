import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab, Outcome } from '@causeway/lab/io';
import { formsOf, hasSecret } from '../../guest/secret-forms.ts';

export interface Secrets {
  /** Private keys of hosts, and keys of SAs. */
  readonly privateKeys: number;
  readonly saKeys: number;
  /** Files that have private keys, with their modes: "h1: keys 600". */
  readonly keyFiles: readonly string[];
  /** Where else a key is, in any form. */
  readonly exposed: readonly string[];
  /** How many files, processes and answers were searched. */
  readonly searched: number;
}

interface Haystack {
  readonly where: string;
  readonly content: Buffer;
}

/** Looks for the keys that are in use, wherever a program may have written them. */
export async function searchKeys(lab: Lab): Promise<Secrets> {
  const files = (await Promise.all(lab.hosts.map((host) => filesOf(lab, host)))).flat();
  const privateKeys = files.flatMap(({ where, content }) => privateKeysIn(content).map((key) => ({ where, key })));
  const saKeys = (await Promise.all(lab.hosts.map((host) => saKeysOf(lab, host)))).flat();
  const keyFiles = new Set(privateKeys.map(({ where }) => where));
  const haystacks = [
    ...files.filter(({ where }) => !keyFiles.has(where)),
    ...(await processes()),
    ...(await answers(lab)),
  ];
  const keys = [...privateKeys.map(({ key }) => key), ...saKeys].map(formsOf);
  const exposed = haystacks.filter(({ content }) => hasSecret(content, keys));
  return {
    privateKeys: privateKeys.length,
    saKeys: saKeys.length,
    keyFiles: await Promise.all([...keyFiles].sort().map(withMode)),
    exposed: exposed.map(({ where }) => where),
    searched: haystacks.length,
  };
}

/** What a host keeps: /run, its data, and its logs. */
async function filesOf(lab: Lab, host: string): Promise<readonly Haystack[]> {
  const [agent] = await lab.processes(host, 'agent');
  const roots = [
    lab.runPath(host, ''),
    `/proc/${agent?.pid}/root/var/lib/causeway`,
    join(lab.logPath(host, 'agent'), '..'),
  ];
  return (await Promise.all(roots.map(read))).flat();
}

/** All regular files of a directory. One that is gone meanwhile is left out. */
async function read(directory: string): Promise<readonly Haystack[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(paths.map((path) => readFile(path).then(trimmed, () => Buffer.alloc(0))));
  return paths.map((where, i) => ({ where, content: contents[i] ?? Buffer.alloc(0) }));
}

/** Without zeros at the end: etcd makes its files much larger than what is in them. */
function trimmed(content: Buffer): Buffer {
  let end = content.length;
  while (end > 0 && content[end - 1] === 0) end--;
  return content.subarray(0, end);
}

async function withMode(path: string): Promise<string> {
  const { mode } = await lstat(path);
  return `${path.replace(/^.*causeway-lab\/[^/]+\//, '')} ${(mode & 0o777).toString(8)}`;
}

/** Keys on X25519, as JSON Web Keys (RFC 8037). */
function privateKeysIn(content: Buffer): readonly Buffer[] {
  if (!content.includes('"X25519"')) return [];
  return [...content.toString().matchAll(/"d":"([\w-]{43})"/g)].map(([, d = '']) => Buffer.from(d, 'base64url'));
}

async function saKeysOf(lab: Lab, host: string): Promise<readonly Buffer[]> {
  const text = await lab.run(host, 'ip', 'xfrm', 'state', 'list');
  return [...text.matchAll(/aead \S+ 0x([0-9a-f]{40}) /g)].map(([, hex = '']) => Buffer.from(hex, 'hex'));
}

/** Arguments and environments of all processes. */
async function processes(): Promise<readonly Haystack[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const files = pids.flatMap((pid) => ['cmdline', 'environ'].map((file) => `/proc/${pid}/${file}`));
  return Promise.all(
    files.map(async (where) => ({ where, content: await readFile(where).catch(() => Buffer.alloc(0)) })),
  );
}

/** What operators are shown, errors included. */
async function answers(lab: Lab): Promise<readonly Haystack[]> {
  const commands = [
    ...[['status'], ['verify'], ['events'], ['network', 'inspect', 'vault'], ['endpoint', 'list']],
    ...[['crypto', 'status'], ['doctor'], ['node', 'list']],
  ];
  const outcomes: [string, Outcome][] = [];
  for (const words of commands)
    outcomes.push([words.join(' '), await lab.try('h1', 'causeway', ...words, '-o', 'json')]);
  return outcomes.map(([where, { stdout, stderr }]) => ({ where, content: Buffer.from(`${stdout}${stderr}`) }));
}
