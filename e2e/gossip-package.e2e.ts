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
  /** The first example of its README. */
  let chat: string;
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
    chat = /^```ts\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? expect.fail('the README has no example');
  });

  afterAll(async () => {
    for (const { process } of running) process.kill();
    await rm(home, { recursive: true, force: true });
  });

  test('has the code with its types and sources, its documents, and no tests', () => {
    const folders = new Set(files.map((file) => file.split('/').slice(0, 2).join('/')));
    expect([...folders].sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json', 'src'].map((name) => `package/${name}`),
    );
    expect(files.filter((file) => /test|golden|tsbuildinfo/.test(file))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['package/dist/io/index.js', 'package/dist/io/index.d.ts']));
  });

  test('has types that a program compiles with', async () => {
    await writeFile(join(home, 'chat.mts'), chat);
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
    expect(await run(process.execPath, [tsc, ...words, ...types, join(home, 'chat.mts')])).toBe('');
  });

  test('runs the chat of its README', async () => {
    await writeFile(join(home, 'chat.mjs'), chat);
    const talk = (...words: readonly string[]): Talk => {
      const talking = new Talk(spawn(process.execPath, ['chat.mjs', ...words], { cwd: home }));
      running.push(talking);
      return talking;
    };
    const ann = talk('ann', '37946');
    // Bob may start before Ann listens: then no node answers, and Bob ends.
    const bob = await eventually(async () => {
      const again = talk('bob', '37947', '127.0.0.1:37946');
      await eventually(async () => expect(again.said).toContain('* ann: alive'), 5_000);
      return again;
    });
    await eventually(async () => expect(ann.said).toContain('* bob: alive'));
    ann.process.stdin.write('hello\n');
    await eventually(async () => expect(bob.said).toContain('ann: hello'));
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
