import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { hostile } from '../testing/hostile.ts';
import { runLine } from '../testing/run-line.ts';
import { transcripts } from '../testing/transcripts.ts';
import { endpoints, networks, nodes } from '../testing/worlds.ts';

// The variable is set when the tests run inside a lab.
beforeAll(() => void vi.stubEnv('CAUSEWAY_MANAGERS', undefined));
afterAll(() => void vi.unstubAllEnvs());

/** Everything that a terminal obeys or that is invisible. Line feeds are checked separately. */
const commands = /[^\P{Cc}\n]|[\p{Bidi_Control}\p{Zl}\p{Zp}]/u;
/** What this program itself sends to a terminal: colours. */
const ours = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');

describe('nothing that a server says commands a terminal', () => {
  const lines = Object.values(transcripts).flat();
  test.each(lines)('%s', async (line, world) => {
    const kind = await runLine(line, world);
    const venomous = await runLine(line, { ...world, ...hostile(world) });
    expect(venomous.stdout + venomous.stderr).not.toMatch(commands);
    // No text may begin a new line.
    if (venomous.code === kind.code) expect(venomous.stdout.split('\n')).toHaveLength(kind.stdout.split('\n').length);
    expect(venomous.stderr.split('\n').length).toBeLessThanOrEqual(kind.stderr.split('\n').length + 2);
    const coloured = await runLine(line, { ...world, ...hostile(world), tty: true });
    expect((coloured.stdout + coloured.stderr).replaceAll(ours, '')).not.toMatch(commands);
  });

  test.each([
    ['network show ', networks],
    ['endpoint show ', endpoints],
    ['node show ', nodes],
  ])('completion of "%s" has only what can be typed', async (line, world) => {
    const words = ['__complete', '--', ...line.split(' ')];
    const kind = await runLine(words, world);
    expect(kind.stdout).not.toBe('');
    expect((await runLine(words, { ...world, ...hostile(world) })).stdout).toBe('');
  });

  test('nor what is typed by mistake', async () => {
    const { stderr, code } = await runLine(['net\u001b[2Jwork\n', 'list\u009b'], networks);
    expect(stderr).toContain('\\e[2J');
    expect(stderr).not.toMatch(commands);
    expect(code).toBe(2);
  });
});
