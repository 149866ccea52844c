import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { start } from '@causeway/lab/io';
import { afterAll, expect, test } from 'vitest';
import { describeLab } from './requirements.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The commands of the first code block below the heading. */
async function commandsBelow(heading: string): Promise<readonly string[]> {
  const text = await readFile(`${root}README.md`, 'utf8');
  const block = new RegExp(`^## ${heading}\\n\`\`\`\\n(.*?)\`\`\``, 'ms').exec(text)?.[1] ?? '';
  return block.split('\n').filter((line) => line !== '' && line !== 'npm run setup');
}

describeLab('the README', () => {
  const run = (command: string) => start('sh', ['-c', `cd ${root} && ${command}`]).outcome;
  afterAll(async () => {
    await run('npx causeway lab down --name t');
  });

  test('what "Try it" says works, line by line, and its ping is answered', async () => {
    const commands = await commandsBelow('Try it');
    let pinged = '';
    for (const command of commands) {
      const { code, stdout, stderr } = await run(command);
      expect(code, `${command}\n${stdout}${stderr}`).toBe(0);
      if (command.includes(' ping ')) pinged = stdout;
    }
    expect(pinged).toMatch(/3 received, 0% packet loss/);
  });
});
