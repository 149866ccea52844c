import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { start, succeed } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { describeWith } from './requirements.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const run = (command: string, args: readonly string[]): Promise<string> =>
  succeed(`${command} ${args.join(' ')}`, start(command, args).outcome);

/** What `npm install memberlist-ts` gives. */
describeWith(['npm', 'tar'], 'the package memberlist-ts', () => {
  let home: string;
  let files: readonly string[];
  /** The examples of its README. */
  let examples: readonly string[];
  const running: Talk[] = [];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'memberlist-ts-'));
    await run('npm', ['pack', '--silent', `--pack-destination=${home}`, join(root, 'packages/gossip')]);
    const archive = join(home, 'memberlist-ts-0.1.0.tgz');
    files = (await run('tar', ['-tzf', archive])).trim().split('\n');
    await run('mkdir', ['-p', join(home, 'node_modules')]);
    await run('tar', ['-xzf', archive, '-C', home]);
    await rename(join(home, 'package'), join(home, 'node_modules/memberlist-ts'));
    const readme = await readFile(join(home, 'node_modules/memberlist-ts/README.md'), 'utf8');
    examples = [...readme.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
  });

  afterAll(async () => {
    for (const { process } of running) process.kill();
    await rm(home, { recursive: true, force: true });
  });

  test('has the code with its types and sources, its documents, and no tests', async () => {
    const folders = new Set(files.map((file) => file.split('/').slice(0, 2).join('/')));
    expect([...folders].sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json', 'src'].map((name) => `package/${name}`),
    );
    expect(files.filter((file) => /test|golden|tsbuildinfo/.test(file))).toEqual([]);
    const manifest = await readFile(join(home, 'node_modules/memberlist-ts/package.json'), 'utf8');
    const { exports, ...rest } = JSON.parse(manifest) as { exports: Record<string, Record<string, string>> };
    expect(Object.keys(exports)).toEqual(['.', './core', './serf', './serf/wire', './wire']);
    const exported = Object.values(exports).flatMap((each) => Object.values(each));
    expect(files).toEqual(expect.arrayContaining(exported.map((path) => path.replace('./', 'package/'))));
    expect(rest).not.toHaveProperty('dependencies');
  });

  test('has types that the examples of its README compile with', async () => {
    const programs = examples.map((_, i) => join(home, `example-${i}.mts`));
    for (const [i, program] of programs.entries()) await writeFile(program, examples[i] ?? '');
    const words = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
    ];
    const types = ['--typeRoots', join(root, 'node_modules/@types')];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    expect(programs.length).toBeGreaterThan(1);
    expect(await run(process.execPath, [tsc, ...words, ...types, ...programs])).toBe('');
  });

  /** Two programs of an example, which know each other. */
  async function chat(example: number, port: number): Promise<[Talk, Talk]> {
    const program = join(home, `chat-${example}.mjs`);
    await writeFile(program, examples[example] ?? '');
    const talk = (...words: readonly string[]): Talk => {
      const talking = new Talk(spawn(process.execPath, [program, ...words], { cwd: home }));
      running.push(talking);
      return talking;
    };
    const ann = talk('ann', `${port}`);
    // Bob may start before Ann listens: then no node answers, and Bob ends.
    const bob = await eventually(async () => {
      const again = talk('bob', `${port + 1}`, `127.0.0.1:${port}`);
      await eventually(async () => expect(again.said).toContain('* ann: alive'), 5_000);
      return again;
    });
    await eventually(async () => expect(ann.said).toContain('* bob: alive'));
    ann.process.stdin.write('hello\n');
    await eventually(async () => expect(bob.said).toContain('ann: hello'));
    return [ann, bob];
  }

  test('runs the chat of its README', async () => {
    await chat(0, 37946);
  });

  test('runs the chat of its README with serf, which asks who is there', async () => {
    const [ann] = await chat(1, 37956);
    ann.process.stdin.write('/who\n');
    await eventually(async () => {
      for (const each of ['* ann: here', '* bob: here']) expect(ann.said).toContain(each);
    });
  });
});

/** A process that chats. */
class Talk {
  readonly process: ChildProcessWithoutNullStreams;
  said = '';

  constructor(process: ChildProcessWithoutNullStreams) {
    this.process = process;
    process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
    process.stdin.on('error', () => undefined);
  }
}
